"""The settings of the residual networks, and the size of a code where none is named."""

import math
from typing import Final, Literal, TypeAlias, final

import torch
from pydantic import Field
from torch import nn

from ...core.config import Width
from ..autoencoder import Autoencoder, EncoderDecoderConfig, GenerativeConfig, NetworkConfig, require_size
from ..layers.init import build_seeded
from ..layers.norm import Activation, Norm
from ..priors import PRIORS
from ..refinement import MOST
from .correction import SEEN, Correction
from .linear import BesideLinearDecoder, BesideLinearEncoder
from .residual import ResidualDecoder, ResidualEncoder, Style, Upsampling

LinearPath: TypeAlias = Literal["auto", "on", "off"]

GREY: Final = 10 / 28  # numbers of a code for each pixel of the side of a grey image
COLOUR: Final = 2  # the same of a colour image
FEWEST: Final = 4


def usual_code_size(shape: tuple[int, int, int]) -> int:
    """The size of a code where none is named: in proportion to the side of the images.

    10 numbers for 28x28 grey, 64 for 32x32 colour, 128 for 64x64 colour. The side of an image that is not
    square is that of a square with as many pixels. More channels than three have as many more numbers as the
    root of how many more they are.
    """
    channels, height, width = shape
    side = math.sqrt(height * width)
    a_pixel = GREY if channels == 1 else COLOUR * math.sqrt(channels / 3)
    return max(FEWEST, round(a_pixel * side))


class FittedCodeConfig(EncoderDecoderConfig):
    """The settings of a network whose code follows the images where no size of it is named."""

    code_size: Width = Field(
        default=10,
        description="numbers that an image is compressed to; `--code-size`. Where none is named it follows "
        "the images: 10/28 numbers for each pixel of the side of grey ones, 2 of colour ones",
    )

    def fitted(self, shape: tuple[int, int, int]) -> NetworkConfig:
        if "code_size" in self.model_fields_set:
            return self
        return self.model_copy(update={"code_size": min(usual_code_size(shape), math.prod(shape))})


class _Residual(FittedCodeConfig):
    """What both have."""

    width: Width = Field(
        default=16,
        description="how wide the network is: the smallest maps have four times as many channels, each "
        "larger size half of those",
    )
    blocks: int = Field(default=1, ge=0, le=64, description="residual blocks at each size of the maps")
    norm: Norm = Field(default="group", description="what normalises maps before an activation")
    activation: Activation = Field(default="silu", description="between convolutions")
    upsampling: Upsampling = Field(
        default="shuffle", description="how the decoder enlarges maps: pixel shuffle, or repeated pixels"
    )
    ordered: bool = Field(
        default=False,
        description="the first k numbers of a code are a code of size k, for every k: half of the codes are "
        "decoded in training without their end",
    )
    linear_path: LinearPath = Field(
        default="off",
        description="beside the network, images pass through their principal components, which are computed "
        "from those that are learned from before the first step: on, off, or auto, where the components hold "
        "four fifths of the variance, as those of photographs do",
    )
    corrections: int = Field(
        default=0,
        ge=0,
        le=8,
        description="how often a code is corrected by a second encoder, half as wide, that sees the image, "
        "what the code decodes to, and the difference (iterative amortised inference)",
    )
    refine: int = Field(
        default=0,
        ge=0,
        le=MOST,
        description="Gauss-Newton steps that move each code to one from which its image is decoded better, "
        "whenever images are encoded, but not in training (semi-amortised inference); ordered codes take "
        "none",
    )
    decoder_width: Width | None = Field(
        default=None, description="of the decoder, where it is not that of the encoder"
    )

    @property
    def divisible(self) -> bool:
        return self.norm != "batch"

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> Autoencoder:
        require_size(shape, variational=self.variational)

        def network() -> Autoencoder:
            encoder, decoder = self._halves(shape)
            return Autoencoder(
                encoder,
                decoder,
                *self.distributions(encoder, shape),
                ordered=self.ordered,
                correction=self._correction(shape) if self.corrections else None,
                refine=self.refine,
            )

        return build_seeded(network, generator)

    @property
    def _style(self) -> Style:
        return Style(self.norm, self.activation, self.upsampling, self.blocks)

    def _correction(self, shape: tuple[int, int, int]) -> Correction:
        sizes = (SEEN * shape[0], *shape[1:]), max(1, self.width // 2), self.code_size, self._style
        return Correction(ResidualEncoder(*sizes, variational=self.variational), self.corrections)

    def _halves(self, shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
        """The encoder and the decoder."""
        sizes = shape, self.width, self.code_size, self._style
        encoder = ResidualEncoder(*sizes, variational=self.variational)
        decoder = ResidualDecoder(shape, self.decoder_width or self.width, self.code_size, self._style)
        if self.linear_path != "on":
            return encoder, decoder
        return (
            BesideLinearEncoder(encoder, shape, self.code_size),
            BesideLinearDecoder(decoder, shape, self.code_size),
        )


@final
class ResidualConfig(_Residual):
    """Residual blocks at each size from the image's to about 4x4, a linear layer, and the same backwards."""

    name: Literal["residual"] = "residual"


@final
class ResidualVariationalConfig(_Residual, GenerativeConfig):
    """Residual blocks at each size from the image's to about 4x4, a linear layer, and the same backwards.

    As `residual`, with a Gaussian posterior: a mean and a variance for each number of the code.
    """

    name: Literal["residual-variational"] = "residual-variational"

    @property
    def divisible(self) -> bool:
        return super().divisible and PRIORS[self.prior].divisible
