"""Corrections: a second encoder moves a code by what it sees of the image beside its decoded code."""

import pytest
import torch

from latentspace.core.randomness import generator
from latentspace.data.splits import Shares, split
from latentspace.experiment.config import Experiment
from latentspace.models.posteriors import Dirac, Gaussian, Posterior
from latentspace.models.stacks.correction import BEGINNING, Correction
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig
from latentspace.training.principal import PrincipalComponents
from materials import make_images

SHAPE = (2, 9, 12)


def built(config, corrections: int):
    return config(code_size=3, width=4, corrections=corrections).build(SHAPE, generator(0, "weights"))


class Seen(torch.nn.Module):
    """An encoder that keeps what it is shown, and finds the same code for all."""

    def forward(self, images, generator=None):
        self.images = images
        return Dirac(torch.full((len(images), 3), 2.0))


@pytest.mark.parametrize("config", [ResidualConfig, ResidualVariationalConfig])
def test_each_correction_moves_the_code_of_the_one_before(config):
    images = torch.rand((5, *SHAPE), generator=torch.Generator().manual_seed(1))
    none, one, two = (built(config, count).eval() for count in (0, 1, 2))
    with torch.no_grad():
        first = none.encode(images)
        found = first
        for network in (one, two):
            found = one.correction(found, images, none.decode)
            assert torch.equal(network.encode(images).mean, found.mean)
            if isinstance(found, Gaussian):
                assert torch.equal(network.encode(images).log_variance, found.log_variance)
    assert not torch.allclose(found.mean, first.mean)
    assert {
        name for name in one.state_dict() if not name.startswith("correction.")
    } == none.state_dict().keys()


def test_it_sees_the_image_the_decoded_code_and_the_difference():
    images, decoded = torch.rand(2, 4, *SHAPE)
    encoder = Seen()
    code = Correction(encoder)(Dirac(torch.ones(4, 3)), images, lambda _: decoded).mean
    assert torch.equal(encoder.images, torch.cat([images, decoded, images - decoded], dim=1))
    torch.testing.assert_close(code, torch.full((4, 3), 1 + 2 * BEGINNING))


def test_gradients_reach_every_weight_through_both_encoders():
    for config in (ResidualConfig, ResidualVariationalConfig):
        model = built(config, 1)
        passed = model(torch.rand(4, *SHAPE), torch.Generator().manual_seed(0))
        passed.logits.square().sum().backward()
        unmoved = [name for name, one in model.named_parameters() if one.grad is None or not one.grad.any()]
        assert unmoved == []


def test_a_posterior_of_another_kind_is_refused():
    class Other(Posterior):
        mean = torch.zeros(4, 3)

        def sample(self, generator):
            raise NotImplementedError

        def log_prob(self, codes):
            raise NotImplementedError

        def repeated(self, times):
            raise NotImplementedError

        def moved_to(self, mean):
            raise NotImplementedError

    with pytest.raises(TypeError, match="not a Other"):
        Correction(Seen())(Other(), torch.rand(4, *SHAPE), lambda _: torch.rand(4, *SHAPE))


def test_beside_principal_components_it_begins_by_adding_hardly_anything():
    experiment = Experiment()
    images = make_images(60)
    parts = split(images, Shares.parse("60/20/20"), 0)
    gains = {}
    for path in ("on", "off"):
        config = ResidualConfig(code_size=3, width=4, corrections=1, linear_path=path)
        model = config.build(images.shape, generator(0, "weights"))
        PrincipalComponents(experiment, images, parts).begin(model)
        gains[path] = model.correction.gain.item()
    assert gains == pytest.approx({"on": BEGINNING**2, "off": BEGINNING})
