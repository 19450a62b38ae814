"""The three maps of a strided convolution, each by oneDNN (PyTorch's own) or as a matrix product.

A convolution joins a large map (the side nearer to the image) and a small one. Three maps are all that it
and its transpose need, forwards and backwards:

- `gather`: large -> small. A convolution's output; a transposed convolution's gradient.
- `scatter`: small -> large. A transposed convolution's output; a convolution's gradient.
- `correlate`: large and small -> the gradient of the weights, of both.

As a matrix product (im2col, https://hal.science/inria-00112631) each patch of the large map becomes a row.
That is faster where oneDNN has only a slow path; where, is `choose`'s table, measured by
benchmarks/layers.py. Nothing is timed in a training: that would break exact repetition.

Maps are batch x channels x height x width in channels-last order; weights small x large x kernel x kernel.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Pair: TypeAlias = tuple[int, int]  # (height, width)


@dataclass(frozen=True)
class Geometry:
    """Sizes of a convolution with square kernels: sides and padding are (height, width)."""

    kernel: int
    stride: int
    padding: Pair
    large: Pair
    small: Pair

    @classmethod
    def of_large(cls, kernel: int, stride: int, padding: Pair, large: Pair) -> "Geometry":
        height, width = (
            (side + 2 * before - kernel) // stride + 1 for side, before in zip(large, padding, strict=True)
        )
        return cls(kernel, stride, padding, large, (height, width))

    @classmethod
    def of_small(
        cls, kernel: int, stride: int, padding: Pair, small: Pair, output_padding: Pair
    ) -> "Geometry":
        height, width = (
            (side - 1) * stride - 2 * before + kernel + added
            for side, before, added in zip(small, padding, output_padding, strict=True)
        )
        return cls(kernel, stride, padding, (height, width), small)

    @property
    def output_padding(self) -> Pair:
        """What torch's transposed convolution must add to the small sides to come to the large ones."""
        rows, columns = (
            large - ((small - 1) * self.stride - 2 * before + self.kernel)
            for large, small, before in zip(self.large, self.small, self.padding, strict=True)
        )
        return rows, columns

    @property
    def padded(self) -> Pair:
        """Sides of the large map with its padding, and as much more as the last patch needs."""
        height, width = (
            max((small - 1) * self.stride + self.kernel, large + before)
            for large, small, before in zip(self.large, self.small, self.padding, strict=True)
        )
        return height, width


class Choice(NamedTuple):
    """Which of the three maps are matrix products; the others are PyTorch's."""

    gather: bool = False
    scatter: bool = False
    correlate: bool = False


# (maps, weight, bias, geometry, choice) -> maps: `gather` or `scatter`
Onward: TypeAlias = Callable[[Tensor, Tensor, Tensor | None, Geometry, Choice], Tensor]


def choose(
    device: str,
    dtype: torch.dtype,
    large_channels: int,
    small_channels: int,
    geometry: Geometry,
    vectors: int | None = None,
) -> Choice:
    """The fixed table, measured with two threads on processors of 256-bit and of 512-bit vectors.

    Args:
        vectors: bits of the processor's vectors; None: this one's.
    """
    if device != "cpu":
        return Choice()
    is_wide = (vector_bits() if vectors is None else vectors) >= 512
    one_channel = large_channels == 1 and small_channels > 1  # the layer at the image
    tiny = max(geometry.small) <= 3  # the layer at the code
    widening = 1 < large_channels <= small_channels
    if dtype == torch.float32:
        return Choice(
            gather=one_channel and geometry.kernel > 3 and not is_wide,
            scatter=one_channel or tiny,
            correlate=large_channels > 1 and not is_wide,
        )
    if dtype == torch.bfloat16:
        return Choice(scatter=one_channel or tiny, correlate=widening)
    return Choice()


@functools.cache
def vector_bits() -> int:
    """Bits of the processor's vectors, as far as oneDNN's kernels differ by them."""
    return 512 if torch.cpu.get_capabilities().get("avx512_f") else 256


