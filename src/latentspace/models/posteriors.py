"""What an encoder says of an image: a distribution over codes."""

import math
from abc import ABC, abstractmethod
from typing import final

import torch

from ..core.tensor_types import Codes, PerImage


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


@final
class Gaussian(Posterior):
    """A diagonal Gaussian: the posterior of a variational autoencoder (https://arxiv.org/abs/1312.6114).

    Args:
        mean: the report's `mu`.
        log_variance: the report's `logvar`; natural logarithm.
    """

    def __init__(self, mean: Codes, log_variance: Codes) -> None:
        self.mean = mean
        self.log_variance = log_variance

    def sample(self, generator: torch.Generator | None) -> Codes:
        """Mean + std * e with e ~ N(0, I): the reparameterisation of the same paper, section 2.4."""
        if generator is None:
            raise TypeError("a Gaussian posterior draws from a generator: give it one")
        noise = torch.randn(
            self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype
        )
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def kl_per_dimension(self) -> Codes:
        """1/2 (mean^2 + variance - 1 - log variance), in nats; appendix B of the same paper."""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance)

    def kl(self) -> PerImage:
        return self.kl_per_dimension().sum(dim=1)

    def log_prob(self, codes: Codes) -> PerImage:
        """The logarithm of the density at `codes`, in nats."""
        return _normal_log_prob(codes, self.mean, self.log_variance)


def prior_log_prob(codes: Codes) -> PerImage:
    """The logarithm of the prior's density, N(0, I), in nats."""
    return _normal_log_prob(codes, torch.zeros_like(codes), torch.zeros_like(codes))


def _normal_log_prob(codes: Codes, mean: Codes, log_variance: Codes) -> PerImage:
    scaled = (codes - mean).square() * torch.exp(-log_variance)
    return -0.5 * (scaled + log_variance + math.log(2 * math.pi)).sum(dim=1)
