"""Convolutional stacks: images -> a posterior over codes."""

import math
from typing import final

import torch
from torch import Tensor, nn

from ..types import Images
from .layers import Conv2d, Dropout, Flatten
from .lowering import Geometry
from .posterior import Dirac, Gaussian


@final
class ConvolutionalEncoder(nn.Module):
    """Three 3x3 convolutions of stride 2 (padding 1, 1, 0), then two linear layers; ReLU on all but the last.

    A side of 28 pixels becomes 14, 7 and 3; a side of 16 becomes 8, 4 and 1, the smallest that works.

    Args:
        shape: channels, height and width of an image.
        channels: of the three convolutions.
        neurons: of the first linear layer.
        code_size: of the second.
    """

    kernel = 3
    paddings = (1, 1, 0)

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, int, int], neurons: int, code_size: int
    ) -> None:
        super().__init__()
        widths = (shape[0], *channels)
        self.stages = stages_of(shape[1:], self.kernel, self.paddings)
        stack: list[nn.Module] = []
        for padding, before, after in zip(self.paddings, widths, channels, strict=False):
            stack.append(Conv2d(before, after, self.kernel, stride=2, padding=padding, relu=True))
        self.convolutions = nn.Sequential(*stack, Flatten())
        features = channels[-1] * math.prod(self.stages[-1].small)
        self.head = nn.Sequential(nn.Linear(features, neurons), nn.ReLU(), nn.Linear(neurons, code_size))

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Dirac:  # noqa: ARG002
        codes: Tensor = self.head(self.convolutions(images))
        return Dirac(codes)


@final
class VariationalEncoder(nn.Module):
    """Two 4x4 convolutions of stride 2, padding 1, ReLU and dropout after each; then mu and logvar, linear.

    A side of 28 pixels becomes 14 and 7. The report's section 5.1.

    Args:
        shape: channels, height and width of an image.
        channels: of the two convolutions.
        dropout: the share of activations set to zero in training.
        code_size: of each of the two linear layers.
    """

    kernel = 4
    paddings = (1, 1)

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, int], dropout: float, code_size: int
    ) -> None:
        super().__init__()
        self.stages = stages_of(shape[1:], self.kernel, self.paddings)
        self.conv1 = Conv2d(shape[0], channels[0], self.kernel, stride=2, padding=1, relu=True)
        self.conv2 = Conv2d(channels[0], channels[1], self.kernel, stride=2, padding=1, relu=True)
        self.dropout = Dropout(dropout)
        self.flatten = Flatten()
        features = channels[1] * math.prod(self.stages[-1].small)
        self.mu = nn.Linear(features, code_size)
        self.logvar = nn.Linear(features, code_size)

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Gaussian:
        hidden = self.dropout(self.conv1(images), generator)
        hidden = self.flatten(self.dropout(self.conv2(hidden), generator))
        return Gaussian(self.mu(hidden).float(), self.logvar(hidden).float())


def stages_of(size: tuple[int, int], kernel: int, paddings: tuple[int, ...]) -> tuple[Geometry, ...]:
    """Sizes at every stride of 2, the image's own first: the decoder walks them back."""
    stages: list[Geometry] = []
    for padding in paddings:
        stages.append(Geometry.of_large(kernel, 2, padding, stages[-1].small if stages else size))
    return tuple(stages)
