"""A linear path beside an encoder and a decoder: the principal components of images that are learned from.

A network that is drawn at random needs many steps until it is as good as principal components are from the
first; where images are smooth or few, it never is. Beside them it learns what they leave.
"""

import math
from abc import ABC, abstractmethod
from typing import Final, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.tensor_types import Codes, Images, Logits
from ..layers.im2col import Pair
from ..likelihoods import precise
from ..posteriors import Dirac, Gaussian, Posterior

LARGEST: Final = 32  # pixels of a side that the path sees; larger images are brought to it by area means
EXTREME: Final = 0.01  # a pixel of the path is at least this far from black and from white
NEGLIGIBLE: Final = 1e-3  # share of the largest deviation
BEGINNING: Final = 0.01  # what the network adds at first, beside layers as torch draws them


class LinearPath(ABC, nn.Module):
    """Half of the path: `directions`, a row a number of the code, and the mean image, which have no gradient.

    Until `begin` all directions are zero and the mean image is grey, so the path adds nothing.

    Args:
        network: what learns beside the path.
        shape: channels, height and width of an image.
    """

    directions: Tensor
    mean: Tensor
    down: Tensor
    across: Tensor

    def __init__(self, network: nn.Module, shape: tuple[int, int, int], code_size: int) -> None:
        super().__init__()
        self.network = network
        self.sides: Pair = (shape[1], shape[2])
        self.shape = (shape[0], *(min(side, LARGEST) for side in self.sides))
        features = math.prod(self.shape)
        self.register_buffer("directions", torch.zeros(code_size, features))
        self.register_buffer("mean", torch.full((features,), 0.5))
        for name, side, small in zip(("down", "across"), self.sides, self.shape[1:], strict=True):
            self.register_buffer(name, self._resizing(side, small).contiguous(), persistent=False)

    def begin(self, components: Tensor, mean: Tensor, deviations: Tensor) -> None:
        """Take the principal components of images (`rows_of`), and let the network add little at first.

        Divided by the deviations of these images, each number of their codes has variance 1. Where there are
        fewer components than numbers, the last numbers are the network's alone; so are those of components
        with hardly any deviation: dividing by it would enlarge rounding errors.

        Args:
            components: of length 1, a row each, those with the largest deviations first.
            deviations: of the images along them, or other units for the numbers of the code.
        """
        count = int((deviations > NEGLIGIBLE * deviations[0]).sum())
        with torch.no_grad():
            self.mean.copy_(mean)
            self.directions[:count] = self._scaled(components[:count], deviations[:count, None])
            for weight in self._last(self.network):
                weight.mul_(BEGINNING)

    @abstractmethod
    def _scaled(self, components: Tensor, deviations: Tensor) -> Tensor:
        """The directions from components of length 1 and the deviations along them."""

    @staticmethod
    @abstractmethod
    def _resizing(side: int, small: int) -> Tensor:
        """The matrix that brings a side of maps to the other size."""

    def _resized(self, maps: Tensor) -> Tensor:
        return maps if self.shape[1:] == self.sides else self.down @ maps @ self.across.mT

    @staticmethod
    def _last(network: nn.Module) -> list[nn.Parameter]:
        """The weights of the network's last layer, and its biases."""
        every = list(network.parameters())
        return every[max(place for place, one in enumerate(every) if one.dim() > 1) :]


@final
class BesideLinearEncoder(LinearPath):
    """An encoder whose mean code is moved by that of the path. Arguments as `LinearPath`."""

    @staticmethod
    def _resizing(side: int, small: int) -> Tensor:
        return functional.adaptive_avg_pool1d(torch.eye(side)[None], small)[0].mT

    def rows_of(self, images: Images) -> Tensor:
        """What the path sees of images, a row each."""
        return self._resized(images).flatten(1)

    def _scaled(self, components: Tensor, deviations: Tensor) -> Tensor:
        return components / deviations

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Posterior:
        found: Posterior = self.network(images, generator)
        with torch.autocast(images.device.type, enabled=False):
            rows = self.rows_of(precise(images))
            moved = found.mean + (rows - self.mean) @ self.directions.mT
        return Gaussian(moved, found.log_variance) if isinstance(found, Gaussian) else Dirac(moved)


@final
class BesideLinearDecoder(LinearPath):
    """A decoder whose logits are moved by those of the path's pixels. Arguments as `LinearPath`."""

    @staticmethod
    def _resizing(side: int, small: int) -> Tensor:
        return functional.interpolate(torch.eye(small)[None], size=side, mode="linear")[0].mT

    def _scaled(self, components: Tensor, deviations: Tensor) -> Tensor:
        return components * deviations

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.network(codes)
        with torch.autocast(codes.device.type, enabled=False):
            pixels = self._resized((precise(codes) @ self.directions + self.mean).view(-1, *self.shape))
            pixels = pixels.clamp(EXTREME, 1 - EXTREME)
            moved = precise(logits) + torch.log(pixels / (1 - pixels))
        return moved.contiguous(memory_format=torch.channels_last)
