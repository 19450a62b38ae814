"""A vector's optimiser moves it as the original moves its parts, and leaves the original as if it had."""

import pytest
import torch
from torch import nn

from latentspace.training.optimizers import UNIFORM
from latentspace.training.steps.flat_optimizer import Flat

SHAPES = [(4, 3), (4,), (2, 4), (2,)]
RATES = [0.01, 0.02, 0.005, 0.01]


def of(name: str) -> tuple[list[nn.Parameter], torch.optim.Optimizer]:
    draw = torch.Generator().manual_seed(1)
    parameters = [nn.Parameter(torch.randn(shape, generator=draw)) for shape in SHAPES]
    return parameters, UNIFORM[name](parameters, lr=1.0, weight_decay=0.01)


def split(vector: torch.Tensor) -> list[torch.Tensor]:
    parts = torch.split(vector, [torch.Size(shape).numel() for shape in SHAPES])
    return [part.view(shape) for part, shape in zip(parts, SHAPES, strict=True)]


def gradients(step: int) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(100 + step)
    return [torch.randn(shape, generator=draw) for shape in SHAPES]


def move(parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        for one, gradient in zip(parameters, gradients(step), strict=True):
            one.grad = gradient
        optimizer.param_groups[0]["lr"] = RATES[step]
        optimizer.step()


@torch.no_grad()
def move_flat(flat: Flat, steps: range) -> None:
    for step in steps:
        for place, gradient in zip(split(flat.gradient), gradients(step), strict=True):
            place.copy_(gradient)
        flat.step(RATES[step])


@pytest.mark.parametrize("name", UNIFORM)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_the_same_steps(name, before):
    """`before` steps are the original's own: it may remember something already, or nothing."""
    expected, theirs = of(name)
    move(expected, theirs, range(4))
    parameters, ours = of(name)
    move(parameters, ours, range(before))
    flat = Flat(ours, split)
    move_flat(flat, range(before, 3))
    flat.put_back()
    move_flat(flat, range(3, 4))
    flat.put_back()
    for one, other in zip(parameters, expected, strict=True):
        torch.testing.assert_close(one, other)
        assert ours.state[one].keys() == theirs.state[other].keys()
        for quantity, value in theirs.state[other].items():
            torch.testing.assert_close(ours.state[one][quantity], value)


@pytest.mark.parametrize("name", UNIFORM)
def test_nothing_moves_before_it_is_put_back_and_the_original_goes_on_from_there(name):
    expected, theirs = of(name)
    move(expected, theirs, range(4))
    parameters, ours = of(name)
    untouched = [one.detach().clone() for one in parameters]
    flat = Flat(ours, split)
    move_flat(flat, range(2))
    assert all(torch.equal(one, other) for one, other in zip(parameters, untouched, strict=True))
    flat.put_back()
    move(parameters, ours, range(2, 4))
    for one, other in zip(parameters, expected, strict=True):
        torch.testing.assert_close(one, other)
