"""Drop-in layers: the same functions as torch's, faster where measured, and drawn from given generators.

Torch's own operators take their place where torch compiles, exports, traces or transforms (`torch.func`) a
network, and in gradients that are differentiated again.
"""

import math
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .im2col import Choice, Geometry, Onward, Pair, choose, correlate, gather, scatter


@final
class Conv2d(nn.Module):
    """torch.nn.Conv2d with a square kernel, and a ReLU on request.

    Which kernels compute it is `im2col.choose`'s, by device, type and shape.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int,
        padding: Pair,
        relu: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding, self.relu = kernel, stride, padding, relu
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weights and bias anew, as torch.nn.Conv2d does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, images: Tensor, choice: Choice | None = None) -> Tensor:
        """Images x channels x height x width -> maps, in the type of autocast if that is on.

        Args:
            choice: what to compute with; None: what the table of `im2col` says.
        """
        if is_transformed():
            maps = functional.conv2d(images, self.weight, self.bias, self.stride, self.padding)
            return maps.relu() if self.relu else maps
        images, weight = _as_autocast(images, self.weight)
        bias = None if self.bias is None else self.bias.to(images.dtype)
        geometry = Geometry.of_large(self.kernel, self.stride, self.padding, _sides(images))
        if choice is None:
            choice = choose(images.device.type, images.dtype, weight.shape[1], weight.shape[0], geometry)
        small: Tensor = _Strided.apply(  # type: ignore[no-untyped-call]
            images, weight, bias, geometry, choice, self.relu, gather
        )
        return small


@final
class ConvTranspose2d(nn.Module):
    """torch.nn.ConvTranspose2d with a square kernel and a bias, and a ReLU on request."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int,
        padding: Pair,
        output_padding: Pair,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding, self.relu = kernel, stride, padding, relu
        self.output_padding = output_padding
        self.weight = nn.Parameter(torch.empty(inputs, outputs, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, images: Tensor, choice: Choice | None = None) -> Tensor:
        """Maps -> larger maps; the arguments are those of `Conv2d.forward`."""
        if is_transformed():
            maps = functional.conv_transpose2d(
                images, self.weight, self.bias, self.stride, self.padding, self.output_padding
            )
            return maps.relu() if self.relu else maps
        images, weight, bias = _as_autocast(images, self.weight, self.bias)
        geometry = Geometry.of_small(
            self.kernel, self.stride, self.padding, _sides(images), self.output_padding
        )
        if choice is None:
            choice = choose(images.device.type, images.dtype, weight.shape[1], weight.shape[0], geometry)
        large: Tensor = _Strided.apply(  # type: ignore[no-untyped-call]
            images, weight, bias, geometry, choice, self.relu, scatter
        )
        return large


@final
class Flatten(nn.Module):
    """Maps -> a row of height x width x channels for each image: no copy where they lie channels last."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.permute(0, 2, 3, 1).flatten(1)


@final
class Unflatten(nn.Module):
    """What `Flatten` undoes."""

    def __init__(self, channels: int, sides: Pair) -> None:
        super().__init__()
        self.channels, self.sides = channels, sides

    def forward(self, rows: Tensor) -> Tensor:
        return rows.view(-1, *self.sides, self.channels).permute(0, 3, 1, 2)


def is_transformed() -> bool:
    """Whether torch compiles, exports, traces or transforms a network: that is done to torch's operators."""
    is_traced: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return is_traced or torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()


def needs_torch(gradient: Tensor) -> bool:
    """Whether a way back must be torch's: it is differentiated again, batched or transformed."""
    is_many: bool = torch._C._functorch.is_legacy_batchedtensor(gradient)  # by is_grads_batched
    return torch.is_grad_enabled() or is_many or is_transformed()


class _Strided(torch.autograd.Function):
    """A strided convolution (`onward` is gather) or its transpose (scatter): each is the other's way back."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        geometry: Geometry,
        choice: Choice,
        relu: bool,
        onward: Onward,
    ) -> Tensor:
        maps = onward(images, weight, bias, geometry, choice)
        if relu:
            maps = maps.relu_()
        ctx.save_for_backward(images, weight, maps if relu else None)
        ctx.geometry, ctx.choice, ctx.onward = geometry, choice, onward
        return maps

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        images, weight, activations = ctx.saved_tensors
        is_convolution = ctx.onward is gather
        if needs_torch(gradient):
            return *_torchs_backward(ctx, gradient, is_convolution), *[None] * 4
        gradient = _before_activation(gradient, activations)
        homeward = scatter if is_convolution else gather
        large, small = (images, gradient) if is_convolution else (gradient, images)
        wanted = ctx.needs_input_grad
        return (
            homeward(gradient, weight, None, ctx.geometry, ctx.choice) if wanted[0] else None,
            correlate(large, small, ctx.geometry, ctx.choice) if wanted[1] else None,
            gradient.sum(dim=(0, 2, 3)) if wanted[2] else None,
            *[None] * 4,
        )


def _torchs_backward(ctx: Any, gradient: Tensor, is_convolution: bool) -> list[Tensor | None]:
    """The gradients of images, weight and bias by one operator of torch's, which can be differentiated."""
    images, weight, activations = ctx.saved_tensors
    if activations is not None:
        gradient = torch.ops.aten.threshold_backward(gradient, activations.detach(), 0)
    geometry = ctx.geometry
    gradients: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
        gradient,
        images,
        weight,
        [weight.shape[0 if is_convolution else 1]],
        [geometry.stride] * 2,
        list(geometry.padding),
        [1, 1],
        not is_convolution,
        [0, 0] if is_convolution else list(geometry.output_padding),
        1,
        list(ctx.needs_input_grad[:3]),
    )
    return list(gradients)


def _before_activation(gradient: Tensor, activations: Tensor | None) -> Tensor:
    """The gradient before the ReLU, channels last."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    if activations is None:
        return gradient
    passed: Tensor = torch.ops.aten.threshold_backward(gradient, activations, 0)
    return passed


def _sides(images: Tensor) -> Pair:
    return images.shape[2], images.shape[3]


def _as_autocast(*tensors: Tensor) -> list[Tensor]:
    """As autocast would cast a convolution's arguments, which it does not do for functions of our own."""
    kind = tensors[0].device.type
    if not torch.is_autocast_enabled(kind):
        return list(tensors)
    return [tensor.to(torch.get_autocast_dtype(kind)) for tensor in tensors]
