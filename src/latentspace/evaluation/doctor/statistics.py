"""Simple numbers of each image: brightness, contrast, sharpness, border, colour."""

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32

from ...core.types import Int64Array, Pixels
from ...data.memmap import blocks, require_unchanged
from ...inference.computing import Columns, Computed, columns_of, here

SHARPEST: Final = 0.01  # share of the differences of pixels that sharpness and steepness are taken from
REACH: Final = 3  # pixels that steepness looks over
FEWEST: Final = 8  # of them

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
        steepness: the same differences, as a share of the largest ones over `REACH` pixels: also near 1 at a
            sharp edge, whatever the levels; at a blurred one erf(1 / (s * sqrt(8))) / erf(3 / (s * sqrt(8))).
        border_mean, border_contrast: of the outermost pixels.
        colour: the mean difference of the largest and the smallest channel of a pixel; 0: grey.
    """

    mean: PerImage
    contrast: PerImage
    low: PerImage
    high: PerImage
    sharpness: PerImage
    steepness: PerImage
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
    step, far = _largest(_differences(grey, 1)), _largest(_differences(grey, REACH))
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    spread = pixels.max(axis=1).astype(np.float32) - pixels.min(axis=1)
    return (
        flat.mean(axis=1),
        flat.std(axis=1),
        low,
        high,
        np.minimum(step / np.maximum(high - low, 1), 1).astype(np.float32),
        np.minimum(step / np.maximum(far, 1), 1).astype(np.float32),
        border.mean(axis=1),
        border.std(axis=1),
        spread.reshape(len(grey), -1).mean(axis=1),
    )


def _differences(grey: np.ndarray, reach: int) -> np.ndarray:
    """How far pixels differ from those `reach` to the right and below: a row an image."""
    across, down = grey[:, :, reach:] - grey[:, :, :-reach], grey[:, reach:] - grey[:, :-reach]
    columns = [np.abs(one).reshape(len(grey), -1) for one in (across, down)]
    return np.concatenate(columns, axis=1)


def _largest(steps: np.ndarray) -> np.ndarray:
    """The mean of the largest numbers of each row; 0 of no numbers."""
    count = min(steps.shape[1], max(FEWEST, round(SHARPEST * steps.shape[1])))
    if not count:
        return np.zeros(len(steps), np.float32)
    largest: np.ndarray = np.partition(steps, -count, axis=1)[:, -count:].mean(axis=1)
    return largest
