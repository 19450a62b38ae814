"""The registry of metrics, and what each of them is on images: by the names that `evaluate --json` prints.

All in float32. A metric measures what it can of any run, and gives None where a run has nothing of the kind.
The terms of a run's own objective that are no metrics are reported too, after the others.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import nn

from ..core.devices import exact
from ..core.errors import ConfigurationError, DataError
from ..core.registry import Registry
from ..core.tensor_types import Images
from ..core.types import Int64Array
from ..core.wording import option
from ..data.batches import Batches, ResidentSet, passed_once, told_of
from ..data.cleaning import sentence
from ..data.imageset import ImageSet
from ..experiment.config import Experiment
from ..inference.computing import Computed, here
from ..inference.encoding import computed_codes
from ..inference.trained import TrainedAutoencoder, TrainedClassifier
from ..runs.directory import Run
from ..training.components import required_labels
from ..training.loop import evaluate, validation_noise
from .code_sizes import errors_of_first_numbers, sizes_evaluated
from .likelihood import importance_weighted_loss, mean_code_loss, posterior_record

IWAE_SAMPLES = 16
MOST_SAMPLES = 10_000
EVALUATING = "batches evaluated"
BEFORE = "_before_refinement"  # ends the name of a metric with codes that are not refined

Value: TypeAlias = float | int | list[float]
Metrics: TypeAlias = dict[str, Value]


@dataclass(frozen=True)
class Case:
    """What is evaluated: a run, on images, with so many codes an image for the importance-weighted bound.

    What several metrics need is computed once.

    Args:
        chosen: the indices of the images that are evaluated.
        device: what computes, as `--device` names it.
        piece: the number of this piece, of a set that is evaluated in pieces; each draws noise of its own.
        computed: what computes codes.
    """

    run: Run
    images: ImageSet
    chosen: Int64Array
    iwae_samples: int
    device: str
    piece: int = 0
    computed: Computed = here

    @cached_property
    def experiment(self) -> Experiment:
        """The run's plan."""
        return self.run.experiment

    @property
    def decodes(self) -> bool:
        """Whether the run decodes codes to images: a classifier does not."""
        return not self.experiment.task.needs_encoder

    @cached_property
    def trained(self) -> TrainedAutoencoder:
        """The run's network, of a run that decodes."""
        return TrainedAutoencoder.load(self.run, self.device)

    @property
    def has_prior(self) -> bool:
        return self.decodes and self.trained.model.prior is not None

    @property
    def has_ordered_codes(self) -> bool:
        """Whether the first numbers of a code are a code."""
        return self.decodes and self.trained.model.ordered

    @cached_property
    def held(self) -> Batches:
        """The chosen images, read as they are asked for."""
        return passed_once(self.images.pixels, self.chosen, self.trained.device)

    def noise(self, device: torch.device) -> torch.Generator:
        """What is drawn to evaluate the run: the same each time."""
        return validation_noise(self.experiment.seed, device, self.piece)

    def reconstructions(self) -> Iterator[tuple[Images, Images]]:
        """Batches of the chosen images, and of what their mean codes are decoded to."""
        model = self.trained.model.eval()
        for batch in told_of(self.held, 256, "images decoded"):
            with torch.no_grad(), exact():
                decoded = model.decode(model.encode(batch.inputs).mean)
            yield batch.inputs, decoded

    @cached_property
    def parts(self) -> dict[str, float]:
        """The terms of the run's objective."""
        network, held = (self.trained.model, self.held) if self.decodes else self._classified
        objective = self.experiment.objective.validation
        losses = evaluate(network, objective, held, self.noise(held.device), EVALUATING)
        return {name: value for name, value in losses.items() if name != "loss"}

    @property
    def _classified(self) -> tuple[nn.Module, Batches]:
        """The head, and the codes that it is given."""
        labels = labels_as_learned(self.images, self.run.data.class_names)[self.chosen]
        trained = TrainedClassifier.load(self.run, self.device)
        device = trained.autoencoder.device
        found, _ = computed_codes(
            trained.autoencoder, self.images.pixels, self.chosen, self.computed, errors=False
        )
        held = ResidentSet(torch.from_numpy(found).to(device), torch.from_numpy(labels).to(device))
        return trained.head, held

    @cached_property
    def posterior(self) -> Metrics:
        """How the codes of the images lie, of a run with a prior."""
        return {**posterior_record(self.trained.model, self.held)} if self.has_prior else {}


