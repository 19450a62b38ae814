import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from latentspace.core.errors import ConfigurationError
from latentspace.core.randomness import generator
from latentspace.models.autoencoder import Autoencoder, AutoencoderConfig
from latentspace.models.layers.conv import Conv2d, ConvTranspose2d
from latentspace.models.layers.init import build_seeded, initialise

SMALL = AutoencoderConfig(code_size=3, conv1_channels=4, conv2_channels=5, conv3_channels=6, neurons=7)


def build(
    config: AutoencoderConfig = SMALL, shape: tuple[int, int, int] = (1, 28, 28), seed: int = 0
) -> Autoencoder:
    return config.build(shape, generator(seed, "weights"))


def test_the_reports_sizes_layer_by_layer():
    """28 -> 14 -> 7 -> 3 and back, and 742,923 weights: counted by hand from section 2.1."""
    model = build(AutoencoderConfig())
    assert [stage.small for stage in model.encoder.stages] == [(14, 14), (7, 7), (3, 3)]
    convolutions = 64 * 9 + 64 + 128 * 64 * 9 + 128 + 128 * 128 * 9 + 128
    linear = 1152 * 128 + 128 + 128 * 10 + 10
    back = 10 * 128 + 128 + 128 * 1152 + 1152 + 128 * 128 * 9 + 128 + 128 * 64 * 9 + 64 + 64 * 9 + 1
    assert sum(one.numel() for one in model.parameters()) == convolutions + linear + back == 742_923
    after_linear = [one for one in model.modules() if isinstance(one, nn.ReLU)]
    convolutional = [one.relu for one in model.modules() if isinstance(one, Conv2d | ConvTranspose2d)]
    assert len(after_linear) == 3
    assert convolutional == [True] * 5 + [False]  # after all but the last layer of the decoder


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(8, 70), st.integers(8, 70))
def test_images_come_out_at_the_size_they_went_in(channels, height, width):
    model = build(shape=(channels, height, width))
    passed = model(torch.rand(2, channels, height, width))
    assert passed.logits.shape == (2, channels, height, width)
    assert passed.latents[0].codes.shape == (2, 3)


@pytest.mark.parametrize("shape", [(1, 7, 28), (3, 28, 7)])
def test_images_too_small_are_refused(shape):
    with pytest.raises(ConfigurationError, match="at least 8x8"):
        build(shape=shape)


def test_decode_gives_pixels_and_is_the_sigmoid_of_the_logits():
    model = build()
    images = torch.rand(3, 1, 28, 28)
    passed = model(images)
    decoded = model.decode(model.encode(images).mean)
    assert 0 <= decoded.min() <= decoded.max() <= 1
    torch.testing.assert_close(decoded, torch.sigmoid(passed.logits))


def test_gradients_reach_every_parameter():
    """With weights made large, so that no ReLU of a lucky seed hides a path."""
    model = build(AutoencoderConfig(conv1_channels=8, conv2_channels=8, conv3_channels=8, neurons=32), seed=1)
    passed = model(torch.rand(64, 1, 28, 28, generator=generator(0, "sample")))
    passed.logits.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_seed_gives_its_weights_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, two, other = build(seed=1).state_dict(), build(seed=1).state_dict(), build(seed=2).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("layer", "theirs"),
    [
        (nn.Linear(50, 40), nn.Linear(50, 40)),
        (Conv2d(6, 40, 3, stride=2, padding=(1, 1)), nn.Conv2d(6, 40, 3)),
        (
            ConvTranspose2d(40, 6, 3, stride=2, padding=(1, 1), output_padding=(0, 0)),
            nn.ConvTranspose2d(40, 6, 3),
        ),
    ],
    ids=["Linear", "Conv2d", "ConvTranspose2d"],
)
def test_weights_are_drawn_as_torch_draws_them(layer, theirs):
    """torch's own `reset_parameters` seeded alike gives the same numbers, in the same order."""
    torch.manual_seed(5)
    theirs.reset_parameters()
    initialise(layer, torch.Generator().manual_seed(5))
    expected = theirs.state_dict()
    assert expected.keys() == layer.state_dict().keys()
    for name, tensor in layer.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


class Scale(nn.Module):
    """A layer with a weight and no rule to draw it by."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


def test_a_layer_without_a_rule_is_refused():
    with pytest.raises(TypeError, match="a Scale needs reset_parameters"):
        initialise(nn.Sequential(Scale()), torch.Generator())


def test_any_other_layer_draws_by_its_own_rule_from_the_seed_and_its_name(monkeypatch):
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GRUCell(4, 5), nn.Linear(5, 3))

    monkeypatch.setattr(torch.cuda, "manual_seed_all", None)  # nobody would put a GPU's generators back
    before = torch.random.get_rng_state()
    one, two, other = (build_seeded(build, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name])
    assert not torch.equal(one[2].weight_hh, other[2].weight_hh)
    assert torch.equal(one[1].running_var, torch.ones(4))
    longer = build_seeded(lambda: build().append(nn.Linear(3, 3)), torch.Generator().manual_seed(1))
    assert torch.equal(longer[3].weight, one[3].weight), "a layer more changes no other"


def test_a_plain_posterior_is_one_code():
    posterior = build().encode(torch.rand(2, 1, 28, 28))
    assert torch.equal(posterior.sample(None), posterior.mean)
