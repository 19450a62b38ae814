"""Group normalisation with an activation: torch's own values and gradients."""

import pytest
import torch
from torch.nn.functional import group_norm

from latentspace.core.randomness import generator
from latentspace.models.layers.norm import CURVES, EPSILON, GroupNormActivation

every_activation = pytest.mark.parametrize("activation", CURVES)
every_order = pytest.mark.parametrize("order", [torch.channels_last, torch.contiguous_format], ids=str)


def layer_and_maps(activation, channels=12, order=torch.channels_last, dtype=torch.float32):
    draw = generator(0, "sample")
    layer = GroupNormActivation(channels, activation).to(dtype)
    for one in layer.parameters():
        torch.nn.init.normal_(one, generator=draw)
    maps = 3 + 2 * torch.randn(6, channels, 5, 7, generator=draw).to(dtype)
    return layer, maps.contiguous(memory_format=order).requires_grad_()


def torchs(layer, maps):
    normed = group_norm(maps, layer.groups, layer.weight, layer.bias, EPSILON)
    return CURVES[layer.activation].forward(normed)


@every_activation
@every_order
def test_values_and_gradients_are_those_of_torch(activation, order):
    layer, maps = layer_and_maps(activation, order=order)
    ours, theirs = layer(maps), torchs(layer, maps)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    upstream = torch.randn(ours.shape, generator=generator(1, "sample")).contiguous(memory_format=order)
    given = [one.detach().clone() for one in (maps, upstream, ours)]
    leaves = [maps, *layer.parameters()]
    for one, other in zip(
        torch.autograd.grad(ours, leaves, upstream),
        torch.autograd.grad(theirs, leaves, upstream),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert all(
        torch.equal(*pair) for pair in zip(given, (maps, upstream, ours), strict=True)
    )  # not written to


@every_activation
def test_gradients_are_those_of_finite_differences_and_can_be_differentiated_again(activation):
    layer, maps = layer_and_maps(activation, channels=4, dtype=torch.float64)
    small = maps.detach()[:2, :, :2, :2].requires_grad_()
    assert torch.autograd.gradcheck(layer, (small,), atol=1e-4, rtol=1e-3, eps=1e-4)
    if activation != "relu":
        assert torch.autograd.gradgradcheck(layer, (small,), atol=1e-3, rtol=1e-2, eps=1e-4)


def test_under_autocast_maps_stay_in_bfloat16_and_gradients_of_weights_in_float32():
    layer, maps = layer_and_maps("silu")
    with torch.autocast("cpu", torch.bfloat16):
        ours = layer(maps.bfloat16())
    assert ours.dtype == torch.bfloat16
    exact = torchs(layer, maps.bfloat16().float())
    torch.testing.assert_close(ours.float(), exact, rtol=2**-8, atol=1e-6)  # rounded once
    ours.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(("channels", "groups"), [(1, 1), (6, 2), (8, 8), (12, 4), (32, 8)])
def test_a_group_count_that_divides_the_channels(channels, groups):
    assert GroupNormActivation(channels, "silu").groups == groups
