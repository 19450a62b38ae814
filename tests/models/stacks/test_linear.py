"""The linear path: it begins as principal components, and the network beside it adds little at first."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from latentspace.core.randomness import generator
from latentspace.models.posteriors import Gaussian
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig

SIZE = 6


def smooth(shape, count: int = 60) -> torch.Tensor:
    """Images of a few waves, within (0.2, 0.8)."""
    draw = np.random.default_rng(0)
    waves = draw.normal(size=(4, *shape)).cumsum(axis=2).cumsum(axis=3)
    mixed = np.tensordot(draw.normal(size=(count, 4)), waves, axes=1)
    return torch.from_numpy(0.5 + 0.3 * mixed / np.abs(mixed).max()).float()


def begun(config, images: torch.Tensor):
    model = config.build(tuple(images.shape[1:]), generator(0, "weights")).eval()
    rows = model.encoder.rows_of(images).numpy()
    fitted = PCA(min(SIZE, *rows.shape), random_state=0).fit(rows)
    found = (fitted.components_, fitted.mean_, np.sqrt(fitted.explained_variance_))
    given = [torch.from_numpy(one.astype(np.float32)) for one in found]
    for path in (model.encoder, model.decoder):
        path.begin(*given)
    return model, fitted


@pytest.mark.parametrize("config", [ResidualConfig, ResidualVariationalConfig])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 17, 23), (3, 32, 32)])
def test_it_begins_as_principal_components(config, shape):
    images = smooth(shape)
    model, fitted = begun(config(code_size=SIZE, width=4, linear_path="on"), images)
    rows = images.flatten(1).numpy()
    expected = fitted.inverse_transform(fitted.transform(rows)).reshape(images.shape)
    with torch.no_grad():
        posterior = model.encode(images)
        decoded = model.decode(posterior.mean).numpy()
    whitened = fitted.transform(rows)[:, :4] / np.sqrt(fitted.explained_variance_[:4])
    np.testing.assert_allclose(posterior.mean[:, :4].numpy(), whitened, atol=0.1)
    np.testing.assert_allclose(decoded, expected, atol=0.02)
    assert isinstance(posterior, Gaussian) == (config is ResidualVariationalConfig)


def test_larger_images_pass_at_32_pixels_a_side_and_come_out_nearly_as_smooth_as_they_were():
    images = smooth((2, 64, 50))
    model, _ = begun(ResidualConfig(code_size=SIZE, width=4, linear_path="on"), images)
    assert model.encoder.directions.shape == (SIZE, 2 * 32 * 32)
    with torch.no_grad():
        decoded = model.decode(model.encode(images).mean)
    assert (decoded - images).square().mean() < 0.1 * images.var()


@pytest.mark.parametrize(("count", "components"), [(60, 4), (3, 2)])
def test_of_images_with_few_components_and_of_few_images_the_last_numbers_are_the_networks_alone(
    count, components
):
    images = smooth((1, 8, 8), count)
    model, _ = begun(ResidualConfig(code_size=SIZE, width=4, linear_path="on"), images)
    for path in (model.encoder, model.decoder):
        assert path.directions[:components].abs().sum(dim=1).min() > 0
        assert not path.directions[components:].any()
    assert torch.isfinite(model.decode(model.encode(images).mean)).all()


def test_before_it_begins_it_adds_nothing():
    plain, beside = (
        ResidualConfig(code_size=SIZE, width=4, linear_path=path).build((1, 16, 16), generator(0, "weights"))
        for path in ("off", "on")
    )
    beside.encoder.network.load_state_dict(plain.encoder.state_dict())
    beside.decoder.network.load_state_dict(plain.decoder.state_dict())
    images = smooth((1, 16, 16), count=4)
    with torch.no_grad():
        codes = plain.encode(images).mean
        torch.testing.assert_close(beside.encode(images).mean, codes)
        torch.testing.assert_close(beside.decode(codes), plain.decode(codes))
