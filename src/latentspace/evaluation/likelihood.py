"""What an autoencoder with a prior says of images: bounds on their likelihood, and how it uses its codes.

Sums are in float64 and so on the CPU: Apple GPUs have none.
"""

import math
from collections.abc import Callable, Iterator

import torch

from ..core.devices import exact
from ..core.tensor_types import Codes, Images, KLTerms, PerImage
from ..data.batches import Batches, told_of
from ..models.autoencoder import Autoencoder, Latent
from ..models.posteriors import Gaussian, Posterior
from ..models.priors import Prior, StandardNormal

BATCH = 256
ACTIVE = 0.01  # the threshold of Burda et al., section 5.2, on the variance of a dimension's posterior mean


@torch.no_grad()
@exact()
def mean_code_loss(model: Autoencoder, held: Batches, noise: torch.Generator) -> float:
    """-log p(image | mean code) + kl, in nats per image: a test loss that some publish; it bounds nothing.

    Args:
        noise: what a code is drawn by for the divergence from a prior without a closed form.
    """
    total = 0.0
    for images in _batches(held, "mean codes decoded"):
        posterior = model.eval().encode(images)
        kl = Latent(posterior, posterior.sample(noise), model.prior).kl_terms().sum(dim=1)
        losses = kl - model.likelihood.log_prob(model.decoder(posterior.mean), images)
        total += float(losses.cpu().double().sum())
    return total / held.images


def importance_weighted_bound(
    log_likelihood: Callable[[Codes], PerImage],
    posterior: Posterior,
    samples: int,
    noise: torch.Generator,
    log_prior: Callable[[Codes], PerImage],
) -> PerImage:
    """Log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x) with z_k ~ q(z | x), nats per image, float64 on the CPU.

    A lower bound on log p(x) in expectation, that tightens as K = `samples` grows; with K = 1 it is the
    ELBO with one sampled code (https://arxiv.org/abs/1509.00519, equation 8 and theorem 1).

    Args:
        log_likelihood: a code of each image -> log p(x | z).
        log_prior: the same codes -> log p(z).
    """
    weights = []
    for _ in range(samples):
        codes = posterior.sample(noise)
        weights.append(log_likelihood(codes) + log_prior(codes) - posterior.log_prob(codes))
    return torch.stack(weights).cpu().double().logsumexp(dim=0) - math.log(samples)


@torch.no_grad()
@exact()
def importance_weighted_loss(
    model: Autoencoder, held: Batches, samples: int, noise: torch.Generator
) -> float:
    """The mean over the images of -`importance_weighted_bound`, in nats per image; lower is better.

    With the network's own likelihood and prior, as in training.
    """
    prior = required_prior(model)
    total = 0.0
    for images in _batches(held, "images with an importance-weighted bound"):

        def log_likelihood(codes: Codes, images: Images = images) -> PerImage:
            return model.likelihood.log_prob(model.decoder(codes), images)

        posterior = model.eval().encode(images)
        total -= float(
            importance_weighted_bound(log_likelihood, posterior, samples, noise, prior.log_prob).sum()
        )
    return total / held.images


def divergence_by_dimension(prior: Prior, posteriors: Gaussian) -> KLTerms:
    """How much each number of a code says of its image: images x code size, in nats.

    The divergence of its posterior from N(0, 1) where that is the prior. Other priors have no
    divergence of one number alone: there it is from the Gaussian with the mean and the variance of all these
    images' codes in it.

    Args:
        posteriors: of all images at once.
    """
    if isinstance(prior, StandardNormal):
        return prior.kl_terms(posteriors, posteriors.mean)
    mean, own = posteriors.mean, posteriors.log_variance.exp()
    variance = own.mean(dim=0) + mean.var(dim=0, correction=0)
    distance = (own + (mean - mean.mean(dim=0)).square()) / variance
    return 0.5 * (distance - 1 + variance.log() - posteriors.log_variance)


@torch.no_grad()
@exact()
def posterior_record(model: Autoencoder, held: Batches) -> dict[str, int | list[float]]:
    """kl_per_dimension: mean over the images, in nats; active_units: dimensions that the images move.

    The first is `divergence_by_dimension`, and left out where posteriors are no Gaussians. A dimension is
    active where the variance of its posterior mean over the images is above 0.01
    (https://arxiv.org/abs/1509.00519, 5.2).
    """
    moments = []
    for images in _batches(held, "posteriors"):
        posterior = model.eval().encode(images)
        mean = posterior.mean.cpu().double()
        each = [mean, mean.square()]
        if isinstance(posterior, Gaussian):
            log_variance = posterior.log_variance.cpu().double()
            each += [log_variance.exp(), log_variance]
        moments.append(torch.stack(each).sum(dim=1))
    mean, square, *own = torch.stack(moments).sum(dim=0) / held.images
    active: dict[str, int | list[float]] = {"active_units": int((square - mean.square() > ACTIVE).sum())}
    if not own:
        return active
    variance, log_variance = own
    if isinstance(required_prior(model), StandardNormal):
        terms = 0.5 * (square + variance - 1 - log_variance)
    else:
        terms = 0.5 * ((square + variance - mean.square()).log() - log_variance)
    return {"kl_per_dimension": terms.tolist(), **active}


def _batches(held: Batches, what: str) -> Iterator[Images]:
    for batch in told_of(held, BATCH, what):
        yield batch.inputs


def required_prior(model: Autoencoder) -> Prior:
    """The network's prior.

    Raises:
        TypeError: the network has none.
    """
    if model.prior is None:
        raise TypeError("a likelihood needs a prior of the codes")
    return model.prior
