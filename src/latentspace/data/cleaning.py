"""What was found wrong with a source, and the removal of what should not be there twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..core.record import Record
from ..core.types import Hashes, Int64Array, Pixels
from .memmap import blocks

MOST_SIZES: Final = 1_000


class Unreadable(Record):
    """A file that should have been an image: its name within the source, and why it was skipped."""

    name: str
    reason: str


class OriginalSize(Record):
    """A size that images of the source have, how many have it, and one of them."""

    height: int
    width: int
    images: int
    example: str


class KeptLevels(Record):
    """The values of one type of numbers (`<u2`) that became black and white, as the set itself said."""

    dtype: str
    low: float
    high: float


class CleaningRecord(Record):
    """What was dropped between the source and the ImageSet, and how its pixels were converted.

    `conversions` are sentences for a person ("3 images with alpha laid over black"); `warnings` are those
    that nobody should miss; `sizes`, the most frequent first, are there where images were brought to another
    size, or cut into tiles: at most `MOST_SIZES` of them; `levels` are those that other images are read by.
    `unused_label` is the column of labels that was asked for and that no reader has used, until that is said.
    """

    unreadable: tuple[Unreadable, ...] = ()
    duplicates_dropped: int = 0
    conversions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sizes: tuple[OriginalSize, ...] = ()
    levels: tuple[KeptLevels, ...] = ()
    unused_label: str = ""

    def after(self, *notes: str) -> "CleaningRecord":
        """The same with conversions that came before."""
        return self.model_copy(update={"conversions": (*notes, *self.conversions)})

    def then(self, *notes: str) -> "CleaningRecord":
        """The same with conversions that came afterwards."""
        return self.model_copy(update={"conversions": (*self.conversions, *notes)})


def original_sizes(
    counts: Mapping[tuple[int, int], int], examples: Mapping[tuple[int, int], str], final: tuple[int, int]
) -> tuple[OriginalSize, ...]:
    """The sizes, the most frequent first; none where all images have the `final` one."""
    if set(counts) == {final}:
        return ()
    order = sorted(counts, key=lambda size: (-counts[size], size))[:MOST_SIZES]
    return tuple(
        OriginalSize(height=size[0], width=size[1], images=counts[size], example=examples[size])
        for size in order
    )


@dataclass(frozen=True)
class Duplicates:
    """Exact copies: `groups` sets of equal images, `extra` images beyond the first of each set.

    `largest` is the size of the largest set, `example` the index of its first image (-1: no copies).
    """

    groups: int
    extra: int
    largest: int
    example: int


def count_duplicates(hashes: Hashes) -> Duplicates:
    """How many sets of equal images there are, by their hashes, and how many images repeat an earlier one."""
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    repeated = counts > 1
    if not repeated.any():
        return Duplicates(groups=0, extra=0, largest=0, example=-1)
    worst = int(np.argmax(counts))
    return Duplicates(
        groups=int(repeated.sum()),
        extra=int((counts[repeated] - 1).sum()),
        largest=int(counts[worst]),
        example=int(first[worst]),
    )


def sets_of_copies(hashes: Hashes) -> list[Int64Array]:
    """The indices of the images of each set of equal ones, in order, by the first of each set."""
    _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    copied = np.flatnonzero(counts[which] > 1).astype(np.int64)
    copied = copied[np.argsort(which[copied], kind="stable")]
    parts = np.split(copied, np.flatnonzero(np.diff(which[copied])) + 1) if len(copied) else []
    return sorted(parts, key=lambda one: int(one[0]))


def first_of_each(hashes: Hashes) -> Int64Array:
    """The indices of the images that no earlier image equals, in order."""
    _, first = np.unique(hashes, return_index=True)
    return np.sort(first).astype(np.int64)


def kept_of_copies(
    hashes: Hashes, labels: Int64Array | None, parts: Int64Array | None, conflicts: str
) -> Int64Array:
    """The indices of one image of each set of equal ones: the first, of those in the last part of a split.

    Args:
        conflicts: `none` is kept of a set with several labels, or the `first`, whatever the others say.
    """
    order = np.arange(len(hashes)) if parts is None else np.argsort(-parts, kind="stable")
    _, place, which = np.unique(hashes[order], return_index=True, return_inverse=True)
    kept = order[place]
    if labels is not None and conflicts == "none":
        of_image = np.empty(len(hashes), dtype=np.int64)
        of_image[order] = which
        several = np.zeros(len(kept), dtype=bool)
        several[of_image[labels != labels[kept[of_image]]]] = True
        kept = kept[~several]
    return np.sort(kept).astype(np.int64)


def blank(pixels: Pixels) -> Int64Array:
    """The indices of the images that are one flat colour in every channel."""
    one_colour = np.empty(len(pixels), dtype=bool)
    for here in blocks(pixels):
        one_colour[here] = (pixels[here] == pixels[here, :, :1, :1]).all(axis=(1, 2, 3))
    return np.flatnonzero(one_colour).astype(np.int64)


def sentence(names: Sequence[str], most: int = 5) -> str:
    """`a, b, c and 7 more`: a list that stays readable."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
