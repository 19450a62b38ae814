"""What an encoder says of an image: a distribution over codes."""

from abc import ABC, abstractmethod
from typing import final

import torch

from ..types import Codes, PerImage


class Posterior(ABC):
    """q(code | image) for a batch; everything that only needs one code an image reads `mean`."""

    mean: Codes

    @abstractmethod
    def sample(self, generator: torch.Generator | None) -> Codes:
        """One code an image, differentiable in the posterior's parameters."""

    @abstractmethod
    def kl(self) -> PerImage:
        """The divergence from the posterior to the prior N(0, I), in nats an image."""


@final
class Dirac(Posterior):
    """All mass on one code: the posterior of a plain autoencoder."""

    def __init__(self, mean: Codes) -> None:
        self.mean = mean

    def sample(self, generator: torch.Generator | None) -> Codes:  # noqa: ARG002 - nothing is drawn
        return self.mean

    def kl(self) -> PerImage:
        """Infinite: a point has no density with respect to a Gaussian."""
        return torch.full_like(self.mean[:, 0], torch.inf)
