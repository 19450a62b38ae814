"""What tests need that call an objective themselves."""

import torch

from latentspace.core.randomness import generator
from latentspace.models.likelihoods import Bernoulli
from latentspace.objectives.loss import Context


def drawing(seed: int = 0, epoch: int = 0) -> Context:
    """The context of one batch: what is drawn is a function of the seed."""
    return Context(generator(seed, "noise"), images=100, epoch=epoch)


def bce_per_image(logits: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, summed over an image's pixels."""
    return -Bernoulli().log_prob(logits, images)


def random_maps(count: int, channels: int, sides: tuple[int, int]) -> torch.Tensor:
    """The same normal numbers each time, in float64."""
    return torch.randn(count, channels, *sides, dtype=torch.float64, generator=generator(1, "sample"))
