"""ELBO: the evidence lower bound of a variational autoencoder, in nats per image."""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from ..core.config import CountOrNone
from ..core.tensor_types import Scalar
from ..data.batches import Batch
from ..models.autoencoder import Passed
from .loss import Context, Loss, Objective, ObjectiveConfig


def elbo(beta: float = 1.0, warm_up: int = 0, free_bits: float = 0.0) -> Objective:
    """Total = nll + beta * max(kl, free bits); elbo_loss = nll + kl, the negative ELBO with one sampled code.

    `nll` is -log p(image | code) summed over pixels, under the name that the likelihood gives it (`bce` for
    Bernoulli pixels); `kl` is the divergence of the posteriors from their priors, over all latents; both are
    means over the images, in nats (https://arxiv.org/abs/1312.6114, equation 10).
    beta: https://openreview.net/forum?id=Sy2fzU9gl. Free bits: a dimension whose mean over the batch lies
    under `free_bits` nats is not pressed further (https://arxiv.org/abs/1606.04934, C.8); without a closed
    form of the prior, which leaves one term for an image, nor are all together under as many times that.
    """

    def objective(model: nn.Module, batch: Batch, context: Context) -> Loss:
        passed: Passed = model(batch.inputs, context.generator)
        nll = -passed.likelihood.log_prob(passed.logits, batch.inputs).mean()
        terms = [latent.kl_terms().mean(dim=0) for latent in passed.latents]
        kl = _total([one.sum() for one in terms])
        pressed = kl
        if free_bits:
            pairs = zip(terms, passed.latents, strict=True)
            pressed = _total([_at_least(free_bits, one, latent.codes).sum() for one, latent in pairs])
        own = passed.own_terms
        weight = warmed_up(beta, warm_up, context.epoch)
        total = sum(own.values(), start=nll + weight * pressed)
        return Loss(total, {passed.likelihood.name: nll, "kl": kl, "elbo_loss": nll + kl, **own})

    return objective


def _at_least(free_bits: float, terms: Tensor, codes: Tensor) -> Tensor:
    """Terms over the images, none under the free bits of the dimensions that it is of."""
    return terms.clamp(min=free_bits * (codes[0].numel() // terms.numel()))


def _total(terms: list[Scalar]) -> Scalar:
    first, *others = terms
    return sum(others, start=first)


def warmed_up(beta: float, epochs: int, epoch: int) -> float:
    """Beta in an epoch counted from 1, when it rises in equal steps to its full value in epoch `epochs`."""
    return beta if epochs == 0 else beta * min(1.0, epoch / epochs)


class ElboConfig(ObjectiveConfig):
    """The negative ELBO: what the decoded image loses, over pixels, plus the divergence from the prior."""

    name: Literal["elbo"] = "elbo"
    beta: float = Field(default=1.0, ge=0, description="weight of the divergence")
    warm_up: CountOrNone = Field(
        default=0, description="epochs over which that weight rises from 0 in equal steps"
    )
    free_bits: float = Field(
        default=0.0,
        ge=0,
        description="nats per dimension below which the divergence is not reduced further; with another "
        "prior than N(0, I) as many times that for all together",
    )

    @property
    def divisible(self) -> bool:
        return self.free_bits == 0

    @property
    def training(self) -> Objective:
        return elbo(self.beta, self.warm_up, self.free_bits)

    @property
    def validation(self) -> Objective:
        return elbo()
