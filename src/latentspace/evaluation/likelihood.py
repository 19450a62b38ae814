"""What a variational autoencoder says of images: bounds on their likelihood, and how it uses its codes.

Sums are in float64 and so on the CPU: Apple GPUs have none.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch

from ..core.tensor_types import Codes, Images, PerImage
from ..data.batches import Batches, told_of
from ..models.autoencoder import Autoencoder
from ..models.posteriors import Gaussian, prior_log_prob
from ..objectives.elbo import bce_per_image

BATCH = 256
ACTIVE = 0.01  # the threshold of Burda et al., section 5.2, on the variance of a dimension's posterior mean


@torch.no_grad()
def mean_code_loss(model: Autoencoder, held: Batches) -> float:
    """The report's test loss: bce of the decoded mean code + kl, in nats an image; no bound on anything."""
    total = 0.0
    for images in _batches(held, "mean codes decoded"):
        posterior = _posterior(model, images)
        losses = bce_per_image(model.decoder(posterior.mean), images) + posterior.kl()
        total += float(losses.cpu().double().sum())
    return total / held.images


def importance_weighted_bound(
    log_likelihood: Callable[[Codes], PerImage],
    posterior: Gaussian,
    samples: int,
    noise: torch.Generator,
    log_prior: Callable[[Codes], PerImage] = prior_log_prob,
) -> PerImage:
    """Log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x) with z_k ~ q(z | x), in nats an image, float64 on the CPU.

    A lower bound on log p(x) in expectation, that tightens as K = `samples` grows; with K = 1 it is the
    ELBO with one sampled code (https://arxiv.org/abs/1509.00519, equation 8 and theorem 1).

    Args:
        log_likelihood: code of each image -> log p(x | z).
    """
    weights = []
    for _ in range(samples):
        codes = posterior.sample(noise)
        weights.append(log_likelihood(codes) + log_prior(codes) - posterior.log_prob(codes))
    return torch.stack(weights).cpu().double().logsumexp(dim=0) - math.log(samples)


@torch.no_grad()
def importance_weighted_loss(
    model: Autoencoder, held: Batches, samples: int, noise: torch.Generator
) -> float:
    """The mean over the images of -`importance_weighted_bound`, in nats an image; lower is better.

    The pixels are taken as Bernoulli and the prior as N(0, I), as in training.
    """
    total = 0.0
    for images in _batches(held, "images with an importance-weighted bound"):
        log_likelihood = partial(_bernoulli, model, images)
        bound = importance_weighted_bound(log_likelihood, _posterior(model, images), samples, noise)
        total -= float(bound.sum())
    return total / held.images


def _bernoulli(model: Autoencoder, images: Images, codes: Codes) -> PerImage:
    """Log p(x | z) with independent Bernoulli pixels, in nats an image."""
    return -bce_per_image(model.decoder(codes), images)


@torch.no_grad()
def posterior_record(model: Autoencoder, held: Batches) -> dict[str, int | list[float]]:
    """kl_per_dimension: mean over the images, in nats; active_units: dimensions that the images move.

    A dimension is active where the variance of its posterior mean over the images is above 0.01
    (https://arxiv.org/abs/1509.00519, section 5.2).
    """
    sums = []
    for images in _batches(held, "posteriors"):
        posterior = _posterior(model, images)
        mean = posterior.mean.cpu().double()
        divergences = posterior.kl_per_dimension().cpu().double()
        sums.append(torch.stack([divergences, mean, mean.square()]).sum(dim=1))
    divergence, mean, square = torch.stack(sums).sum(dim=0) / held.images
    return {
        "kl_per_dimension": divergence.tolist(),
        "active_units": int((square - mean.square() > ACTIVE).sum()),
    }


def _batches(held: Batches, what: str) -> Iterator[Images]:
    for batch in told_of(held, BATCH, what):
        yield batch.inputs


def _posterior(model: Autoencoder, images: Images) -> Gaussian:
    posterior = model.eval().encode(images)
    if not isinstance(posterior, Gaussian):
        raise TypeError(f"a likelihood needs a Gaussian posterior, not a {type(posterior).__name__}")
    return posterior
