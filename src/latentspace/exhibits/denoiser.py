"""What is shown of a denoising autoencoder beyond what is shown of every autoencoder."""

from dataclasses import dataclass
from functools import partial

import torch

from ..encoding import TrainedAutoencoder
from ..evaluation.noise import NoiseRecord, decoded, noise_record
from ..evaluation.records import kept
from ..experiment import DenoisingConfig
from ..randomness import generator
from ..runs import Run
from ..types import ImageArray
from .autoencoder import AutoencoderExhibits, errors, floats, gather_autoencoder
from .subject import Subject

DENOISER, PLAIN = "denoising autoencoder", "plain autoencoder"


@dataclass(frozen=True)
class DenoiserExhibits:
    """The originals of `plain`, corrupted as in training, and what is made of them.

    Args:
        plain: what is shown of every autoencoder.
        corruption: in words.
        noisy_errors, errors: mean squared errors a pixel against the clean image, before and after.
        noise: the error at other levels of noise, beside other methods.
    """

    plain: AutoencoderExhibits
    corruption: str
    noisy: ImageArray
    denoised: ImageArray
    noisy_errors: tuple[float, ...]
    errors: tuple[float, ...]
    noise: NoiseRecord

    @property
    def subject(self) -> Subject:
        return self.plain.subject


def gather_denoiser(subject: Subject, beside: Run | None = None) -> DenoiserExhibits:
    """Denoise the test images that figure 7 shows, and judge the network at each level of noise.

    Args:
        beside: the run of a plain autoencoder to judge on the same noise, or None.
    """
    plain = gather_autoencoder(subject)
    plan = subject.run.experiment.objective
    if not isinstance(plan, DenoisingConfig):
        raise TypeError(f"a denoiser is trained by a DenoisingConfig, not by a {type(plan).__name__}")
    clean = floats(plain.originals)
    noisy = plan.corruption()(torch.from_numpy(clean), generator(subject.seed, "figure")).numpy()
    denoised = decoded(subject.trained, noisy)
    return DenoiserExhibits(
        plain=plain,
        corruption=f"{plan.noise} noise of strength {plan.strength:g}",
        noisy=noisy,
        denoised=denoised,
        noisy_errors=errors(noisy, plain.originals),
        errors=errors(denoised, plain.originals),
        noise=noise_of(subject, beside),
    )


def noise_of(subject: Subject, beside: Run | None) -> NoiseRecord:
    """The record is kept in the denoiser's run, under a name that says which network stood beside it."""
    networks = {DENOISER: subject.trained}
    name = "noise"
    if beside is not None:
        networks[PLAIN] = TrainedAutoencoder.load(beside, subject.device)
        name = f"noise-beside-{beside.weights_hash[:12]}"
    measure = partial(noise_record, subject.run, subject.images, networks)
    return kept(subject.run, name, NoiseRecord, measure)
