"""Every corruption is a function of (batch, generator); what each does to the pixels is measured."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from latentspace.core.config import Config
from latentspace.core.errors import ConfigurationError
from latentspace.core.randomness import generator
from latentspace.data.corruption import CorruptionConfig, blur, gaussian, masking, salt_and_pepper

NAMES = ("gaussian", "masking", "salt-and-pepper", "blur")


def grey(count: int = 200, channels: int = 1, value: float = 0.5) -> torch.Tensor:
    return torch.full((count, channels, 28, 28), value)


def random(count: int = 3, channels: int = 2) -> torch.Tensor:
    return torch.rand(count, channels, 17, 20, generator=generator(0, "sample"))


@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_the_batch_and_the_generator(name):
    corrupt = CorruptionConfig(noise=name, strength=0.4).corruption()
    batch, before = random(), torch.random.get_rng_state()
    copy = batch.clone()
    one, two, other = (corrupt(batch, generator(seed, "noise")) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert torch.equal(one, other) == (name == "blur")  # which draws nothing
    assert torch.equal(batch, copy), "the clean batch is still needed, as the target"
    assert torch.equal(torch.random.get_rng_state(), before)
    assert one.shape == batch.shape
    assert not torch.equal(one, batch)


@pytest.mark.parametrize("name", NAMES)
def test_the_next_batch_gets_other_noise(name):
    corrupt = CorruptionConfig(noise=name, strength=0.4).corruption()
    noise = generator(0, "noise")
    one, two = corrupt(random(), noise), corrupt(random(), noise)
    assert torch.equal(one, two) == (name == "blur")


@pytest.mark.parametrize("name", NAMES)
def test_strength_0_changes_nothing(name):
    corrupt = CorruptionConfig(noise=name, strength=0).corruption()
    assert torch.equal(corrupt(random(), generator(0, "noise")), random())


@pytest.mark.parametrize("std", [0.1, 0.5])
def test_gaussian_noise_has_mean_0_and_its_standard_deviation(std):
    noise = gaussian(std)(grey(), generator(0, "noise")) - grey()
    assert noise.mean().item() == pytest.approx(0, abs=4 * std / noise.numel() ** 0.5)
    assert noise.std().item() == pytest.approx(std, rel=0.01)
    assert (noise.abs() < std).float().mean().item() == pytest.approx(0.6827, abs=0.005)


def test_gaussian_noise_is_not_clipped():
    white = gaussian(0.1)(grey(value=1.0), generator(0, "noise"))
    black = gaussian(0.1)(grey(value=0.0), generator(0, "noise"))
    assert (white > 1).float().mean().item() == pytest.approx(0.5, abs=0.01)
    assert (black < 0).float().mean().item() == pytest.approx(0.5, abs=0.01)


def test_the_reports_noise_is_the_default():
    assert CorruptionConfig() == CorruptionConfig(noise="gaussian", strength=0.1)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_masking_blackens_its_share_in_all_channels(share):
    masked = masking(share)(grey(channels=3), generator(0, "noise"))
    assert set(masked.unique().tolist()) <= {0.0, 0.5}
    black = masked == 0
    assert black.float().mean().item() == pytest.approx(share, abs=0.005)
    assert torch.equal(black, black[:, :1].expand_as(black))


def test_salt_and_pepper_takes_half_its_share_each():
    spoilt = salt_and_pepper(0.3)(grey(channels=3), generator(0, "noise"))
    assert set(spoilt.unique().tolist()) == {0.0, 0.5, 1.0}
    for value in (0.0, 1.0):
        here = spoilt == value
        assert here.float().mean().item() == pytest.approx(0.15, abs=0.005)
        assert torch.equal(here, here[:, :1].expand_as(here))


@pytest.mark.parametrize("std", [0.1, 0.5, 0.8333334, 1.0, 2.3, 9.0])
def test_blur_is_scipys(std):
    """Cut at three standard deviations, the border repeated."""
    batch = random()
    expected = gaussian_filter(batch.double().numpy(), sigma=(0, 0, std, std), mode="nearest", truncate=3.0)
    ours = blur(std)(batch, generator(0, "noise")).numpy()
    np.testing.assert_allclose(ours, expected, atol=2e-6)


@pytest.mark.parametrize("name", ["masking", "salt-and-pepper"])
def test_a_share_over_1_is_refused(name):
    with pytest.raises(ConfigurationError, match="a share of pixels, at most 1"):
        CorruptionConfig.parse({"noise": name, "strength": 1.5}, "the test")


def test_noise_may_be_stronger_than_1_where_it_is_no_share():
    plan: Config = CorruptionConfig(noise="blur", strength=1.5)
    assert CorruptionConfig.parse(plan.model_dump(), "the test") == plan


def test_an_unknown_noise_is_refused():
    with pytest.raises(ConfigurationError, match="noise = 'pink'"):
        CorruptionConfig.parse({"noise": "pink"}, "the test")
