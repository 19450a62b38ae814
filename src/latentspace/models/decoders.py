"""Convolutional stacks: codes -> the logits of an image's pixels.

A decoder walks its encoder backwards. Each transposed convolution gives back exactly the side that its
twin was given, so images come out at the size they went in, odd sizes too. Decoders end in logits; the
sigmoid that brings pixels into [0, 1] is `Autoencoder.decode`'s.
"""

from typing import final

from torch import Tensor, nn

from ..core.tensor_types import Codes, Logits
from .encoders import ConvolutionalEncoder, VariationalEncoder
from .layers.conv import ConvTranspose2d, Unflatten


@final
class ConvolutionalDecoder(nn.Module):
    """Two linear layers, then three transposed convolutions; ReLU between all.

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
        height, width = encoder.stages[-1].small
        self.head = nn.Sequential(
            nn.Linear(code_size, neurons),
            nn.ReLU(),
            nn.Linear(neurons, channels[-1] * height * width),
            nn.ReLU(),
            Unflatten(channels[-1], (height, width)),
        )
        self.convolutions = mirrored(encoder, (shape[0], *channels))

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.convolutions(self.head(codes))
        return logits


@final
class VariationalDecoder(nn.Module):
    """One linear layer, then two transposed convolutions with a ReLU between; no dropout (section 5.1).

    Args:
        encoder: the stack to mirror, for its sides.
        shape, channels, code_size: as the encoder's.
    """

    def __init__(
        self,
        encoder: VariationalEncoder,
        shape: tuple[int, int, int],
        channels: tuple[int, int],
        code_size: int,
    ) -> None:
        super().__init__()
        height, width = encoder.stages[-1].small
        self.head = nn.Sequential(
            nn.Linear(code_size, channels[-1] * height * width),
            Unflatten(channels[-1], (height, width)),
        )
        self.convolutions = mirrored(encoder, (shape[0], *channels))

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.convolutions(self.head(codes))
        return logits


def mirrored(encoder: ConvolutionalEncoder | VariationalEncoder, widths: tuple[int, ...]) -> nn.Sequential:
    """The transposed convolutions that undo the encoder's strides, ReLU between them.

    Args:
        widths: the channels at every stage, the image's own first.
    """
    stack: list[nn.Module] = []
    for depth, stage in reversed(list(enumerate(encoder.stages))):
        stack.append(
            ConvTranspose2d(
                widths[depth + 1],
                widths[depth],
                stage.kernel,
                stride=stage.stride,
                padding=stage.padding,
                output_padding=stage.output_padding,
                relu=depth > 0,
            )
        )
    return nn.Sequential(*stack)
