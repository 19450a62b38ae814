"""An overview of a data set: images of each class in a row of its own, pixel for pixel."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from ..core.randomness import numpy_generator
from ..core.types import Int64Array
from ..core.wording import counted
from ..data.imageset import ImageSet
from .mosaic import Shown, Words, draw_mosaic, shown
from .text import legible

_ROWS: Final = 20  # classes that are drawn, at most
_WITHOUT: Final = 5  # rows of images that have no labels
_COLUMNS: Final = 10


@dataclass(frozen=True, eq=False)
class Overview:
    """Images row by row; `names` has one for each row, where a row is a class.

    `empty` are the places of rows that have too few images; `note` says what is not drawn.
    """

    images: Shown
    columns: int
    names: tuple[str, ...]
    empty: frozenset[int]
    note: str


def overview(images: ImageSet, *, seed: int) -> Overview:
    """Ten images of each class at random, or fifty of a set without labels."""
    draw = numpy_generator(seed, "figure")
    if images.labels is None:
        chosen = draw.permutation(len(images))[: _WITHOUT * _COLUMNS]
        return Overview(shown(images.subset(chosen).pixels), _COLUMNS, (), frozenset(), "")
    there = np.unique(images.labels)
    # of too many classes those that are drawn are spread over all of them
    classes = there[np.linspace(0, len(there) - 1, min(len(there), _ROWS)).round().astype(int)]
    rows = [_some(np.flatnonzero(images.labels == number), draw) for number in classes]
    columns = max(map(len, rows))
    padded = np.concatenate([np.resize(row, columns) for row in rows])
    empty = {place * columns + more for place, row in enumerate(rows) for more in range(len(row), columns)}
    note = f"{len(classes)} of {counted(len(there), 'class')}" if len(classes) < len(there) else ""
    names = tuple(images.class_names[number] for number in classes)
    return Overview(shown(images.subset(padded).pixels), columns, names, frozenset(empty), note)


def _some(members: Int64Array, draw: np.random.Generator) -> Int64Array:
    return draw.permutation(members)[:_COLUMNS]


def draw_overview(seen: Overview) -> Figure:
    """Pixels are squares wherever an image is enlarged."""
    words = Words(beside=tuple(legible(name, limit=20) for name in seen.names), foot=seen.note)
    return draw_mosaic(seen.images, columns=seen.columns, words=words, sharp=1, empty=seen.empty)
