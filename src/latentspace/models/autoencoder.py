"""The autoencoder: encode -> Posterior, decode -> images."""

from typing import NamedTuple, final

import torch
from pydantic import Field
from torch import nn

from ..configuration import Config
from ..errors import ConfigurationError
from ..types import Codes, Images, Logits
from .decoders import ConvolutionalDecoder
from .encoders import ConvolutionalEncoder
from .layers import initialise
from .posterior import Dirac, Posterior

SMALLEST_SIDE = 16  # three halvings, the last without padding, leave one pixel of it


class AutoencoderConfig(Config):
    """The report's section 2.1; the defaults are the best parameters that it published."""

    code_size: int = Field(default=10, ge=1, description="numbers that an image is compressed to")
    conv1_channels: int = Field(default=64, ge=1)
    conv2_channels: int = Field(default=128, ge=1)
    conv3_channels: int = Field(default=128, ge=1)
    neurons: int = Field(default=128, ge=1, description="of the fully connected layer between")


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

    @classmethod
    def build(
        cls, config: AutoencoderConfig, shape: tuple[int, int, int], generator: torch.Generator
    ) -> "Autoencoder":
        """A new network on the CPU, its weights drawn from `generator`.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images with a side under 16 pixels.
        """
        if min(shape[1:]) < SMALLEST_SIDE:
            raise ConfigurationError(
                f"images must be at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels "
                "for three strided convolutions",
                found=f"{shape[1]}x{shape[2]}",
                do=f"enlarge them, for example with --resize {SMALLEST_SIDE * 2}x{SMALLEST_SIDE * 2}",
            )
        channels = (config.conv1_channels, config.conv2_channels, config.conv3_channels)
        with torch.device("meta"):  # no memory, and no draw from the global generator
            encoder = ConvolutionalEncoder(shape, channels, config.neurons, config.code_size)
            decoder = ConvolutionalDecoder(encoder, shape, channels, config.neurons, config.code_size)
            model = cls(encoder, decoder)
        model.to_empty(device="cpu")
        initialise(model, generator)
        return model

    def encode(self, images: Images) -> Posterior:
        return Dirac(self.encoder(images))

    def decode(self, codes: Codes) -> Images:
        """Pixels in [0, 1]."""
        return torch.sigmoid(self.decoder(codes))

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Passed:
        posterior = self.encode(images)
        codes = posterior.sample(generator)
        return Passed(posterior, codes, self.decoder(codes))
