"""What is shown of a denoising autoencoder beyond what is shown of every autoencoder."""

from dataclasses import dataclass
from functools import partial

import torch

from ..core.randomness import generator
from ..core.types import ImageArray, Pixels
from ..data.corruption import CorruptionConfig
from ..evaluation.cache import kept
from ..evaluation.denoising import DenoisingRecord, decoded, denoising_record
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from .autoencoder import AutoencoderAnalysis, errors, floats
from .run_context import RunContext

DENOISER, PLAIN = "denoising autoencoder", "plain autoencoder"


@dataclass(frozen=True)
class DenoiserAnalysis:
    """Test images, the same corrupted as in training, and what is made of them.

    Args:
        corruption: in words.
        noisy_errors, errors: mean squared errors per pixel against the clean image, before and after.
        noise: the error at other levels of noise, beside other methods.
    """

    corruption: str
    originals: Pixels
    noisy: ImageArray
    denoised: ImageArray
    noisy_errors: tuple[float, ...]
    errors: tuple[float, ...]
    noise: DenoisingRecord


def analyse_denoiser(
    plain: AutoencoderAnalysis, corruption: CorruptionConfig, beside: Run | None = None
) -> DenoiserAnalysis:
    """The test images that `plain` shows, denoised; and the network's error at each level of noise.

    Args:
        beside: the run of a plain autoencoder to evaluate on the same noise, or None.
    """
    context = plain.context
    clean = floats(plain.originals)
    noisy = corruption.corruption()(torch.from_numpy(clean), generator(context.seed, "figure")).numpy()
    denoised = decoded(context.trained, noisy)
    return DenoiserAnalysis(
        corruption=corruption.words,
        originals=plain.originals,
        noisy=noisy,
        denoised=denoised,
        noisy_errors=errors(noisy, plain.originals),
        errors=errors(denoised, plain.originals),
        noise=noise_of(context, beside),
    )


def noise_of(context: RunContext, beside: Run | None) -> DenoisingRecord:
    """The error at each level of noise, kept in the run under a name that tells the network beside it."""
    networks = {DENOISER: context.trained}
    name = "noise"
    if beside is not None:
        networks[PLAIN] = TrainedAutoencoder.load(beside, context.device)
        name = f"noise-beside-{beside.weights_hash[:12]}"
    measure = partial(denoising_record, context.run, context.images, networks)
    return kept(context.run, name, DenoisingRecord, measure)
