"""Normalisation and the activation after it, as one layer.

Group normalisation is faster than torch's on the CPU, whose kernel for maps in channels-last order takes ten
times what reading them takes. Here the mean and the variance of each group become one product and one sum a
value, and nothing is kept for the way back but what the layer was given. Maps are large: what is no longer
needed is written over.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .conv import is_transformed, needs_torch

Norm: TypeAlias = Literal["group", "batch", "none"]
Activation: TypeAlias = Literal["silu", "relu", "gelu"]

GROUPS: Final = 8
EPSILON: Final = 1e-5


@dataclass(frozen=True)
class _Curve:
    """An activation, the same in the place of what it is given, and (gradient, given) -> that before it."""

    forward: Callable[[Tensor], Tensor]
    in_place: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


_aten = torch.ops.aten
CURVES: Mapping[str, _Curve] = {
    "silu": _Curve(functional.silu, _aten.silu_, _aten.silu_backward),
    "relu": _Curve(
        torch.relu, torch.relu_, lambda gradient, given: _aten.threshold_backward(gradient, given, 0)
    ),
    "gelu": _Curve(functional.gelu, _aten.gelu_, _aten.gelu_backward),
}


def normed(channels: int, norm: Norm, activation: Activation) -> nn.Module:
    """A layer that normalises maps and activates them."""
    if norm == "group":
        return GroupNormActivation(channels, activation)
    curve = Activated(activation)
    return nn.Sequential(nn.BatchNorm2d(channels), curve) if norm == "batch" else curve


@final
class Activated(nn.Module):
    """An activation, by its name, as a layer."""

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, maps: Tensor) -> Tensor:
        return CURVES[self.activation].forward(maps)


@final
class GroupNormActivation(nn.Module):
    """torch.nn.GroupNorm of 8 groups (https://arxiv.org/abs/1803.08494), and an activation.

    Fewer groups where 8 do not divide the channels.
    """

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.groups, self.activation = math.gcd(GROUPS, channels), activation
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu" or is_transformed():
            return _by_torch(maps, self.weight, self.bias, self.groups, self.activation)
        activated: Tensor = _Normed.apply(  # type: ignore[no-untyped-call]
            maps, self.weight, self.bias, self.groups, self.activation
        )
        return activated


def _by_torch(maps: Tensor, weight: Tensor, bias: Tensor, groups: int, activation: str) -> Tensor:
    return CURVES[activation].forward(functional.group_norm(maps, groups, weight, bias, EPSILON))


class _Normed(torch.autograd.Function):
    """What is normalised lies as (images, pixels, channels).

    All is computed in float32, or float64: bfloat16 is read and written once, which takes less time than
    its arithmetic on a CPU, and the result is rounded once.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, groups: int, activation: str) -> Tensor:
        rows = _rows(maps).to(torch.promote_types(maps.dtype, torch.float32))
        sums, own = rows.sum(dim=1), rows.square()
        squares = own.sum(dim=1)
        values = rows.shape[1] * rows.shape[2] // groups  # of a group
        mean = _over_groups(sums, groups) / values
        variance = (_over_groups(squares, groups) / values - mean.square()).clamp_(min=0)
        deviation = torch.rsqrt(variance + EPSILON)  # its inverse
        factor = deviation * weight
        term = bias - mean * factor
        ctx.save_for_backward(maps, weight, bias, mean, deviation, factor, term)
        ctx.groups, ctx.activation, ctx.values = groups, activation, values
        return _maps(CURVES[activation].in_place(_scaled(rows, factor, term, own)).to(maps.dtype), maps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight, bias, mean, deviation, factor, term = ctx.saved_tensors
        if needs_torch(gradient):
            return *_torchs_backward(ctx, gradient, [maps, weight, bias]), None, None
        rows = _rows(maps).to(mean.dtype)
        own = _scaled(rows, factor, term)
        before = CURVES[ctx.activation].backward(_rows(gradient).to(mean.dtype), own)
        of_term = before.sum(dim=1)  # images x channels
        place = own if before.is_contiguous() else None  # or sums would be taken in another order
        products = torch.mul(before, rows, out=place).sum(dim=1)
        of_factor = (products - mean * of_term) * deviation
        of_mean = _over_groups(of_term * weight, ctx.groups) / ctx.values
        of_deviation = _over_groups(of_factor * weight, ctx.groups) / ctx.values
        slope = -deviation.square() * of_deviation
        given = _scaled(rows, slope, -slope * mean - deviation * of_mean, own)
        given = given.addcmul_(before, factor[:, None]).to(maps.dtype)
        return _maps(given, maps), of_factor.sum(dim=0), of_term.sum(dim=0), None, None


def _torchs_backward(ctx: Any, gradient: Tensor, given: list[Tensor]) -> list[Tensor | None]:
    """The same by torch's operators, which can be differentiated."""
    again = torch.is_grad_enabled()
    wanted = [one for one, needed in zip(given, ctx.needs_input_grad, strict=False) if needed]
    maps, weight, bias = given
    with torch.enable_grad():
        output = _by_torch(maps, weight, bias, ctx.groups, ctx.activation)
    found = iter(torch.autograd.grad(output, wanted, gradient, create_graph=again))
    return [next(found) if needed else None for needed in ctx.needs_input_grad[:3]]


def _rows(maps: Tensor) -> Tensor:
    """Maps -> images x pixels x channels; no copy where they lie channels last."""
    return maps.permute(0, 2, 3, 1).reshape(len(maps), -1, maps.shape[1])


def _maps(rows: Tensor, like: Tensor) -> Tensor:
    _, channels, height, width = like.shape
    return rows.view(len(rows), height, width, channels).permute(0, 3, 1, 2)


def _over_groups(values: Tensor, groups: int) -> Tensor:
    """The sum over each group's channels, at each of them: images x channels."""
    images, channels = values.shape
    parts = values.view(images, groups, channels // groups)
    return parts.sum(dim=2, keepdim=True).expand_as(parts).reshape(images, channels)


def _scaled(rows: Tensor, factor: Tensor, term: Tensor, place: Tensor | None = None) -> Tensor:
    """A value times its channel's factor plus its term, in `place`."""
    return torch.addcmul(term[:, None], rows, factor[:, None], out=place)
