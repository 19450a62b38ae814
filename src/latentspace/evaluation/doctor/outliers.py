"""Images unlike all others of their class, by their codes; or unlike all, by their reconstructions too."""

from typing import Final

import numpy as np

from ...core.types import CodeArray, Float32Array, Int64Array
from ...core.wording import counted
from ...inference.anomalies import NEIGHBOUR, relative_error, surprise
from ...inference.nearest import nearest
from .finding import Finder, Finding, fine, skipped
from .subject import Subject

FENCE: Final = 1.5  # interquartile ranges above the upper quartile: Tukey 1977, Exploratory Data Analysis
FEWEST: Final = 20  # images of a class that is looked at alone
RARE: Final = 1e-4  # the share of usual images that score as high, about
MOST: Final = 0.01  # of the images
AT_ONCE: Final = 8_192  # images


class Outliers:
    """Finds images that are unlike all others."""

    title = "images unlike all others"

    def find(self, subject: Subject) -> Finding:
        if subject.why_no_codes:
            return skipped(subject.why_no_codes)
        codes, blank = subject.codes, subject.blank
        distance = distances(codes)
        own = beyond(distance, codes, subject.images.labels)
        error = _relative(subject)
        missed, far = surprise(error, error), surprise(distance, distance)
        both = missed + far
        strange = (1 + both) * np.exp(-both) < RARE  # of two exponentials
        named = (own > FENCE) | strange
        named[blank] = False  # they have a finding of their own
        score = np.where(strange, own.max(initial=0.0) + both, own)
        rows = np.flatnonzero(named)
        rows = rows[np.argsort(-score[rows], kind="stable")][: max(1, int(MOST * len(codes)))]
        labelled = subject.images.labels is not None
        of = "their class" if labelled else "the set"
        if not len(rows):
            return fine("no image is unlike all others", f"by {subject.coder.words}")
        return Finding(
            "look",
            f"{counted(len(rows))} unlike all others{' of their class' if labelled else ''}",
            f"By {subject.coder.words}: the distance to the fifth nearest code of {of} lies more than "
            f"{FENCE} interquartile ranges above the upper quartile; or this distance and the error of the "
            f"reconstruction are together as high for about one image in {round(1 / RARE):,}. At most the "
            f"{MOST:.0%} most unusual are named.",
            "Look whether they belong to the set; a cleaned table keeps them, with the reason.",
            subject.cleaned,
            rows.astype(np.int64),
            tuple(
                f"{own[row]:.1f} interquartile ranges"
                if own[row] > FENCE
                else f"-log p: distance {far[row]:.1f}, error {missed[row]:.1f}"
                for row in rows
            ),
        )


def beyond(distance: Float32Array, codes: CodeArray, labels: Int64Array | None) -> np.ndarray:
    """By how many interquartile ranges each image is farther from its class than three quarters of it.

    Args:
        distance: to the codes of the whole set, for images without labels and of small classes.
    """
    found = _over(distance)
    for label in () if labels is None else np.unique(labels).tolist():
        rows = np.flatnonzero(labels == label)
        if len(rows) >= FEWEST:
            found[rows] = _over(distances(codes[rows]))
    return found


def distances(codes: CodeArray) -> Float32Array:
    """To the fifth nearest of the others, copies among them."""
    found = nearest(codes, codes, NEIGHBOUR, own=np.arange(len(codes)))
    return np.asarray(found.distances[:, -1], dtype=np.float32)


def _over(values: Float32Array) -> np.ndarray:
    low, high = np.quantile(values, (0.25, 0.75))
    return np.asarray((values - high) / max(float(high - low), 1e-6), dtype=np.float64)


def _relative(subject: Subject) -> Float32Array:
    """The error of each reconstruction, as a share of the image's variance."""
    pixels, errors = subject.images.pixels, subject.errors
    starts = range(0, len(pixels), AT_ONCE)
    parts = [relative_error(errors[one : one + AT_ONCE], pixels[one : one + AT_ONCE]) for one in starts]
    return np.concatenate(parts)


OUTLIERS: Finder = Outliers()
