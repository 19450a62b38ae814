"""Every metric of a run on some images: those that are means over images are computed in pieces."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from ..core.devices import AUTO
from ..core.types import Int64Array, Pixels
from ..data.imageset import ImageSet
from ..inference.computing import Columns, Computed, columns_of, cut, here
from ..inference.encoding import alone
from ..inference.trained import TrainedAutoencoder
from ..models.autoencoder import unrefined
from ..models.remembered import refined_once
from ..runs.directory import Run
from .metrics import BEFORE, IWAE_SAMPLES, METRICS, Case, Metrics, require_samples

PIECE: Final = 65_536  # images that one process evaluates at a time: a whole number of its batches


def all_metrics(
    run: Run,
    images: ImageSet,
    iwae_samples: int = IWAE_SAMPLES,
    device: str = AUTO,
    chosen: Int64Array | None = None,
    computed: Computed = here,
) -> Metrics:
    """Every metric of the run on `images`, or on those at the indices `chosen`.

    Args:
        computed: what computes the metrics of pieces, which are weighed by their images.

    Raises:
        ConfigurationError: no sample for the importance-weighted bound.
        DataError: a classifier on images without labels, or with classes that it does not know.
    """
    require_samples(iwae_samples)
    chosen = np.arange(len(images)) if chosen is None else chosen
    case = Case(run, images, chosen, iwae_samples, device, computed=computed)
    return _measured(case, tuple(METRICS), parts=True)


def score(
    run: Run, images: ImageSet, device: str, chosen: Int64Array, computed: Computed = here
) -> float | None:
    """The score that the task selects by, on the images at the indices `chosen`; None: it is no metric."""
    name = run.experiment.task.score
    case = Case(run, images, chosen, 1, device, computed=computed)
    value = _measured(case, (name,) if name in METRICS else (), parts=name not in METRICS).get(name)
    return float(value) if isinstance(value, int | float) else None


def _measured(case: Case, names: tuple[str, ...], *, parts: bool) -> Metrics:
    """These metrics, and the other terms of the run's objective where `parts` are asked for."""
    found: Metrics = {}
    if case.decodes:
        means = tuple(name for name in names if METRICS[name].mean)
        found = _of_pieces(case, PieceMetrics(case.run, case.trained, case.iwae_samples, means, parts))
    elif parts:
        found = {**case.parts}
    for name in names:
        if not (case.decodes and METRICS[name].mean) and (value := METRICS[name].measure(case)) is not None:
            found[name] = value
    order = [one for name in (*METRICS, *found) for one in (name, f"{name}{BEFORE}") if one in found]
    return {name: found[name] for name in dict.fromkeys(order)}


def _of_pieces(case: Case, metrics: "PieceMetrics") -> Metrics:
    """Means over pieces of the images, each weighed by its images."""
    pieces = cut(case.chosen, PIECE)
    columns = columns_of(metrics, case.images.pixels, pieces, case.computed, "parts of images evaluated")
    if len(columns) == 1:
        return {name: value.tolist() for name, value in columns[0].items()}
    weights = list(map(len, pieces))
    means = {name: np.average([one[name] for one in columns], axis=0, weights=weights) for name in columns[0]}
    return {name: value.tolist() for name, value in means.items()}


@dataclass(frozen=True, eq=False)
class PieceMetrics:
    """The metrics of a piece that are means over images, by their names, as columns.

    Args:
        names: of metrics.
        parts: whether the other terms of the run's objective are asked for too.
    """

    run: Run
    trained: TrainedAutoencoder
    iwae_samples: int
    names: tuple[str, ...]
    parts: bool

    @refined_once()
    def encoded(self, pixels: Pixels, rows: Int64Array, piece: int) -> Columns:
        images = ImageSet(pixels, source="a piece")
        case = Case(self.run, images, rows, self.iwae_samples, str(self.trained.device), piece)
        vars(case).update(
            trained=self.trained, experiment=self.trained.experiment
        )  # the run may be elsewhere
        found = self._means(case)
        if self.trained.model.refine:  # and as a training's validation has them
            before = replace(case)
            vars(before).update(trained=self.trained, experiment=self.trained.experiment)
            with unrefined(self.trained.model):
                found |= {f"{name}{BEFORE}": value for name, value in self._means(before).items()}
        return found

    def _means(self, case: Case) -> Columns:
        measured = {name: METRICS[name].measure(case) for name in self.names}
        found = {name: value for name, value in measured.items() if value is not None}
        if self.parts:
            found |= {name: value for name, value in case.parts.items() if name not in METRICS}
        return {name: np.asarray(value) for name, value in found.items()}

    def on(self, device: torch.device) -> "PieceMetrics":
        return replace(self, trained=alone(self.trained, device))
