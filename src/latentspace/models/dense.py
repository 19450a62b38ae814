"""Dense layers over all numbers of an image: for small images, and for data that are no images."""

import math
from itertools import pairwise
from typing import Literal, final

import torch
from pydantic import Field
from torch import Tensor, nn

from ..core.config import Width
from ..core.tensor_types import Codes, Images, Logits
from .autoencoder import Autoencoder, GenerativeConfig
from .layers.init import build_seeded
from .posteriors import Dirac, Gaussian, Posterior
from .stacks.family import FittedCodeConfig


class _Dense(FittedCodeConfig):
    """What both have."""

    neurons: Width = Field(default=128, description="of each hidden layer")
    hidden_layers: int = Field(default=2, ge=0, le=64, description="before the code, and as many behind it")

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> Autoencoder:
        hidden = [self.neurons] * self.hidden_layers

        def network() -> Autoencoder:
            encoder = DenseEncoder(shape, hidden, self.code_size, variational=self.variational)
            decoder = DenseDecoder(shape, hidden, self.code_size)
            return Autoencoder(encoder, decoder, *self.distributions(encoder, shape))

        return build_seeded(network, generator)


@final
class DenseConfig(_Dense):
    """Dense layers, SiLU between them, and the same backwards: for images of any size, and other data."""

    name: Literal["dense"] = "dense"


@final
class DenseVariationalConfig(_Dense, GenerativeConfig):
    """Dense layers, SiLU between them, and the same backwards: for images of any size, and other data.

    As `dense`, with a Gaussian posterior: a mean and a variance for each number of the code.
    """

    name: Literal["dense-variational"] = "dense-variational"


@final
class DenseEncoder(nn.Module):
    """Images -> a posterior over codes.

    Args:
        shape: channels, height and width of an image.
        hidden: the neurons of each hidden layer.
        variational: whether the posterior has a variance.
    """

    def __init__(
        self, shape: tuple[int, int, int], hidden: list[int], code_size: int, *, variational: bool
    ) -> None:
        super().__init__()
        self.layers = dense([math.prod(shape), *hidden, 2 * code_size if variational else code_size])
        self.variational = variational

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Posterior:  # noqa: ARG002
        found: Tensor = self.layers(images.flatten(1))
        return Gaussian(*found.chunk(2, dim=1)) if self.variational else Dirac(found)


@final
class DenseDecoder(nn.Module):
    """Codes -> the logits of pixels; arguments as the encoder's, whose layers it has backwards."""

    def __init__(self, shape: tuple[int, int, int], hidden: list[int], code_size: int) -> None:
        super().__init__()
        self.layers = dense([code_size, *reversed(hidden), math.prod(shape)])
        self.shape = shape

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.layers(codes).unflatten(1, self.shape)
        return logits


def dense(widths: list[int]) -> nn.Sequential:
    """Linear layers of these widths, SiLU between them."""
    stack: list[nn.Module] = []
    for before, after in pairwise(widths):
        stack += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*stack[:-1])
