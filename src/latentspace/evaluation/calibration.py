"""How far the probabilities of a classifier are true, and the temperature that brings them nearer.

Temperature scaling and the expected calibration error are of Guo, Pleiss, Sun and Weinberger,
"On Calibration of Modern Neural Networks" (2017), sections 3 and 4.2.
"""

import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ..core.errors import LatentspaceError
from ..core.types import Int64Array, Logits, Probabilities
from ..data.imageset import ImageSet
from ..inference.run_images import own_or_other
from ..inference.trained import TrainedClassifier
from ..runs.directory import Run

logger = logging.getLogger(__name__)

BINS = 15
_HIGHEST = 20.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """The temperature of a classifier, and its expected calibration error on the validation part.

    `confidences` are the highest probabilities of the validation images, at that temperature, ascending.
    """

    temperature: float
    error_before: float
    error_after: float
    images: int
    confidences: Float64[np.ndarray, " images"]

    def rejecting(self, share: float) -> float:
        """The probability below which that share of the validation images lies."""
        return float(np.quantile(self.confidences, share))


def expected_calibration_error(probabilities: Probabilities, labels: Int64Array, bins: int = BINS) -> float:
    """The mean difference of confidence and accuracy, over bins of equal width, weighted by their images."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def temperature_of(logits: Logits, labels: Int64Array) -> float:
    """What logits are divided by for the lowest cross-entropy."""

    def loss(log_temperature: float) -> float:
        every = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(every[np.arange(len(labels)), labels].mean())

    limit = float(np.log(_HIGHEST))
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(found.x))


def calibrate(run: Run, trained: TrainedClassifier, own: ImageSet | None = None) -> Calibration | None:
    """Fit the temperature on the run's validation images; None, said, where its images are not at hand.

    Args:
        own: the run's images, where they have been read already.
    """
    try:
        images = own or own_or_other(run, None)[0]
    except LatentspaceError as error:
        logger.warning("probabilities are not calibrated: %s (%s)", error.must, error.found)
        return None
    chosen = run.split.part("validation")
    if images.labels is None or not len(chosen) or run.experiment.training.fit != "train":
        logger.warning("probabilities are not calibrated: no validation images that were not learned from")
        return None
    labels = images.labels[chosen]
    logits = trained.logits(images, chosen).astype(np.float64)
    temperature = temperature_of(logits, labels)
    after = softmax(logits / temperature, axis=1)
    return Calibration(
        temperature=temperature,
        error_before=expected_calibration_error(softmax(logits, axis=1), labels),
        error_after=expected_calibration_error(after, labels),
        images=len(chosen),
        confidences=np.sort(after.max(axis=1)),
    )
