"""How far the probabilities of a classifier are true, and the temperature that brings them nearer.

The expected calibration error and temperature scaling are of Guo, Pleiss, Sun and Weinberger,
"On Calibration of Modern Neural Networks" (2017), sections 3 and 4.2. That the temperature depends on how
undecided the network is about an image, by its entropy, is of Balanya, Maronas and Ramos, "Adaptive
temperature scaling for robust calibration of deep neural networks" (2024). The order of an image's classes
stays.

Even of true probabilities the error is not zero: it is the larger the fewer the images. How large, labels
that are drawn by the probabilities say: consistency resampling, of Broecker and Smith, "Increasing the
reliability of reliability diagrams" (2007).
"""

import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize, minimize_scalar
from scipy.special import entr, logsumexp, softmax

from ..core.errors import LatentspaceError
from ..core.randomness import numpy_generator
from ..core.types import Int64Array, Logits, Probabilities
from ..data.imageset import ImageSet
from .run_images import own_or_other
from .trained import TrainedClassifier

logger = logging.getLogger(__name__)

BINS = 15
DRAWS = 100  # of labels, for the error by chance
_HIGHEST = 20.0


@dataclass(frozen=True)
class Temperature:
    """What logits are divided by: exp(log(typical) + slope (H - entropy)) for an image of entropy H.

    Args:
        typical: for an image whose entropy is the mean.
        slope: by how much the logarithm grows with an image's entropy, which is 0 where one class alone is
            possible and 1 where all are equally so.
        entropy: the mean of the images that it was fitted to.
    """

    typical: float
    slope: float = 0.0
    entropy: float = 0.0

    @classmethod
    def fitted(cls, logits: Logits, labels: Int64Array) -> "Temperature":
        """That of the lowest loss, the slope held near 0 by a standard normal prior.

        The loss is the cross-entropy of whether the likeliest class is right: that probability is told.
        """
        known = np.asarray(logits, dtype=np.float64)
        mean = float(_entropy(known).mean())
        likeliest = known.argmax(axis=1)
        right = likeliest == labels
        others = np.arange(known.shape[1]) != likeliest[:, None]

        def loss(values: Float64[np.ndarray, " values"]) -> float:
            scaled = cls(float(np.exp(values[0])), float(values[1]), mean).of(known)
            whole, rest = logsumexp(scaled, axis=1), logsumexp(scaled, axis=1, b=others)
            likelihood = np.where(right, scaled.max(axis=1), rest) - whole
            return -float(likelihood.mean()) + float(values[1]) ** 2 / (2 * len(labels))

        limit = float(np.log(_HIGHEST))
        start = minimize_scalar(
            lambda one: loss(np.array([one, 0.0])), bounds=(-limit, limit), method="bounded"
        )
        bounds = [(-limit, limit), (-limit, limit)]
        found = minimize(loss, [float(start.x), 0.0], method="L-BFGS-B", bounds=bounds)
        return cls(float(np.exp(found.x[0])), float(found.x[1]), mean)

    def of(self, logits: Logits) -> Float64[np.ndarray, "_images classes"]:
        """The logits, each image's divided by its temperature."""
        known = np.asarray(logits, dtype=np.float64)
        return known / (self.typical * np.exp(self.slope * (_entropy(known) - self.entropy)))[:, None]

    def probabilities(self, logits: Logits) -> Probabilities:
        """The probability of each class, images x classes, each row adding up to one."""
        return softmax(self.of(logits), axis=1).astype(np.float32)


def _entropy(logits: Float64[np.ndarray, "_images classes"]) -> Float64[np.ndarray, " _images"]:
    """Of each image's probabilities, as a share of the highest that there can be."""
    return np.asarray(entr(softmax(logits, axis=1)).sum(axis=1) / np.log(max(2, logits.shape[1])))


@dataclass(frozen=True, eq=False)
class Calibration:
    """The temperature of a classifier, and its expected calibration error on the validation part.

    Args:
        error_before: as the network gives the probabilities.
        error_after: each half of the images at the temperature that is fitted to the other.
        error_by_chance: what would be expected after, were all probabilities true.
        images: of the validation part.
        confidences: the highest probabilities of these, at the temperature, ascending.
    """

    temperature: Temperature
    error_before: float
    error_after: float
    error_by_chance: float
    images: int
    confidences: np.ndarray

    def rejecting(self, share: float) -> float:
        """The probability below which that share of the validation images lies."""
        return float(np.quantile(self.confidences, share))


def expected_calibration_error(probabilities: Probabilities, labels: Int64Array) -> float:
    """The mean difference of confidence and accuracy over `BINS` of equal width, weighted by images."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(place, confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def error_by_chance(probabilities: Probabilities) -> float:
    """The expected calibration error of these probabilities, were they true: the mean over drawn labels."""
    draw = numpy_generator(0, "sample")
    confidence = probabilities.max(axis=1).astype(np.float64)
    two = np.stack([confidence, np.zeros_like(confidence)], axis=1)
    errors = [
        expected_calibration_error(two, (draw.random(len(two)) >= confidence).astype(np.int64))
        for _ in range(DRAWS)
    ]
    return float(np.mean(errors))


def cross_fitted(logits: Logits, labels: Int64Array) -> Probabilities:
    """Probabilities of each half of the images, at the temperature that is fitted to the other half."""
    order = numpy_generator(0, "sample").permutation(len(labels))
    halves = (order[: len(order) // 2], order[len(order) // 2 :])
    found = np.empty(logits.shape, dtype=np.float32)
    for here, there in (halves, halves[::-1]):
        temperature = Temperature.fitted(logits[there], labels[there]) if len(there) else Temperature(1.0)
        found[here] = temperature.probabilities(logits[here])
    return found


def calibrate(trained: TrainedClassifier, own: ImageSet | None = None) -> Calibration | None:
    """Fit the temperature on the run's validation images; None, said, where its images are not at hand.

    Args:
        own: the run's images, where they have been read already.
    """
    run = trained.run
    if run is None:
        logger.warning("probabilities are not calibrated: a network without its run")
        return None
    chosen = run.split.part("validation")
    try:
        images = own_or_other(run, None)[0] if own is None else own
    except LatentspaceError as error:
        logger.warning("probabilities are not calibrated: %s (%s)", error.must, error.found)
        return None
    if images.labels is None or not len(chosen) or run.experiment.training.fit != "train":
        logger.warning("probabilities are not calibrated: no validation images that were not learned from")
        return None
    labels = images.labels[chosen].astype(np.int64)
    logits = trained.logits(images, chosen)
    temperature = Temperature.fitted(logits, labels)
    after = cross_fitted(logits, labels)
    return Calibration(
        temperature=temperature,
        error_before=expected_calibration_error(Temperature(1.0).probabilities(logits), labels),
        error_after=expected_calibration_error(after, labels),
        error_by_chance=error_by_chance(after),
        images=len(chosen),
        confidences=np.sort(temperature.probabilities(logits).max(axis=1)),
    )
