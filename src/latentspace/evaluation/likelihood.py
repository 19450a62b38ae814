"""What a variational autoencoder says of images: bounds on their likelihood, and how it uses its codes."""

import math
from collections.abc import Iterator

import torch

from ..data.batches import ResidentSet
from ..models.autoencoder import Autoencoder
from ..models.posterior import Gaussian, prior_log_prob
from ..objectives.elbo import bce_per_image
from ..types import Images, Resident

BATCH = 256
ACTIVE = 0.01  # the threshold of Burda et al., section 5.2, on the variance of a dimension's posterior mean


@torch.no_grad()
def mean_code_loss(model: Autoencoder, pixels: Resident, device: torch.device) -> float:
    """The report's test loss: bce of the decoded mean code + kl, in nats an image. Not a bound on anything."""
    total = 0.0
    for images in _batches(pixels, device):
        posterior = _posterior(model, images)
        losses = bce_per_image(model.decoder(posterior.mean), images) + posterior.kl()
        total += float(losses.double().sum())
    return total / len(pixels)


@torch.no_grad()
def importance_weighted_loss(
    model: Autoencoder, pixels: Resident, samples: int, noise: torch.Generator
) -> float:
    """-log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x), z_k ~ q(z | x), in nats an image.

    An upper bound on -log p(x) that tightens as K = `samples` grows; K = 1 is the negative ELBO
    (https://arxiv.org/abs/1509.00519, equation 8). The pixels are taken as Bernoulli, as in training.
    """
    device, total = noise.device, 0.0
    for images in _batches(pixels, device):
        posterior = _posterior(model, images)
        weights = []
        for _ in range(samples):
            codes = posterior.sample(noise)
            log_likelihood = -bce_per_image(model.decoder(codes), images)
            weights.append(log_likelihood + prior_log_prob(codes) - posterior.log_prob(codes))
        bound = torch.stack(weights).double().logsumexp(dim=0) - math.log(samples)
        total -= float(bound.sum())
    return total / len(pixels)


@torch.no_grad()
def posterior_record(
    model: Autoencoder, pixels: Resident, device: torch.device
) -> dict[str, int | list[float]]:
    """kl_per_dimension: mean over the images, in nats; active_units: dimensions that the images move.

    A dimension is active where the variance of its posterior mean over the images is above 0.01
    (https://arxiv.org/abs/1509.00519, section 5.2).
    """
    divergences, means = [], []
    for images in _batches(pixels, device):
        posterior = _posterior(model, images)
        divergences.append(posterior.kl_per_dimension().double())
        means.append(posterior.mean.double())
    variance = torch.cat(means).var(dim=0, unbiased=False)
    return {
        "kl_per_dimension": torch.cat(divergences).mean(dim=0).tolist(),
        "active_units": int((variance > ACTIVE).sum()),
    }


def _batches(pixels: Resident, device: torch.device) -> Iterator[Images]:
    for batch in ResidentSet(pixels).batches(BATCH):
        yield batch.inputs.to(device)


def _posterior(model: Autoencoder, images: Images) -> Gaussian:
    posterior = model.eval().encode(images)
    if not isinstance(posterior, Gaussian):
        raise TypeError(f"a likelihood needs a Gaussian posterior, not a {type(posterior).__name__}")
    return posterior
