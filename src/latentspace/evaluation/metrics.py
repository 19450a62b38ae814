"""The metrics of each kind of run, by the names that `evaluate --json` prints; all in float32."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import torch

from ..core.config import Config
from ..core.devices import AUTO
from ..core.errors import ConfigurationError, DataError
from ..core.types import Int64Array
from ..core.wording import option
from ..data.batches import Batches, ResidentSet, passed_once
from ..data.cleaning import sentence
from ..data.imageset import ImageSet
from ..experiment.config import ClassificationConfig, DenoisingConfig, ElboConfig, ReconstructionConfig
from ..inference.trained import TrainedAutoencoder, TrainedClassifier
from ..runs.directory import Run
from ..training.components import required_labels
from ..training.loop import evaluate, validation_noise
from .likelihood import importance_weighted_loss, mean_code_loss, posterior_record

IWAE_SAMPLES = 16
JUDGING = "batches judged"

Metrics = dict[str, float | int | list[float]]


@dataclass(frozen=True)
class Case:
    """What is judged: a run, on images, with so many codes an image for the importance-weighted bound.

    Args:
        chosen: the indices of the images that are judged.
        device: what computes, as `--device` names it.
    """

    run: Run
    images: ImageSet
    chosen: Int64Array
    iwae_samples: int
    device: str

    def held(self, device: torch.device) -> Batches:
        """The chosen images, read as they are asked for."""
        return passed_once(self.images.pixels, self.chosen, device)


def judge(
    run: Run,
    images: ImageSet,
    iwae_samples: int = IWAE_SAMPLES,
    device: str = AUTO,
    chosen: Int64Array | None = None,
) -> Metrics:
    """Every metric of the run's kind on `images`, or on those at the indices `chosen`.

    Raises:
        ConfigurationError: no sample for the importance-weighted bound.
        DataError: a classifier on images without labels, or with classes that it does not know.
    """
    require_samples(iwae_samples)
    chosen = np.arange(len(images)) if chosen is None else chosen
    return _judge(run.experiment.objective, Case(run, images, chosen, iwae_samples, device))


def require_samples(iwae_samples: int) -> None:
    """Raises: ConfigurationError: none for the importance-weighted bound."""
    if iwae_samples < 1:
        raise ConfigurationError(
            "the importance-weighted bound needs at least one sample",
            found=option("iwae_samples", iwae_samples),
            do=f"write for example {option('iwae_samples', 16)}",
        )


@singledispatch
def _judge(objective: Config, case: Case) -> Metrics:
    raise TypeError(f"no metrics are known for {type(objective).__name__} ({case.run.path})")


@_judge.register
def _reconstruction(objective: ReconstructionConfig, case: Case) -> Metrics:
    """mse: a pixel."""
    return _parts(TrainedAutoencoder.load(case.run, case.device), objective, case)


@_judge.register
def _denoising(objective: DenoisingConfig, case: Case) -> Metrics:
    """mse: a pixel, from the clean image; mse_from_noisy: from the corrupted one, at the run's strength."""
    parts = _parts(TrainedAutoencoder.load(case.run, case.device), objective, case)
    return {name: parts[name] for name in ("mse", "mse_from_noisy")}


@_judge.register
def _elbo(objective: ElboConfig, case: Case) -> Metrics:
    """All in nats an image, lower is better; kl_per_dimension and active_units describe the posterior."""
    trained = TrainedAutoencoder.load(case.run, case.device)
    parts, held = _parts(trained, objective, case), case.held(trained.device)
    noise = validation_noise(trained.experiment.seed, trained.device)
    return {
        "mean_code_loss": mean_code_loss(trained.model, held),
        "elbo_loss": parts["elbo_loss"],
        "bce": parts["bce"],
        "kl": parts["kl"],
        "iwae_loss": importance_weighted_loss(trained.model, held, case.iwae_samples, noise),
        "iwae_samples": case.iwae_samples,
        **posterior_record(trained.model, held),
    }


@_judge.register
def _classification(objective: ClassificationConfig, case: Case) -> Metrics:
    """accuracy: share of the images; cross_entropy, report_cross_entropy: nats an image."""
    labels = labels_as_learned(case.images, case.run.data.class_names)[case.chosen]
    trained = TrainedClassifier.load(case.run, case.device)
    codes = torch.from_numpy(trained.autoencoder.encode(case.images, chosen=case.chosen)).to(
        trained.autoencoder.device
    )
    held = ResidentSet(codes, torch.from_numpy(labels).to(codes.device))
    noise = validation_noise(case.run.experiment.seed, codes.device)
    losses = evaluate(trained.head, objective.validation, held, noise, JUDGING)
    return {name: losses[name] for name in ("accuracy", "cross_entropy", "report_cross_entropy")}


def labels_as_learned(images: ImageSet, class_names: tuple[str, ...]) -> Int64Array:
    """The labels of `images`, numbered as `class_names` are: another set may have fewer, or another order.

    Raises:
        DataError: no labels, or a class that is not among `class_names`.
    """
    labels = required_labels(images)
    if images.class_names == class_names:
        return labels
    strangers = [name for name in images.class_names if name not in class_names]
    if strangers:
        raise DataError(
            f"a classifier can be judged on the classes that it learned alone: {sentence(class_names, 12)}",
            found=f"{images.source} with {sentence(strangers)}",
            do="name images of those classes, with the classes named alike",
        )
    numbers = np.array([class_names.index(name) for name in images.class_names], dtype=np.int64)
    return np.asarray(numbers[labels])


def _parts(trained: TrainedAutoencoder, objective: Any, case: Case) -> Metrics:
    noise = validation_noise(trained.experiment.seed, trained.device)
    losses = evaluate(trained.model, objective.validation, case.held(trained.device), noise, JUDGING)
    return {name: value for name, value in losses.items() if name != "loss"}
