"""The contract of every objective: (model, batch, context) -> Loss."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from drawing import drawing
from latentspace.core.randomness import generator
from latentspace.data.batches import Batch
from latentspace.data.corruption import blur, gaussian, masking, salt_and_pepper
from latentspace.models.autoencoder import AutoencoderConfig, VariationalConfig
from latentspace.models.classifier import ClassifierConfig
from latentspace.objectives.classification import classification, classification_through_softmax
from latentspace.objectives.denoising import denoising, denoising_and_clean
from latentspace.objectives.elbo import elbo
from latentspace.objectives.importance import importance_weighted
from latentspace.objectives.loss import Objective
from latentspace.objectives.reconstruction import reconstruction

SHAPE = (1, 16, 18)


def plain() -> nn.Module:
    config = AutoencoderConfig(code_size=3, conv1_channels=8, conv2_channels=8, conv3_channels=8, neurons=16)
    return config.build(SHAPE, generator(1, "weights"))


def variational() -> nn.Module:
    config = VariationalConfig(code_size=3, conv1_channels=8, conv2_channels=8)
    return config.build(SHAPE, generator(1, "weights"))


def still() -> nn.Module:
    """A variational autoencoder whose posterior is so narrow that nothing is left to chance."""
    model = variational()
    nn.init.zeros_(model.encoder.logvar.weight)
    nn.init.constant_(model.encoder.logvar.bias, -60)
    return model


def head() -> nn.Module:
    return ClassifierConfig().build(6, 4, generator(1, "weights"))


@dataclass(frozen=True)
class Case:
    """`quiet`, `quiet_model`: the same objective with nothing left to chance."""

    objective: Objective
    model: Callable[[], nn.Module]
    parts: frozenset[str]
    draws: bool = False
    quiet: Objective | None = None
    quiet_model: Callable[[], nn.Module] | None = None


NOISY = frozenset({"mse_from_noisy"})
ELBO = frozenset({"bce", "kl", "elbo_loss"})
CLASSES = frozenset({"cross_entropy", "report_cross_entropy", "accuracy"})
CASES = {
    "reconstruction": Case(reconstruction, plain, frozenset({"mse"})),
    "gaussian": Case(denoising(gaussian(0.1)), plain, NOISY, True, denoising(gaussian(0.0))),
    "masking": Case(denoising(masking(0.3)), plain, NOISY, True, denoising(masking(0.0))),
    "salt and pepper": Case(
        denoising(salt_and_pepper(0.3)), plain, NOISY, True, denoising(salt_and_pepper(0.0))
    ),
    "blur": Case(denoising(blur(1.0)), plain, NOISY),
    "denoising and clean": Case(
        denoising_and_clean(gaussian(0.1)), plain, NOISY | {"mse"}, True, denoising_and_clean(gaussian(0.0))
    ),
    "elbo": Case(elbo(), variational, ELBO, True, elbo(), still),
    "beta and free bits": Case(elbo(0.5, free_bits=0.1), variational, ELBO, True, elbo(0.5), still),
    "importance-weighted": Case(
        importance_weighted(3), variational, frozenset({"iwae_loss", "elbo_loss"}), True, elbo(), still
    ),
    "classification": Case(classification, head, CLASSES),
    "classification through a Softmax": Case(classification_through_softmax, head, CLASSES),
}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


def batch(case: Case, count: int = 9) -> Batch:
    draw = generator(5, "sample")
    if case.model is head:
        return Batch(torch.randn(count, 6, generator=draw), torch.arange(count) % 4)
    return Batch(torch.rand(count, *SHAPE, generator=draw))


def part_of(whole: Batch, here: slice) -> Batch:
    return Batch(whole.inputs[here], None if whole.labels is None else whole.labels[here])


def test_it_is_finite_and_names_its_parts(case):
    loss = case.objective(case.model(), batch(case), drawing())
    assert loss.total.shape == ()
    assert torch.isfinite(loss.total)
    assert loss.parts.keys() == case.parts
    assert all(one.shape == () and torch.isfinite(one) for one in loss.parts.values())


def test_it_moves_every_weight(case):
    model = case.model().train()
    case.objective(model, batch(case, 32), drawing()).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_it_is_a_mean_over_images_whatever_the_batches(case):
    model, whole = (case.quiet_model or case.model)().eval(), batch(case)
    objective = case.quiet or case.objective
    at_once = objective(model, whole, drawing())
    first = objective(model, part_of(whole, slice(0, 2)), drawing())
    rest = objective(model, part_of(whole, slice(2, 9)), drawing())
    torch.testing.assert_close(at_once.total, (2 * first.total + 7 * rest.total) / 9, rtol=1e-5, atol=1e-7)
    for name, value in at_once.parts.items():
        torch.testing.assert_close(
            value, (2 * first.parts[name] + 7 * rest.parts[name]) / 9, rtol=1e-5, atol=1e-7
        )


def test_it_draws_from_the_given_generator_alone(case):
    model, whole = case.model().train(), batch(case)
    before = torch.random.get_rng_state()
    one, two = (case.objective(model, whole, drawing(1)).total for _ in range(2))
    assert torch.equal(one, two)
    context = drawing(1)
    state = context.generator.get_state()
    case.objective(model, whole, context)
    assert torch.equal(context.generator.get_state(), state) != case.draws
    assert torch.equal(torch.random.get_rng_state(), before), "drawn from torch's global generator"


def test_the_batch_is_left_as_it_was(case):
    whole = batch(case)
    copy = whole.inputs.clone()
    case.objective(case.model().train(), whole, drawing())
    assert torch.equal(whole.inputs, copy)
