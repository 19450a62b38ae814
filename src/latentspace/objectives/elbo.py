"""ELBO: the evidence lower bound of a variational autoencoder, with Bernoulli pixels, in nats an image."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..core.tensor_types import Images, Logits, PerImage
from ..data.batches import Batch
from ..models.posteriors import Gaussian
from .loss import Loss, Objective


def bce_per_image(logits: Logits, images: Images) -> PerImage:
    """Binary cross-entropy summed over channels and pixels, in nats an image, computed from logits."""
    losses = binary_cross_entropy_with_logits(logits.float(), images, reduction="none")
    return losses.flatten(1).sum(dim=1)


def elbo(beta: float = 1.0, free_bits: float = 0.0) -> Objective:
    """Total = bce + beta * max(kl, free bits); elbo_loss = bce + kl, the negative ELBO with one sampled code.

    `bce` is the binary cross-entropy summed over pixels, `kl` the divergence of the posterior from N(0, I);
    both are means over the images, in nats (https://arxiv.org/abs/1312.6114, equation 10; the report's
    section 5.1). beta: https://openreview.net/forum?id=Sy2fzU9gl. Free bits: a dimension whose mean KL over
    the batch lies under `free_bits` nats is not pressed further (https://arxiv.org/abs/1606.04934, C.8).
    """

    def objective(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:
        passed = model(batch.inputs, generator)
        posterior: Gaussian = passed.posterior
        bce = bce_per_image(passed.logits, batch.inputs).mean()
        dimensions = posterior.kl_per_dimension().mean(dim=0)
        kl = dimensions.sum()
        pressed = dimensions.clamp(min=free_bits).sum() if free_bits else kl
        return Loss(bce + beta * pressed, {"bce": bce, "kl": kl, "elbo_loss": bce + kl})

    return objective


def warmed_up(beta: float, epochs: int, epoch: int) -> float:
    """Beta in an epoch counted from 1, when it rises in equal steps to its full value in epoch `epochs`."""
    return beta if epochs == 0 else beta * min(1.0, epoch / epochs)
