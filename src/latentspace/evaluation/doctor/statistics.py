"""Simple numbers of each image: brightness, contrast, sharpness, border, colour."""

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32

from ...core.types import Int64Array, Pixels
from ...data.memmap import blocks, chosen, require_unchanged
from ...inference.computing import Columns, Computed, columns_of, here

SHARPEST: Final = 0.01  # share of the differences of pixels that sharpness is taken from
ROUNDING: Final = 1 / 12  # the variance that rounding to whole levels adds to a pixel
FEWEST: Final = 8  # of them
FAINT: Final = 3.0  # levels: the standard deviation below which nothing can be seen but a gradient
EVEN: Final = 0.5  # levels: the standard deviation of an image's parts that differ by noise alone
PARTS: Final = 4  # a side, of LEAST pixels at least
LEAST: Final = 4

PerImage: TypeAlias = Float32[np.ndarray, " images"]


@dataclass(frozen=True, eq=False)
class Statistics:
    """One number for each image, in levels of 0..255 where nothing else is said.

    Args:
        mean: brightness, over all channels.
        contrast: the standard deviation of the brightness.
        low, high: the 1st and the 99th percentile of the brightness.
        sharpness: the largest differences of neighbouring pixels, as a share of `high - low`: a sharp edge is
            near 1, one that is blurred by a Gaussian of s pixels at most erf(1 / (s * sqrt(8))).
        mobility: the root mean square of second differences of neighbouring pixels over that of first ones,
            in both less what rounding adds (B. Hjorth, "EEG analysis based on time domain properties", 1970,
            of the differences). Above 1 where edges are sharp; of an edge that is blurred by a Gaussian of s
            pixels about 1 / (s * sqrt(2)), of a texture sqrt(3 / 2) / s.
        border_mean, border_contrast: of the outermost pixels.
        colour: the mean difference of the largest and the smallest channel of a pixel; 0: grey.
    """

    mean: PerImage
    contrast: PerImage
    low: PerImage
    high: PerImage
    sharpness: PerImage
    mobility: PerImage
    border_mean: PerImage
    border_contrast: PerImage
    colour: PerImage

    @property
    def range(self) -> PerImage:
        """`high - low`."""
        span: PerImage = self.high - self.low
        return span


class Measuring:
    """The statistics of some images, as columns."""

    def encoded(self, pixels: Pixels, rows: Int64Array, piece: int) -> Columns:  # noqa: ARG002
        require_unchanged(pixels)
        return dict(zip(_NAMES, _of_block(pixels[rows]), strict=True))

    def on(self, device: torch.device) -> "Measuring":  # noqa: ARG002 - NumPy computes
        return self


def statistics_of(pixels: Pixels, computed: Computed = here) -> Statistics:
    """The statistics of all images, in blocks; `computed` is what computes them."""
    pieces = [np.arange(one.start, one.stop) for one in blocks(pixels)]
    parts = columns_of(Measuring(), pixels, pieces, computed, "parts of images measured")
    return Statistics(**{name: np.concatenate([one[name] for one in parts]) for name in _NAMES})


_NAMES: Final = tuple(one.name for one in fields(Statistics))


def _of_block(pixels: Pixels) -> tuple[np.ndarray, ...]:
    grey = pixels.mean(axis=1, dtype=np.float32)
    flat = grey.reshape(len(grey), -1)
    low, high = np.percentile(flat, (1, 99), axis=1).astype(np.float32)
    step = _largest(_differences(grey, 1))
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    spread = pixels.max(axis=1).astype(np.float32) - pixels.min(axis=1)
    return (
        flat.mean(axis=1),
        flat.std(axis=1),
        low,
        high,
        np.minimum(step / np.maximum(high - low, 1), 1).astype(np.float32),
        _mobility(grey),
        border.mean(axis=1),
        border.std(axis=1),
        spread.reshape(len(grey), -1).mean(axis=1),
    )


def _differences(grey: np.ndarray, order: int) -> np.ndarray:
    """The differences of that order to the right and below, without their sign: a row an image."""
    columns = [np.abs(np.diff(grey, order, axis=axis)).reshape(len(grey), -1) for axis in (2, 1)]
    return np.concatenate(columns, axis=1)


def _mobility(grey: np.ndarray) -> np.ndarray:
    """0 of images without differences."""
    first, second = (
        np.square(_differences(grey, order)).sum(axis=1) / max(1, _differences(grey[:1], order).size)
        for order in (1, 2)
    )
    first, second = np.maximum(first - 2 * ROUNDING, 0), np.maximum(second - 6 * ROUNDING, 0)
    found: np.ndarray = np.sqrt(second / np.maximum(first, ROUNDING)).astype(np.float32)
    return found


def _largest(steps: np.ndarray) -> np.ndarray:
    """The mean of the largest numbers of each row; 0 of no numbers."""
    count = min(steps.shape[1], max(FEWEST, round(SHARPEST * steps.shape[1])))
    if not count:
        return np.zeros(len(steps), np.float32)
    largest: np.ndarray = np.partition(steps, -count, axis=1)[:, -count:].mean(axis=1)
    return largest


def empty(pixels: Pixels, found: Statistics) -> Int64Array:
    """The images without contrast whose parts do not differ: a smooth sky has a gradient, and is none."""
    faint = np.flatnonzero(found.contrast < FAINT).astype(np.int64)
    pixels = chosen(pixels, faint)
    even = [_unevenness(pixels[some]) < EVEN for some in blocks(pixels)]
    rows: Int64Array = faint[np.concatenate([np.zeros(0, dtype=bool), *even])]
    return rows


def _unevenness(pixels: Pixels) -> PerImage:
    """The standard deviation of the means of an image's parts, beyond what noise may give."""
    height, width = pixels.shape[2:]
    rows, columns = (np.arange(side) * max(1, min(PARTS, side // LEAST)) // side for side in (height, width))
    part = (rows[:, None] * PARTS + columns).ravel()
    sizes = np.bincount(part)
    belongs = (part == np.flatnonzero(sizes)[:, None]) / sizes[sizes > 0][:, None]
    values = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
    means = values @ belongs.T.astype(np.float32)
    between = means.var(axis=2)
    noise = np.maximum(values.var(axis=2) - between, 0) * len(belongs) / len(part)
    found: PerImage = np.sqrt(np.maximum(between - 3 * noise, 0)).max(axis=1)
    return found
