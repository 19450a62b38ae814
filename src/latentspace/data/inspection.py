"""Inspection: whether a set of images would train on nothing.

A network that learns nearly black or nearly equal images has an excellent loss, and has learned nothing.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from ..core.wording import counted, option
from .cleaning import blank
from .imageset import ImageSet
from .memmap import require_unchanged

FEW_LEVELS: Final = 20  # of 256, where they are also within ...
NARROW: Final = 64  # ... so many values: 0 and 255 alone are fine
DARK: Final = 32  # no byte reaches it
MOST: Final = 1 / 2  # of the images are blank, or copies of one
LONG: Final = 32  # times as long as wide: rather the axes of an array that were taken for others
LOOKED_AT: Final = 64 << 20  # bytes of pixels, spread over the set
PORTION: Final = 1 << 20  # of them at a time


def inspected(images: ImageSet) -> ImageSet:
    """`images`, with the warnings about them in their record."""
    found = tuple(one for one in warnings_of(images) if one not in images.record.warnings)
    if not found:
        return images
    record = images.record.model_copy(update={"warnings": (*images.record.warnings, *found)})
    return replace(images, record=record)


def warnings_of(images: ImageSet) -> tuple[str, ...]:
    """Sentences of what is suspicious; none of a single image."""
    if len(images) < 2:
        return ()
    require_unchanged(images.pixels)
    count = max(2, LOOKED_AT // images.pixels[0].size)
    step = -(-len(images) // count)
    some = images.pixels[::step]
    return (*_shape(some), *_levels(some, whole=step == 1), *_alike(some, whole=step == 1))


def _shape(pixels: np.ndarray) -> list[str]:
    height, width = pixels.shape[2:]
    if max(height, width) < LONG * min(height, width):
        return []
    return [
        f"the images are {height:,}x{width:,} pixels: where an array's axes are in another order, store it "
        "as images x height x width"
    ]


def _levels(pixels: np.ndarray, *, whole: bool) -> list[str]:
    used = _used(pixels)
    low, high = int(used[0]), int(used[-1])
    if len(used) == 1:
        return []  # all are blank, which is said
    of = "the images" if whole else f"{counted(len(pixels))} over the whole set"
    choose = f"{option('levels', 'LOW,HIGH')} or {option('levels', 'percentile')} stretches them"
    if high < DARK:
        return [f"{of} are nearly black: no value of 0..255 above {high}; {choose}"]
    if _few(used):
        return [f"{of} use {len(used)} of 256 grey levels, all in {low}..{high}; {choose}"]
    return []


def _used(pixels: np.ndarray) -> np.ndarray:
    """The bytes that occur, sorted: of all pixels, or of so many first ones that they are not suspicious."""
    there = np.zeros(256, dtype=bool)
    for start in range(0, len(pixels), step := max(1, PORTION // pixels[0].size)):
        there |= np.bincount(pixels[start : start + step].reshape(-1), minlength=256) > 0
        used = np.flatnonzero(there)
        if used[-1] >= DARK and not _few(used):
            break
    return used


def _few(used: np.ndarray) -> bool:
    return len(used) < FEW_LEVELS and bool(used[-1] - used[0] < NARROW)


def _alike(pixels: np.ndarray, *, whole: bool) -> list[str]:
    of = "" if whole else f" (of {counted(len(pixels))} over the whole set)"
    if not _may_be_alike(pixels):
        return []
    blanks = len(blank(pixels))
    if blanks > MOST * len(pixels):
        share = f"{blanks:,} of {counted(len(pixels))}"
        return [f"{share} are blank, one flat colour{of}: look at the picture of data info"]
    _, counts = np.unique([hash(one.tobytes()) for one in pixels], return_counts=True)
    if counts.max() > MOST * len(pixels):
        return [f"{counts.max():,} of {counted(len(pixels))} are exact copies of one{of}"]
    return []


def _may_be_alike(pixels: np.ndarray) -> bool:
    """Whether most images are flat, or the sums of most are equal, in an eighth of their rows and columns."""
    some = pixels[:, :, :: -(-pixels.shape[2] // 8), :: -(-pixels.shape[3] // 8)]
    some = np.ascontiguousarray(some).reshape(len(some), some.shape[1], -1)
    if (some == some[:, :, :1]).all(axis=(1, 2)).sum() > MOST * len(some):
        return True
    _, counts = np.unique(some.sum(axis=(1, 2), dtype=np.int64), return_counts=True)
    return bool(counts.max() > MOST * len(some))
