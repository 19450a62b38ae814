"""Likelihoods p(image | code): what a decoder's output says of pixels."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..core.registry import Registry
from ..core.tensor_types import Images, Logits, PerImage


class Likelihood(ABC, nn.Module):
    """Independent pixels in [0, 1], given what a decoder puts out for each (`logits`, any real number)."""

    name: ClassVar[str]
    """The name of -log p(image | code) among an objective's terms and a run's metrics."""

    @abstractmethod
    def log_prob(self, logits: Logits, images: Images) -> PerImage:
        """Log p(image | code), summed over channels and pixels, in nats per image."""

    def mean(self, logits: Logits) -> Images:
        """The expected pixels, in [0, 1]: what is shown as the decoded image."""
        return torch.sigmoid(logits)

    def curvature(self, logits: Logits) -> Logits:
        """How -log p(image | code) is bent in each logit, at least 0, if pixels were as expected.

        That is their Fisher information, here of Bernoulli pixels. It weighs the steps of `refinement`; one
        from weights that do not suit gains less, and is not taken where it gains nothing.
        """
        pixels = self.mean(precise(logits))
        return pixels * (1 - pixels)


@final
class Bernoulli(Likelihood):
    """A pixel is white with chance sigmoid(logit); grey pixels count as chances themselves."""

    name = "bce"

    def log_prob(self, logits: Logits, images: Images) -> PerImage:
        """Minus the binary cross-entropy, computed from logits."""
        losses = binary_cross_entropy_with_logits(precise(logits), images, reduction="none")
        return -losses.flatten(1).sum(dim=1)


@final
class Gaussian(Likelihood):
    """A pixel is N(sigmoid(logit), s^2), with one s for all pixels that is learned with the other weights.

    O. Rybkin, K. Daniilidis, S. Levine, "Simple and Effective VAE Training with Calibrated Decoders"
    (https://arxiv.org/abs/2006.13202).
    """

    name = "gaussian_nll"

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.log_scale, math.log(0.5))  # a pixel's spread where nothing is known

    def log_prob(self, logits: Logits, images: Images) -> PerImage:
        scaled = (images - self.mean(precise(logits))) * torch.exp(-self.log_scale)
        densities = -0.5 * scaled.square() - self.log_scale - 0.5 * math.log(2 * math.pi)
        return densities.flatten(1).sum(dim=1)

    def curvature(self, logits: Logits) -> Logits:
        return super().curvature(logits).square() * torch.exp(-2 * self.log_scale)


@final
class MeanSquared(Likelihood):
    """No distribution: minus the squared error, for an autoencoder that is trained on that alone."""

    name = "squared_error"

    def log_prob(self, logits: Logits, images: Images) -> PerImage:
        """Minus the squared error, summed over channels and pixels; no unit, and no density."""
        return -(images - self.mean(precise(logits))).square().flatten(1).sum(dim=1)

    def curvature(self, logits: Logits) -> Logits:
        return 2 * super().curvature(logits).square()


def precise(values: Tensor) -> Tensor:
    """In float32, but for what is in float64."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


LIKELIHOODS: Registry[type[Likelihood]] = Registry(
    "likelihood",
    {
        "bernoulli": f"{__name__}:Bernoulli",
        "gaussian": f"{__name__}:Gaussian",
        "mean-squared": f"{__name__}:MeanSquared",
    },
)
