"""What a classifier is worth: its answers, and whether its probabilities are true."""

from functools import partial
from typing import Final

import numpy as np
from scipy.special import softmax

from ...core.types import Int64Array, Logits, Probabilities
from ...core.wording import counted
from ...inference.calibration import (
    BINS,
    Calibration,
    calibrate,
    cross_fitted,
    expected_calibration_error,
)
from ...inference.trained import TrainedClassifier
from .subject import Subject
from .tally import Tally
from .values import Curve, Row, Section

SMALLEST: Final = 1e-12  # probability that a logarithm is taken of
TITLE: Final = "Classification"


def classification(subject: Subject, tally: Tally) -> Section:
    """The run's answers beside those of linear probes."""
    if not isinstance(subject.network, TrainedClassifier):
        return Section(title=TITLE, absent=("answers and their calibration: the run is no classifier",))
    if subject.evaluated_set.labels is None:
        return Section(title=TITLE, absent=("answers and their calibration: the images have no labels",))
    labels, classes = subject.evaluated_labels, len(subject.images.class_names)
    logits = subject.network.logits(subject.evaluated_set, subject.evaluated).astype(np.float64)
    chances = {"run": softmax(logits, axis=1)}
    for name, features in subject.evaluated_features.items():
        probe = subject.probes[name]
        chances["probe" if name == "run" else name] = probe.probabilities(features, classes)
    found = calibrate(subject.network, subject.images)
    calibrated, fitted_to = {}, ""
    if found is not None:
        calibrated["run"], fitted_to = _calibrated(subject, found, logits, labels)
    return Section(
        title=TITLE,
        rows=tuple(_rows(tally, chances, calibrated, labels)),
        curves=(_reliability(tally, {**chances, **calibrated}["run"], labels),),
        absent=()
        if found
        else ("calibrated probabilities: no validation images that were not learned from",),
        notes=(
            f"The head beside linear probes that learned from {counted(len(subject.learned), 'image')}.",
            f"Expected calibration error: Guo et al. 2017, in {BINS} bins{fitted_to}.",
        ),
    )


def _calibrated(
    subject: Subject, found: Calibration, logits: Logits, labels: Int64Array
) -> tuple[Probabilities, str]:
    """Probabilities at a temperature that is never fitted to the image itself, and how it was, in words."""
    chances = found.temperature.probabilities(logits)
    known = subject.images.image_hashes[subject.run.split.part("validation")]
    seen = np.isin(subject.evaluated_set.image_hashes[subject.evaluated], known)
    words = f"; calibrated by a temperature that is fitted to {counted(found.images, 'validation image')}"
    if seen.any():
        chances[seen] = cross_fitted(logits[seen], labels[seen])
        what = "these are among them" if seen.all() else f"{seen.sum():,} of these are among them"
        words += f"; {what}, so each half of those is evaluated at a temperature fitted to the other half"
    return chances, words


def _rows(
    tally: Tally, chances: dict[str, np.ndarray], calibrated: dict[str, np.ndarray], labels: Int64Array
) -> list[Row]:
    every = np.arange(len(labels))

    def taken(measure: "partial[np.ndarray]") -> dict[str, np.ndarray]:
        return {name: measure(one) for name, one in chances.items()}

    right = taken(partial(_right, labels))
    rows = [
        tally.mean("accuracy", "accuracy", right, "higher", rows=every),
        tally.mean(
            "cross_entropy",
            "cross-entropy",
            taken(partial(_cross_entropy, labels)),
            "lower",
            unit="nats",
            rows=every,
        ),
        tally.mean("brier", "Brier score", taken(partial(_brier, labels)), "lower", rows=every),
    ]
    for name, title, some in (
        ("calibration_error", "expected calibration error", chances),
        ("calibration_error_calibrated", "expected calibration error, calibrated", calibrated),
    ):
        if some:
            errors = {key: partial(_calibration, one, labels) for key, one in some.items()}
            rows.append(tally.statistic(name, title, errors, "lower", centred=True))
    return rows


def _right(labels: Int64Array, chances: np.ndarray) -> np.ndarray:
    return np.asarray(chances.argmax(axis=1) == labels, dtype=np.float64)


def _cross_entropy(labels: Int64Array, chances: np.ndarray) -> np.ndarray:
    return np.asarray(-np.log(np.maximum(chances[np.arange(len(labels)), labels], SMALLEST)))


def _brier(labels: Int64Array, chances: np.ndarray) -> np.ndarray:
    """The sum over classes of the squared difference from 1 or 0 (G. W. Brier, 1950)."""
    wanted = np.zeros_like(chances)
    wanted[np.arange(len(labels)), labels] = 1
    return np.asarray(((chances - wanted) ** 2).sum(axis=1))


def _calibration(chances: np.ndarray, labels: Int64Array, rows: Int64Array) -> float:
    return expected_calibration_error(chances[rows], labels[rows])


def _reliability(tally: Tally, chances: np.ndarray, labels: Int64Array) -> Curve:
    """The accuracy of answers by their probability, in tenths."""
    sure, right = chances.max(axis=1), _right(labels, chances)
    tenth = np.minimum((10 * sure).astype(np.int64), 9)
    bins = [one for one in range(10) if (tenth == one).sum() > 1]
    points = tuple(float(sure[tenth == one].mean()) for one in bins)
    return tally.curve(
        "reliability",
        "accuracy of the answers",
        "probability of the answer",
        points,
        {"run": [right[tenth == one] for one in bins]},
        None,
    )
