"""A residual encoder and decoder, for images of any size from 8x8.

The encoder shrinks maps by strided convolutions, the decoder enlarges them; residual blocks are at each size
(`scales`). Between the smallest maps and the code there is a linear layer.
"""

import math
from typing import Final, Literal, NamedTuple, TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.tensor_types import Codes, Images, Logits
from ..layers.conv import Conv2d, Flatten, Unflatten
from ..layers.im2col import Pair
from ..layers.norm import Activated, Activation, Norm, normed
from ..posteriors import Dirac, Gaussian, Posterior
from .scales import scales

Upsampling: TypeAlias = Literal["shuffle", "nearest"]

NEURONS: Final = 8  # times the width: of the layer between the maps and the code, but at least
FEWEST_NEURONS: Final = 256
BEGINNING: Final = 0.1  # what a residual path adds at first, beside layers as torch draws them


class Style(NamedTuple):
    """What all layers of a network share."""

    norm: Norm
    activation: Activation
    upsampling: Upsampling
    blocks: int

    def before(self, channels: int) -> nn.Module:
        """What stands before a convolution."""
        return normed(channels, self.norm, self.activation)

    def of_row(self, neurons: int) -> nn.Module:
        """What stands behind a linear layer."""
        norm = {"group": nn.LayerNorm, "batch": nn.BatchNorm1d, "none": nn.Identity}[self.norm]
        return nn.Sequential(norm(neurons), Activated(self.activation))

    @property
    def bias(self) -> bool:
        """Of a convolution or a linear layer whose result is normalised: that takes any constant away."""
        return self.norm == "none"


@final
class _ResidualPathEnd(nn.Conv2d):
    """A convolution that adds little at first, so that a deep network begins as a shallow one."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            self.weight *= BEGINNING


@final
class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, each behind what normalises and activates.

    K. He, X. Zhang, S. Ren, J. Sun, "Identity Mappings in Deep Residual Networks"
    (https://arxiv.org/abs/1603.05027).
    """

    def __init__(self, channels: int, style: Style) -> None:
        super().__init__()
        self.path = nn.Sequential(
            style.before(channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=style.bias),
            style.before(channels),
            _ResidualPathEnd(channels, channels, 3, padding=1, bias=style.bias),
        )

    def forward(self, maps: Tensor) -> Tensor:
        changed: Tensor = self.path(maps)
        return maps + changed


@final
class Enlarge(nn.Module):
    """A 3x3 convolution to maps of an exact larger size.

    Pixel shuffle (https://arxiv.org/abs/1609.05158): the convolution makes each pixel of the large map from
    the small one; where that is a row too many, the last one is cut off. `nearest` repeats pixels first.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: Pair, sides: Pair, kind: Upsampling, *, bias: bool
    ) -> None:
        super().__init__()
        self.stride, self.sides, self.kind = stride, sides, kind
        made = outputs * (math.prod(stride) if kind == "shuffle" else 1)
        self.convolution = nn.Conv2d(inputs, made, 3, padding=1, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        if self.kind == "nearest":
            factors = tuple(map(float, self.stride))
            repeated: Tensor = self.convolution(
                _cut(functional.interpolate(maps, scale_factor=factors), self.sides)
            )
            return repeated
        return _cut(shuffled(self.convolution(maps), self.stride), self.sides)


def _cut(maps: Tensor, sides: Pair) -> Tensor:
    """Without the rows and columns beyond `sides`."""
    if maps.shape[2:] == sides:
        return maps
    return maps[:, :, : sides[0], : sides[1]].contiguous(memory_format=torch.channels_last)


def shuffled(maps: Tensor, factors: Pair) -> Tensor:
    """Channels to pixels, `factors` (down, across) times as many; the result lies channels last."""
    down, across = factors
    images, _, height, width = maps.shape
    parts = maps.permute(0, 2, 3, 1).reshape(images, height, width, down, across, -1)
    large = parts.permute(0, 1, 3, 2, 4, 5).reshape(images, height * down, width * across, -1)
    return large.permute(0, 3, 1, 2)


@final
class ResidualEncoder(nn.Module):
    """Images -> a posterior over codes.

    Args:
        shape: channels, height and width of an image.
        variational: whether the posterior has a variance.
    """

    def __init__(
        self, shape: tuple[int, int, int], width: int, code_size: int, style: Style, *, variational: bool
    ) -> None:
        super().__init__()
        stack: list[nn.Module] = []
        before = shape[0]
        for number, scale in enumerate(scales(shape, width)):
            stack += [] if number == 0 else [style.before(before)]
            bias = style.bias or number == 0  # else the norms would take the contrast of an image away
            stack.append(_shrink(before, scale.channels, scale.stride, bias=bias))
            stack += [Block(scale.channels, style) for _ in range(style.blocks)]
            before = scale.channels
        self.maps = nn.Sequential(*stack, style.before(before), Flatten())
        neurons, features = _neurons(width), before * math.prod(scale.sides)
        self.hidden = nn.Sequential(nn.Linear(features, neurons, bias=style.bias), style.of_row(neurons))
        self.code = nn.Linear(neurons, 2 * code_size if variational else code_size)
        self.variational = variational

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Posterior:  # noqa: ARG002
        maps = self.maps(images.contiguous(memory_format=torch.channels_last))
        found: Tensor = self.code(self.hidden(maps)).float()
        return Gaussian(*found.chunk(2, dim=1)) if self.variational else Dirac(found)


@final
class ResidualDecoder(nn.Module):
    """Codes -> the logits of pixels; arguments as the encoder's.

    It begins with maps twice as large as the encoder's last, which a linear layer makes as well.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, code_size: int, style: Style) -> None:
        super().__init__()
        found = scales(shape, width)
        first, *larger = found[-2::-1] or found
        neurons = _neurons(width)
        self.head = nn.Sequential(
            nn.Linear(code_size, neurons),  # its bias keeps the length of a code from being normalised away
            style.of_row(neurons),
            nn.Linear(neurons, first.channels * math.prod(first.sides)),
            Unflatten(first.channels, first.sides),
        )
        stack: list[nn.Module] = []
        for small, large in zip([first, *larger], [*larger, None], strict=True):
            stack += [Block(small.channels, style) for _ in range(style.blocks)]
            stack.append(style.before(small.channels))
            outputs, sides = (large.channels, large.sides) if large else (shape[0], shape[1:])
            bias = style.bias or large is None
            stack.append(Enlarge(small.channels, outputs, small.stride, sides, style.upsampling, bias=bias))
        self.maps = nn.Sequential(*stack)

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.maps(self.head(codes))
        return logits


def _neurons(width: int) -> int:
    return max(FEWEST_NEURONS, NEURONS * width)


def _shrink(inputs: int, outputs: int, stride: Pair, *, bias: bool) -> nn.Module:
    """A 3x3 convolution with this stride."""
    if stride == (2, 2):
        return Conv2d(inputs, outputs, 3, stride=2, padding=(1, 1), bias=bias)
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
