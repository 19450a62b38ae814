"""The metrics of each kind of run, by the names that `evaluate --json` prints; all in float32."""

from functools import singledispatch
from typing import Any

import numpy as np
import torch

from ..configuration import Config
from ..data.batches import ResidentSet
from ..data.imageset import ImageSet
from ..encoding import TrainedAutoencoder, TrainedClassifier
from ..errors import ConfigurationError
from ..experiment import ClassificationConfig, DenoisingConfig, ElboConfig, ReconstructionConfig
from ..runs import Run
from ..training.loop import evaluate, validation_noise
from ..training.materials import required_labels
from .likelihood import importance_weighted_loss, mean_code_loss, posterior_record

IWAE_SAMPLES = 16

Metrics = dict[str, float | int | list[float]]


def judge(run: Run, images: ImageSet, iwae_samples: int = IWAE_SAMPLES) -> Metrics:
    """Every metric of the run's kind on `images`.

    Raises:
        ConfigurationError: no sample for the importance-weighted bound.
        DataError: a classifier on images without labels.
    """
    if iwae_samples < 1:
        raise ConfigurationError(
            "the importance-weighted bound needs at least one sample",
            found=f"--iwae-samples {iwae_samples}",
            do="write for example --iwae-samples 16",
        )
    return _judge(run.experiment.objective, run, images, iwae_samples)


@singledispatch
def _judge(objective: Config, run: Run, images: ImageSet, samples: int) -> Metrics:
    raise TypeError(f"no metrics are known for {type(objective).__name__}")


@_judge.register
def _reconstruction(objective: ReconstructionConfig, run: Run, images: ImageSet, samples: int) -> Metrics:  # noqa: ARG001
    """mse: a pixel."""
    return _parts(TrainedAutoencoder.load(run), objective, _pixels(images))


@_judge.register
def _denoising(objective: DenoisingConfig, run: Run, images: ImageSet, samples: int) -> Metrics:  # noqa: ARG001
    """mse: a pixel, from the clean image; mse_from_noisy: from the corrupted one, at the run's strength."""
    return _parts(TrainedAutoencoder.load(run), objective, _pixels(images))


@_judge.register
def _elbo(objective: ElboConfig, run: Run, images: ImageSet, samples: int) -> Metrics:
    """All in nats an image, lower is better; kl_per_dimension and active_units describe the posterior."""
    trained, pixels = TrainedAutoencoder.load(run), _pixels(images)
    parts = _parts(trained, objective, pixels)
    return {
        "mean_code_loss": mean_code_loss(trained.model, pixels, trained.device),
        "elbo_loss": parts["elbo_loss"],
        "bce": parts["bce"],
        "kl": parts["kl"],
        "iwae_loss": importance_weighted_loss(
            trained.model, pixels, samples, validation_noise(run.experiment.seed, trained.device)
        ),
        "iwae_samples": samples,
        **posterior_record(trained.model, pixels, trained.device),
    }


@_judge.register
def _classification(objective: ClassificationConfig, run: Run, images: ImageSet, samples: int) -> Metrics:  # noqa: ARG001
    """accuracy: share of the images; cross_entropy, report_cross_entropy: nats an image."""
    labels = required_labels(images)
    trained = TrainedClassifier.load(run)
    codes = torch.from_numpy(trained.autoencoder.encode(images)).to(trained.autoencoder.device)
    held = ResidentSet(codes, torch.from_numpy(labels).to(codes.device))
    noise = validation_noise(run.experiment.seed, codes.device)
    losses = evaluate(trained.head, objective.validation, held, noise)
    return {name: losses[name] for name in ("accuracy", "cross_entropy", "report_cross_entropy")}


def _parts(trained: TrainedAutoencoder, objective: Any, pixels: torch.Tensor) -> Metrics:
    noise = validation_noise(trained.experiment.seed, trained.device)
    held = ResidentSet(pixels.to(trained.device))
    losses = evaluate(trained.model, objective.validation, held, noise)
    return {name: value for name, value in losses.items() if name != "loss"}


def _pixels(images: ImageSet) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(images.pixels))