@dataclass(frozen=True)
class Metric:
    """One number of a run, or one for each dimension of its codes.

    Args:
        title: what it is called in a table: "largest error of a pixel".
        measure: the number, or None of a run that has none of the kind.
        unit: "nats per image"; empty: none.
        better: which way is better; None: neither.
        digits: after the decimal point, in a table.
        mean: whether that of many images is the mean of those of pieces of them, and so computed; any other
            is measured of all images, by one process.
    """

    title: str
    measure: Callable[[Case], Value | None]
    unit: str = ""
    better: Literal["lower", "higher"] | None = "lower"
    digits: int = 4
    mean: bool = False


def part_of(name: str) -> Callable[[Case], Value | None]:
    """The term `name` of the run's objective."""
    return lambda case: case.parts.get(name)


def mean_code(case: Case) -> Value | None:
    if not case.has_prior:
        return None
    return mean_code_loss(case.trained.model, case.held, case.noise(case.trained.device))


def iwae(case: Case) -> Value | None:
    if not case.has_prior:
        return None
    noise = case.noise(case.trained.device)
    return importance_weighted_loss(case.trained.model, case.held, case.iwae_samples, noise)


def iwae_samples(case: Case) -> Value | None:
    return case.iwae_samples if case.has_prior else None


def mse(case: Case) -> Value | None:
    """Of a run without a prior, also where its objective has no such term."""
    if "mse" in case.parts or not case.decodes or case.has_prior:
        return case.parts.get("mse")
    sums = [float((decoded - images).square().sum()) for images, decoded in case.reconstructions()]
    return sum(sums) / (math.prod(case.images.shape) * len(case.chosen))


def code_sizes(case: Case) -> Value | None:
    return (
        [float(size) for size in sizes_evaluated(case.trained.code_size)] if case.has_ordered_codes else None
    )


def errors_by_code_size(case: Case) -> Value | None:
    """With the first numbers of the mean codes alone, for each of `code_sizes`."""
    if not case.has_ordered_codes:
        return None
    sizes = sizes_evaluated(case.trained.code_size)
    return errors_of_first_numbers(case.trained.model, case.held, sizes)


NATS = "nats per image"

MSE = Metric("mean squared error", mse, "per pixel", mean=True)
MSE_FROM_NOISY = Metric(
    "mean squared error from noisy images", part_of("mse_from_noisy"), "per pixel", mean=True
)
MEAN_CODE_LOSS = Metric("loss with the mean code decoded", mean_code, NATS, digits=2, mean=True)
ELBO_LOSS = Metric("negative ELBO of one sampled code", part_of("elbo_loss"), NATS, digits=2, mean=True)
BCE = Metric("cross-entropy of the pixels", part_of("bce"), NATS, digits=2, mean=True)
GAUSSIAN_NLL = Metric(
    "negative log-likelihood of Gaussian pixels", part_of("gaussian_nll"), NATS, digits=2, mean=True
)
KL = Metric("divergence from the prior", part_of("kl"), NATS, better=None, digits=2, mean=True)
IWAE_LOSS = Metric("importance-weighted bound", iwae, NATS, digits=2, mean=True)
IWAE = Metric("codes an image of the importance-weighted bound", iwae_samples, better=None, digits=0)
KL_PER_DIMENSION = Metric(
    "divergence from the prior, by dimension",
    lambda case: case.posterior.get("kl_per_dimension"),
    "nats",
    None,
    3,
)
ACTIVE_UNITS = Metric("dimensions in use", lambda case: case.posterior.get("active_units"), "", None, 0)
CODE_SIZES = Metric("sizes of a shortened code", code_sizes, "numbers", None, 0)
ERRORS_BY_CODE_SIZE = Metric(
    "mean squared error with a code's first numbers alone", errors_by_code_size, "per pixel", mean=True
)
ACCURACY = Metric("accuracy", part_of("accuracy"), "share of the images", "higher")
CROSS_ENTROPY = Metric("cross-entropy of the logits", part_of("cross_entropy"), NATS)
REPORT_CROSS_ENTROPY = Metric("cross-entropy through the Softmax", part_of("report_cross_entropy"), NATS)

