"""Convolutional stacks: images -> the parameters of a posterior."""

from typing import final

from torch import Tensor, nn

from ..types import Codes, Images
from .layers import strided_size


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

    paddings = (1, 1, 0)

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, int, int], neurons: int, code_size: int
    ) -> None:
        super().__init__()
        widths = (shape[0], *channels)
        sides = [shape[1:]]
        stack: list[nn.Module] = []
        for padding, before, after in zip(self.paddings, widths, channels, strict=False):
            stack += [nn.Conv2d(before, after, kernel_size=3, stride=2, padding=padding), nn.ReLU()]
            height, width = (strided_size(side, 3, padding) for side in sides[-1])
            sides.append((height, width))
        self.sides = tuple(sides)  # of every stage, the image's own first: the decoder walks them back
        self.convolutions = nn.Sequential(*stack, nn.Flatten())
        features = channels[-1] * sides[-1][0] * sides[-1][1]
        self.head = nn.Sequential(nn.Linear(features, neurons), nn.ReLU(), nn.Linear(neurons, code_size))

    def forward(self, images: Images) -> Codes:
        codes: Tensor = self.head(self.convolutions(images))
        return codes