def gather(large: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, choice: Choice) -> Tensor:
    """Large -> small."""
    if not choice.gather:
        return functional.conv2d(_last(large), _last(weight), bias, geometry.stride, geometry.padding)
    rows, columns = _patches(large, geometry), _matrix(weight)
    small = rows @ columns.t() if bias is None else torch.addmm(bias, rows, columns.t())
    return _map(small, len(large), geometry.small)


def scatter(small: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, choice: Choice) -> Tensor:
    """Small -> large."""
    if not choice.scatter:
        return functional.conv_transpose2d(
            _last(small),
            _last(weight),
            bias,
            geometry.stride,
            geometry.padding,
            geometry.output_padding,
        )
    return _overlaid(_rows(small) @ _matrix(weight), bias, len(small), weight.shape[1], geometry)


def correlate(large: Tensor, small: Tensor, geometry: Geometry, choice: Choice) -> Tensor:
    """Large and small -> the gradient of the weights."""
    kernel, channels = geometry.kernel, (small.shape[1], large.shape[1])
    if not choice.correlate:
        stride, padding = [geometry.stride] * 2, list(geometry.padding)
        shape = _last(large.new_empty((*channels, kernel, kernel)))
        _, gradient, _ = torch.ops.aten.convolution_backward(
            _last(small),
            _last(large),
            shape,
            None,
            stride,
            padding,
            [1, 1],
            False,
            [0, 0],
            1,
            [False, True, False],
        )
        ours: Tensor = gradient.contiguous()
        return ours
    product_ = _patches(large, geometry).t() @ _rows(small)
    return product_.t().reshape(channels[0], kernel, kernel, channels[1]).permute(0, 3, 1, 2).contiguous()


def _last(maps: Tensor) -> Tensor:
    """The same in channels-last order, and with its strides where one channel would leave them open."""
    maps = maps.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = maps.shape
    if channels > 1:
        return maps
    return maps.as_strided(maps.shape, (height * width, 1, width, 1))


def _rows(images: Tensor) -> Tensor:
    """A map -> a row of channels for each pixel; no copy where it lies channels last."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def _map(rows: Tensor, images: int, sides: Pair) -> Tensor:
    return rows.view(images, *sides, rows.shape[1]).permute(0, 3, 1, 2)


def _matrix(weight: Tensor) -> Tensor:
    """Weights -> small x (kernel, kernel, large), as the patches lie."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


def _patches(large: Tensor, geometry: Geometry) -> Tensor:
    """The large map -> a row of (kernel, kernel, channels) for each pixel of the small one."""
    pixels = large.permute(0, 2, 3, 1)
    above, left = geometry.padding
    below, right = (
        max(padded - side - before, 0)
        for padded, side, before in zip(geometry.padded, geometry.large, geometry.padding, strict=True)
    )
    pixels = functional.pad(pixels, (0, 0, left, right, above, below)).contiguous()
    images, height, width, channels = pixels.shape
    kernel, step = geometry.kernel, geometry.stride
    row = width * channels
    views = pixels.as_strided(  # a row of the kernel lies in one piece
        (images, *geometry.small, kernel, kernel * channels),
        (height * row, step * row, step * channels, row, 1),
    )
    return views.reshape(-1, kernel * kernel * channels)


def _overlaid(patches: Tensor, bias: Tensor | None, images: int, channels: int, geometry: Geometry) -> Tensor:
    """The sum of all patches, each at its place: what `_patches` undoes, and the bias."""
    kernel, step = geometry.kernel, geometry.stride
    rows, columns = geometry.small
    parts = patches.view(images, rows, columns, kernel, kernel, channels)
    large = patches.new_zeros((images, *geometry.padded, channels))
    if bias is not None:
        large += bias
    for i in range(kernel):
        for j in range(kernel):
            place = large[:, i : i + (rows - 1) * step + 1 : step, j : j + (columns - 1) * step + 1 : step]
            place += parts[:, :, :, i, j]
    (above, left), (height, width) = geometry.padding, geometry.large
    return large[:, above : above + height, left : left + width].permute(0, 3, 1, 2)
