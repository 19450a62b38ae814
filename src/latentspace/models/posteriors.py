"""Posteriors q(code | image): what an encoder says of an image."""

import math
from abc import ABC, abstractmethod
from typing import final

import torch

from ..core.randomness import rows_drawn
from ..core.tensor_types import Codes, PerImage


class Posterior(ABC):
    """A distribution over codes for each image; everything that needs only one code an image reads `mean`."""

    mean: Codes

    @abstractmethod
    def sample(self, generator: torch.Generator | None) -> Codes:
        """One code an image, differentiable in the posterior's parameters."""

    @abstractmethod
    def repeated(self, times: int) -> "Posterior":
        """The same with each image's distribution so many times, one behind the other."""

    @abstractmethod
    def log_prob(self, codes: Codes) -> PerImage:
        """The logarithm of the density at `codes`, in nats."""

    @abstractmethod
    def moved_to(self, mean: Codes) -> "Posterior":
        """The same around other codes."""


@final
class Dirac(Posterior):
    """All mass on one code: the posterior of a plain autoencoder."""

    def __init__(self, mean: Codes) -> None:
        self.mean = mean

    def sample(self, generator: torch.Generator | None) -> Codes:  # noqa: ARG002 - nothing is drawn
        return self.mean

    def repeated(self, times: int) -> "Dirac":
        return Dirac(self.mean.repeat_interleave(times, dim=0))

    def moved_to(self, mean: Codes) -> "Dirac":
        return Dirac(mean)

    def log_prob(self, codes: Codes) -> PerImage:
        """Infinite at the mean, minus infinite elsewhere: a point has no density."""
        at_mean = (codes == self.mean).all(dim=1)
        return torch.where(at_mean, torch.inf, -torch.inf)


@final
class Gaussian(Posterior):
    """A diagonal Gaussian: the posterior of a variational autoencoder (https://arxiv.org/abs/1312.6114).

    Args:
        mean: of the codes; `mu` in the literature.
        log_variance: of the codes, `logvar`; natural logarithm.
    """

    def __init__(self, mean: Codes, log_variance: Codes) -> None:
        self.mean = mean
        self.log_variance = log_variance

    def sample(self, generator: torch.Generator | None) -> Codes:
        """Mean + std * e with e ~ N(0, I): the reparameterisation of the same paper, section 2.4."""
        if generator is None:
            raise TypeError("a Gaussian posterior draws from a generator: give it one")
        mean = self.mean
        noise = rows_drawn(
            lambda rows: torch.randn(
                (rows, *mean.shape[1:]), generator=generator, device=mean.device, dtype=mean.dtype
            ),
            len(mean),
        )
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def repeated(self, times: int) -> "Gaussian":
        mean, log_variance = (one.repeat_interleave(times, dim=0) for one in (self.mean, self.log_variance))
        return Gaussian(mean, log_variance)

    def moved_to(self, mean: Codes) -> "Gaussian":
        return Gaussian(mean, self.log_variance)

    def log_prob(self, codes: Codes) -> PerImage:
        scaled = (codes - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (scaled + self.log_variance + math.log(2 * math.pi)).sum(dim=1)
