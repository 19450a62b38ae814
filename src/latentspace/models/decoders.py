"""Convolutional stacks: codes -> the logits of an image's pixels."""

from typing import final

from torch import Tensor, nn

from ..types import Codes, Logits
from .encoders import ConvolutionalEncoder
from .layers import output_padding


@final
class ConvolutionalDecoder(nn.Module):
    """The encoder walked backwards: two linear layers, three transposed convolutions; ReLU between all.

    It ends in logits; the sigmoid that brings pixels into [0, 1] is `Autoencoder.decode`'s. Each
    transposed convolution gives back exactly the side that its twin in the encoder was given, so images
    come out at the size they went in, odd sizes too.

    Args:
        encoder: the stack to mirror, for its sides.
        shape, channels, neurons, code_size: as the encoder's.
    """

    def __init__(
        self,
        encoder: ConvolutionalEncoder,
        shape: tuple[int, int, int],
        channels: tuple[int, int, int],
        neurons: int,
        code_size: int,
    ) -> None:
        super().__init__()
        height, width = encoder.sides[-1]
        self.head = nn.Sequential(
            nn.Linear(code_size, neurons),
            nn.ReLU(),
            nn.Linear(neurons, channels[-1] * height * width),
            nn.ReLU(),
            nn.Unflatten(1, (channels[-1], height, width)),
        )
        widths = (shape[0], *channels)
        stack: list[nn.Module] = []
        for stage in reversed(range(3)):
            padding = encoder.paddings[stage]
            missing = [output_padding(side, 3, padding) for side in encoder.sides[stage]]
            stack += [
                nn.ConvTranspose2d(
                    widths[stage + 1],
                    widths[stage],
                    kernel_size=3,
                    stride=2,
                    padding=padding,
                    output_padding=(missing[0], missing[1]),
                ),
                nn.ReLU(),
            ]
        self.convolutions = nn.Sequential(*stack[:-1])

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.convolutions(self.head(codes))
        return logits
