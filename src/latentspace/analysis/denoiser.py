"""What is shown of a denoising autoencoder beyond what is shown of every autoencoder."""

from dataclasses import dataclass
from functools import partial

import torch

from ..core.randomness import generator
from ..core.types import ImageArray
from ..evaluation.cache import kept
from ..evaluation.denoising import DenoisingRecord, decoded, denoising_record
from ..inference.trained import TrainedAutoencoder
from ..objectives.denoising import DenoisingConfig
from ..runs.directory import Run
from .autoencoder import AutoencoderAnalysis, analyse_autoencoder, errors, floats
from .run_context import RunContext

DENOISER, PLAIN = "denoising autoencoder", "plain autoencoder"


@dataclass(frozen=True)
class DenoiserAnalysis:
    """The originals of `plain`, corrupted as in training, and what is made of them.

    Args:
        plain: what is shown of every autoencoder.
        corruption: in words.
        noisy_errors, errors: mean squared errors a pixel against the clean image, before and after.
        noise: the error at other levels of noise, beside other methods.
    """

    plain: AutoencoderAnalysis
    corruption: str
    noisy: ImageArray
    denoised: ImageArray
    noisy_errors: tuple[float, ...]
    errors: tuple[float, ...]
    noise: DenoisingRecord

    @property
    def context(self) -> RunContext:
        return self.plain.context


def analyse_denoiser(context: RunContext, beside: Run | None = None) -> DenoiserAnalysis:
    """Denoise the test images that figure 7 shows, and judge the network at each level of noise.

    Args:
        beside: the run of a plain autoencoder to judge on the same noise, or None.
    """
    plain = analyse_autoencoder(context)
    plan = context.run.experiment.objective
    if not isinstance(plan, DenoisingConfig):
        raise TypeError(f"a denoiser is trained by a DenoisingConfig, not by a {type(plan).__name__}")
    clean = floats(plain.originals)
    noisy = plan.corruption()(torch.from_numpy(clean), generator(context.seed, "figure")).numpy()
    denoised = decoded(context.trained, noisy)
    return DenoiserAnalysis(
        plain=plain,
        corruption=f"{plan.noise} noise of strength {plan.strength:g}",
        noisy=noisy,
        denoised=denoised,
        noisy_errors=errors(noisy, plain.originals),
        errors=errors(denoised, plain.originals),
        noise=noise_of(context, beside),
    )


def noise_of(context: RunContext, beside: Run | None) -> DenoisingRecord:
    """The record is kept in the denoiser's run, under a name that says which network stood beside it."""
    networks = {DENOISER: context.trained}
    name = "noise"
    if beside is not None:
        networks[PLAIN] = TrainedAutoencoder.load(beside, context.device)
        name = f"noise-beside-{beside.weights_hash[:12]}"
    measure = partial(denoising_record, context.run, context.images, networks)
    return kept(context.run, name, DenoisingRecord, measure)
