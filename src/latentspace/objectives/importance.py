"""The importance-weighted bound as an objective, in nats per image."""

import math
from typing import ClassVar, Literal

from pydantic import Field
from torch import nn

from ..data.batches import Batch
from ..models.autoencoder import Passed
from .elbo import elbo
from .loss import Context, Loss, Objective, ObjectiveConfig


def importance_weighted(samples: int) -> Objective:
    """iwae_loss = -log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x): nats per image; with K = 1 it is the ELBO.

    Y. Burda, R. Grosse, R. Salakhutdinov, "Importance Weighted Autoencoders"
    (https://arxiv.org/abs/1509.00519), equation 8. It is minimised, with the model's own terms, as a mean
    over the images; `elbo_loss` is the mean over the same codes. An image is encoded once.

    Raises:
        TypeError: the network has no prior.
    """

    def objective(model: nn.Module, batch: Batch, context: Context) -> Loss:
        passed: Passed = model(batch.inputs, context.generator, samples)
        images = batch.inputs.repeat_interleave(samples, dim=0)
        weights = passed.likelihood.log_prob(passed.logits, images)
        for posterior, codes, prior in passed.latents:
            if prior is None:
                raise TypeError("an importance-weighted bound needs a network with a prior")
            weights = weights + prior.log_prob(codes) - posterior.log_prob(codes)
        of_images = weights.view(-1, samples)
        bound = (of_images.logsumexp(dim=1) - math.log(samples)).mean()
        own = passed.own_terms
        total = sum(own.values(), start=-bound)
        return Loss(total, {"iwae_loss": -bound, "elbo_loss": -weights.mean(), **own})

    return objective


class ImportanceWeightedConfig(ObjectiveConfig):
    """The negative importance-weighted bound of several codes an image; validated as `elbo`."""

    tasks: ClassVar[tuple[str, ...]] = ("vae",)

    name: Literal["importance-weighted"] = "importance-weighted"
    samples: int = Field(default=5, ge=1, le=1000, description="codes drawn for each image")

    @property
    def divisible(self) -> bool:
        return True

    @property
    def training(self) -> Objective:
        return importance_weighted(self.samples)

    @property
    def validation(self) -> Objective:
        return elbo()
