"""Convolutional stacks: images -> a posterior over codes."""

import math
from typing import final

import torch
from torch import Tensor, nn

from ..core.tensor_types import Images
from .layers.conv import Conv2d, Flatten
from .layers.dropout import Dropout
from .layers.im2col import Geometry, Pair
from .posteriors import Dirac, Gaussian


@final
class ConvolutionalEncoder(nn.Module):
    """Three 3x3 convolutions of stride 2, then two linear layers; ReLU on all but the last.

    The padding is 1, 1 and 0 (Foscarin 2021, section 2.1), but 1 for the last one too along a side that is
    even there: else its last row would be in no patch. A side of 28 pixels becomes 14, 7 and 3; one of 32
    becomes 16, 8 and 4.

    Args:
        shape: channels, height and width of an image.
        channels: of the three convolutions.
        neurons: of the first linear layer.
        code_size: of the second.
    """

    kernel = 3

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, int, int], neurons: int, code_size: int
    ) -> None:
        super().__init__()
        widths = (shape[0], *channels)
        first = halved(shape[1:], self.kernel, (1, 1))
        second = halved(first.small, self.kernel, (1, 1))
        height, width = second.small
        self.stages = (first, second, halved(second.small, self.kernel, (1 - height % 2, 1 - width % 2)))
        stack: list[nn.Module] = []
        for stage, before, after in zip(self.stages, widths, channels, strict=False):
            stack.append(Conv2d(before, after, self.kernel, stride=2, padding=stage.padding, relu=True))
        self.convolutions = nn.Sequential(*stack, Flatten())
        features = channels[-1] * math.prod(self.stages[-1].small)
        self.head = nn.Sequential(nn.Linear(features, neurons), nn.ReLU(), nn.Linear(neurons, code_size))

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Dirac:  # noqa: ARG002
        codes: Tensor = self.head(self.convolutions(images))
        return Dirac(codes)


@final
class VariationalEncoder(nn.Module):
    """Two 4x4 convolutions of stride 2, padding 1, ReLU and dropout after each; then mu and logvar, linear.

    A side of 28 pixels becomes 14 and 7. Foscarin 2021, section 5.1.

    Args:
        shape: channels, height and width of an image.
        channels: of the two convolutions.
        dropout: the share of activations set to zero in training.
        code_size: of each of the two linear layers.
    """

    kernel = 4
    padding = (1, 1)

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, int], dropout: float, code_size: int
    ) -> None:
        super().__init__()
        first = halved(shape[1:], self.kernel, self.padding)
        self.stages = (first, halved(first.small, self.kernel, self.padding))
        self.conv1 = Conv2d(shape[0], channels[0], self.kernel, stride=2, padding=self.padding, relu=True)
        self.conv2 = Conv2d(channels[0], channels[1], self.kernel, stride=2, padding=self.padding, relu=True)
        self.dropout = Dropout(dropout)
        self.flatten = Flatten()
        features = channels[1] * math.prod(self.stages[-1].small)
        self.mu = nn.Linear(features, code_size)
        self.logvar = nn.Linear(features, code_size)

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Gaussian:
        hidden = self.dropout(self.conv1(images), generator)
        hidden = self.flatten(self.dropout(self.conv2(hidden), generator))
        return Gaussian(self.mu(hidden).float(), self.logvar(hidden).float())


def halved(size: Pair, kernel: int, padding: Pair) -> Geometry:
    """The sizes of a convolution of stride 2; the decoder walks them back."""
    return Geometry.of_large(kernel, 2, padding, size)
