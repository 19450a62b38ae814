"""How far the plain statistics of an image lie from those of the images that a run has learned from.

No network is asked: it may well draw what it never learned, and give it a usual code.
"""

from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32
from threadpoolctl import threadpool_limits

from ..core.types import Pixels
from ..data.batches import at_once

BANDS: Final = 8  # of rows, and of columns
LEVELS: Final = 32  # of brightness, equally wide
STEPS: Final = (1, 2, 4)  # pixels between two that are compared
LEAST: Final = 1e-3  # added to the brightness of a band before its logarithm; a deviation that says nothing
_BATCH: Final = 1024
_VALUES: Final = 1 << 24  # statistics that the covariance is of, at most

Statistics = Float32[np.ndarray, "_images statistics"]
Distances = Float32[np.ndarray, " _images"]


def statistics(pixels: Pixels) -> Statistics:
    """What is said of each image, channel by channel: a row of numbers that are about normal.

    How bright and how dark its bands of rows and of columns are, as logarithms; the share of each level of
    brightness, as a root; the root mean square of the differences of pixels some steps apart, in four
    directions; the standard deviation.
    """
    step = at_once(_BATCH, pixels.shape[1:])
    starts = range(0, len(pixels), step)
    return np.concatenate([_statistics(np.asarray(pixels[at : at + step])) for at in starts])


class Appearance:
    """The statistics of the images that were learned from: their mean and their covariance.

    The covariance is shrunk towards a multiple of the identity (Ledoit and Wolf, 2004), so few images do.

    Args:
        known: the statistics of these images.
    """

    def __init__(self, known: Statistics) -> None:
        from sklearn.covariance import LedoitWolf

        self._every = max(1, -(-known.size // _VALUES))
        of = known[:: self._every].astype(np.float64)
        of = np.repeat(of, 2, axis=0) if len(of) == 1 else of  # a covariance is of two at least
        self._count = len(of)
        self._mean = of.mean(axis=0)
        self._scale = np.sqrt(of.var(axis=0) + LEAST**2)
        with threadpool_limits(1):  # so it is the same to the bit however many threads there are
            fitted = LedoitWolf(assume_centered=True).fit((of - self._mean) / self._scale)
            whole = fitted.covariance_ + np.diag((LEAST / self._scale) ** 2)
            self._root = np.linalg.cholesky(np.linalg.inv(whole))
        self._kept = 1 - float(fitted.shrinkage_)  # of what the images have in common

    def distances(self, found: Statistics, places: np.ndarray) -> Distances:
        """The Mahalanobis distance of each, from the images that were learned from but itself.

        Args:
            found: statistics of images.
            places: of each among those that were learned from, or -1.
        """
        with threadpool_limits(1):
            away = ((found - self._mean) / self._scale) @ self._root
        squares = np.square(away).sum(axis=1)
        known = (places >= 0) & (places % self._every == 0)
        distances: Distances = np.sqrt(self._without_itself(squares, known)).astype(np.float32)
        return distances

    def _without_itself(self, squares: np.ndarray, known: Bool[np.ndarray, " _images"]) -> Distances:
        """The squares, each `known` image left out of the mean and of the covariance, which it is part of.

        By the formula of Sherman and Morrison.
        """
        more = self._count - 1
        left = 1 - self._kept * squares / more
        without = squares * (self._count / more) / np.maximum(left, 1e-9)
        return np.where(known, without, squares).astype(np.float32)


def _statistics(pixels: Pixels) -> Statistics:
    values = pixels.astype(np.float32) / np.float32(255)
    columns = [*_bands(values), _shares(pixels), *_differences(values), values.std(axis=(2, 3))]
    return np.concatenate(columns, axis=1)


def _bands(values: np.ndarray) -> list[Statistics]:
    found = []
    for axis in (2, 3):
        lines = values.mean(axis=5 - axis)
        edges = np.linspace(0, lines.shape[2], min(BANDS, lines.shape[2]) + 1).round().astype(int)
        bands = np.add.reduceat(lines, edges[:-1], axis=2) / np.diff(edges).astype(np.float32)
        found += [np.log(np.maximum(one, 0) + np.float32(LEAST)) for one in (bands, 1 - bands)]
    return [one.reshape(len(values), -1) for one in found]


def _shares(pixels: Pixels) -> Statistics:
    levels = pixels // (256 // LEVELS)
    shares = [(levels == one).mean(axis=(2, 3), dtype=np.float32) for one in range(LEVELS)]
    roots: Statistics = np.sqrt(np.concatenate(shares, axis=1)).astype(np.float32)
    return roots


def _differences(values: np.ndarray) -> list[Statistics]:
    height, width = values.shape[2:]
    found = []
    for step, (down, right) in product(STEPS, ((1, 0), (0, 1), (1, 1), (1, -1))):
        y, x = step * down, step * abs(right)
        if y >= height or x >= width:
            continue
        first, second = values[:, :, y:, x:], values[:, :, : height - y, : width - x]
        if right < 0:
            first, second = values[:, :, y:, : width - x], values[:, :, : height - y, x:]
        found.append(np.sqrt(np.square(first - second).mean(axis=(2, 3))))
    return found