BY_CODE_SIZE = ("code_sizes", "errors_by_code_size")  # lists that belong together

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "mse": f"{__name__}:MSE",
        "mse_from_noisy": f"{__name__}:MSE_FROM_NOISY",
        "mean_code_loss": f"{__name__}:MEAN_CODE_LOSS",
        "elbo_loss": f"{__name__}:ELBO_LOSS",
        "bce": f"{__name__}:BCE",
        "gaussian_nll": f"{__name__}:GAUSSIAN_NLL",
        "kl": f"{__name__}:KL",
        "iwae_loss": f"{__name__}:IWAE_LOSS",
        "iwae_samples": f"{__name__}:IWAE",
        "kl_per_dimension": f"{__name__}:KL_PER_DIMENSION",
        "active_units": f"{__name__}:ACTIVE_UNITS",
        "code_sizes": f"{__name__}:CODE_SIZES",
        "errors_by_code_size": f"{__name__}:ERRORS_BY_CODE_SIZE",
        "accuracy": f"{__name__}:ACCURACY",
        "cross_entropy": f"{__name__}:CROSS_ENTROPY",
        "report_cross_entropy": f"{__name__}:REPORT_CROSS_ENTROPY",
    },
)


def title_and_unit(name: str) -> tuple[str, str]:
    """Of a metric; of another part of an objective its name in words, and no unit."""
    if name.endswith(BEFORE):
        title, unit = title_and_unit(name.removesuffix(BEFORE))
        return f"{title} before refinement", unit
    if name not in METRICS:
        return name.replace("_", " "), ""
    return METRICS[name].title, METRICS[name].unit


def label(name: str) -> str:
    """What a metric is called on an axis or in a table: "mean squared error per pixel"."""
    if name.endswith(BEFORE):
        return f"{label(name.removesuffix(BEFORE))}, before refinement"
    title, unit = title_and_unit(name)
    return f"{title} {unit}" if unit.startswith("per ") else ", ".join(filter(None, (title, unit)))


def require_samples(iwae_samples: int) -> None:
    """Refuse no sample, and more than anyone waits for: raises ConfigurationError."""
    if not 1 <= iwae_samples <= MOST_SAMPLES:
        raise ConfigurationError(
            f"the importance-weighted bound takes at least one sample an image, and at most {MOST_SAMPLES:,}",
            found=option("iwae_samples", iwae_samples),
            do=f"write for example {option('iwae_samples', 16)}",
        )


def labels_as_learned(images: ImageSet, class_names: tuple[str, ...]) -> Int64Array:
    """The labels of `images`, numbered as `class_names` are: another set may have fewer, or another order.

    Raises:
        DataError: no labels, or a class that is not among `class_names`.
    """
    labels = required_labels(images)
    if images.class_names == class_names:
        return labels
    unknown = [name for name in images.class_names if name not in class_names]
    if unknown:
        raise DataError(
            f"a classifier can only be evaluated on the classes that it learned: {sentence(class_names, 12)}",
            found=f"{images.source} with {sentence(unknown)}",
            do="name images of those classes, with the classes named alike",
        )
    numbers = np.array([class_names.index(name) for name in images.class_names], dtype=np.int64)
    return np.asarray(numbers[labels])
