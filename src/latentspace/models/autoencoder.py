"""The autoencoder: encode -> Posterior, decode -> images. One class for the plain and the variational one."""

from typing import Any, NamedTuple, final

import torch
from pydantic import Field
from torch import nn

from ..core.config import Config, Width
from ..core.errors import ConfigurationError
from ..core.tensor_types import Codes, Images, Logits
from ..core.wording import option
from .decoders import ConvolutionalDecoder, VariationalDecoder
from .encoders import ConvolutionalEncoder, VariationalEncoder
from .layers.conv import initialise
from .posteriors import Posterior

SMALLEST_SIDE = 8  # three halvings leave one pixel of it
CODE_SIZE: Any = Field(default=10, description="numbers that an image is compressed to; `--code-size`")


class AutoencoderConfig(Config):
    """The report's section 2.1; the defaults are the best parameters that it published."""

    code_size: Width = CODE_SIZE
    conv1_channels: Width = Field(default=64, description="of the encoder's first convolution")
    conv2_channels: Width = Field(default=128, description="of its second")
    conv3_channels: Width = Field(default=128, description="of its third")
    neurons: Width = Field(default=128, description="of the linear layer between convolutions and code")

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> "Autoencoder":
        """A new network on the CPU, its weights drawn from `generator`.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images with a side under 8 pixels.
        """
        require_size(shape)
        channels = (self.conv1_channels, self.conv2_channels, self.conv3_channels)
        with torch.device("meta"):  # no memory, and no draw from the global generator
            encoder = ConvolutionalEncoder(shape, channels, self.neurons, self.code_size)
            decoder = ConvolutionalDecoder(encoder, shape, channels, self.neurons, self.code_size)
            model = Autoencoder(encoder, decoder)
        return drawn(model, generator)


class VariationalConfig(Config):
    """The report's section 5.1 and its parameters."""

    code_size: Width = CODE_SIZE
    conv1_channels: Width = Field(default=200, description="of the encoder's first convolution")
    conv2_channels: Width = Field(default=400, description="of its second")
    dropout: float = Field(
        default=0.3,
        ge=0,
        lt=1,
        description="chance that a value is left out after each convolution of the encoder",
    )

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> "Autoencoder":
        """As `AutoencoderConfig.build`."""
        require_size(shape)
        channels = (self.conv1_channels, self.conv2_channels)
        with torch.device("meta"):
            encoder = VariationalEncoder(shape, channels, self.dropout, self.code_size)
            decoder = VariationalDecoder(encoder, shape, channels, self.code_size)
            model = Autoencoder(encoder, decoder)
        return drawn(model, generator)


class Passed(NamedTuple):
    """What one pass through an autoencoder leaves: the posterior, the codes decoded, their logits."""

    posterior: Posterior
    codes: Codes
    logits: Logits


@final
class Autoencoder(nn.Module):
    """An encoder and a decoder. `forward` is what training calls: one pass, everything an objective needs."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, images: Images, generator: torch.Generator | None = None) -> Posterior:
        """The generator is drawn from by dropout alone, in training."""
        posterior: Posterior = self.encoder(images, generator)
        return posterior

    def decode(self, codes: Codes) -> Images:
        """Pixels in [0, 1]."""
        return torch.sigmoid(self.decoder(codes))

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Passed:
        posterior = self.encode(images, generator)
        codes = posterior.sample(generator)
        return Passed(posterior, codes, self.decoder(codes))


def require_size(shape: tuple[int, int, int]) -> None:
    """Raises: ConfigurationError: images with a side under 8 pixels."""
    if min(shape[1:]) < SMALLEST_SIDE:
        raise ConfigurationError(
            f"images must be at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels for strided convolutions",
            found=f"{shape[1]}x{shape[2]}",
            do=f"enlarge them, for example with {option('resize', (2 * SMALLEST_SIDE,) * 2)}",
        )


def drawn(model: Autoencoder, generator: torch.Generator) -> Autoencoder:
    """A network planned on the meta device -> the same on the CPU, with its weights."""
    model.to_empty(device="cpu")
    initialise(model, generator)
    return model
