"""The contract of every autoencoder, whatever its stacks."""

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from latentspace.core.randomness import generator
from latentspace.models.autoencoder import Autoencoder, AutoencoderConfig, VariationalConfig
from latentspace.models.dense import DenseConfig, DenseVariationalConfig
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig

CONFIGS = [
    AutoencoderConfig(code_size=3, conv1_channels=8, conv2_channels=8, conv3_channels=8, neurons=16),
    VariationalConfig(code_size=3, conv1_channels=8, conv2_channels=8),
    ResidualConfig(code_size=3, width=8),
    ResidualConfig(code_size=3, width=6, norm="none", activation="gelu", upsampling="nearest", blocks=2),
    ResidualConfig(code_size=3, width=4, norm="batch", activation="relu", ordered=True),
    ResidualVariationalConfig(code_size=3, width=6, corrections=2),
    ResidualConfig(code_size=3, width=4, linear_path="on", corrections=1),
    ResidualVariationalConfig(code_size=3, width=4, linear_path="on"),
    DenseConfig(code_size=3, neurons=8),
    DenseVariationalConfig(code_size=3, neurons=8, hidden_layers=1),
]
SHAPES = [(1, 8, 8), (1, 16, 16), (1, 28, 28), (3, 17, 23), (2, 41, 20), (32, 9, 70)]

NARROW = {
    AutoencoderConfig: {"conv1_channels": 2, "conv2_channels": 2, "conv3_channels": 2, "neurons": 2},
    VariationalConfig: {"conv1_channels": 2, "conv2_channels": 2},
    ResidualConfig: {"width": 1, "norm": "none", "activation": "relu"},
    ResidualVariationalConfig: {"width": 1, "norm": "none", "activation": "relu"},
    DenseConfig: {"neurons": 2},
    DenseVariationalConfig: {"neurons": 2},
}

every_model = pytest.mark.parametrize("config", CONFIGS, ids=repr)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def build(config, shape=(1, 28, 28), seed: int = 0) -> Autoencoder:
    return config.build(shape, generator(seed, "weights"))


def some(shape=(1, 28, 28), count: int = 5) -> Tensor:
    return torch.rand(count, *shape, generator=generator(7, "sample"))


@every_model
@every_shape
def test_images_come_out_at_the_size_they_went_in(config, shape):
    model = build(config, shape).eval()
    passed = model(some(shape), generator(0, "noise"))
    assert passed.logits.shape == (5, *shape)
    (latent,) = passed.latents
    assert latent.codes.shape == latent.posterior.mean.shape == (5, 3)
    decoded = model.decode(latent.codes)
    torch.testing.assert_close(decoded, torch.sigmoid(passed.logits))


# Each network with two of the shapes, each shape with three or four networks.
@pytest.mark.parametrize(
    ("config", "shape"),
    [(config, SHAPES[(at + more) % 6]) for at, config in enumerate(CONFIGS) for more in (0, 3)],
    ids=repr,
)
def test_gradients_reach_every_parameter(config, shape):
    model = build(config, shape, seed=1).train()
    model(some(shape, 64), generator(0, "noise")).logits.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def with_every_path_open(config, shape) -> Autoencoder:
    """All weights positive: no ReLU is ever shut, nothing cancels, so what is joined at all shows."""
    model = build(config.model_copy(update=NARROW[type(config)]), shape).eval()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    return model


# Three layers halve a side, so sides that are eight apart meet the same borders: each residue many times.
ALL = [*range(8, 33), *range(57, 65), *range(249, 257)]
SOME = [*range(8, 19), 23, 28, 31, 45, 64, 127, 200, 255]  # where a deep network takes too long for all
SIDES = {
    AutoencoderConfig: ALL,
    VariationalConfig: ALL,
    ResidualConfig: SOME,
    ResidualVariationalConfig: SOME[:14],  # the same stacks
    DenseConfig: SOME[:14],
    DenseVariationalConfig: SOME[:14],
}


# Each side is once a height and once a width, and the other one of a long side is short: sides are
# independent of each other but for the code.
@pytest.mark.parametrize("kind", SIDES)
def test_every_pixel_reaches_the_code_and_is_drawn_from_it(kind):
    squares = [(1, side, side) for side in (8, 28, 63)]
    sides = SIDES[kind]
    for shape in [*squares, *((1, *pair) for pair in zip(sides, reversed(sides), strict=True))]:
        model = with_every_path_open(kind(code_size=3), shape)
        images = torch.full((1, *shape), 0.5).requires_grad_()
        model.encode(images).mean.sum().backward()
        assert (images.grad > 0).all(), f"{shape}: pixels that no code depends on"
        without, *each = model.decoder(torch.cat([torch.zeros(1, 3), torch.eye(3)])).detach()
        assert all((one > without).all() for one in each), f"{shape}: pixels drawn from a bias alone"


@every_model
def test_the_weights_are_a_function_of_the_seed_alone(config):
    before = torch.random.get_rng_state()
    one, two, other = (build(config, seed=seed).state_dict() for seed in (1, 1, 2))
    model = build(config).train()
    model(some(), generator(0, "noise"))
    assert torch.equal(before, torch.random.get_rng_state()), "drawn from torch's global generator"
    assert all(torch.equal(one[name], two[name]) for name in one)
    parameters = dict(model.named_parameters())
    drawn = [name for name in one if name in parameters and one[name].dim() > 1]  # norms begin at 1 and 0
    assert not any(torch.equal(one[name], other[name]) for name in drawn)


@every_model
def test_a_pass_in_training_is_a_function_of_the_generator(config):
    model = build(config).train()
    one, two = (model(some(), generator(3, "noise")).logits for _ in range(2))
    assert torch.equal(one, two)


@every_model
def test_an_evaluation_draws_nothing(config):
    model = build(config).eval()
    one, two = (model.decode(model.encode(some()).mean) for _ in range(2))
    assert torch.equal(one, two)


@every_model
def test_an_image_does_not_depend_on_the_others_of_its_batch(config):
    model = build(config).eval()
    together = model.encode(some()).mean
    alone = torch.cat([model.encode(one[None]).mean for one in some()])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)


@every_model
def test_saved_and_loaded_it_is_the_same(config):
    model = build(config, seed=1).eval()
    kept = safetensors.torch.load(safetensors.torch.save(model.state_dict()))
    again = build(config, seed=2).eval()
    assert not torch.equal(again.encode(some()).mean, model.encode(some()).mean)
    again.load_state_dict(kept)
    codes = model.encode(some()).mean
    assert torch.equal(again.encode(some()).mean, codes)
    assert torch.equal(again.decode(codes), model.decode(codes))
