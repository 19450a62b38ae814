"""The confusion matrix as a map of greys, its counts printed."""

import math

import numpy as np
from matplotlib.figure import Figure

from ..evaluation.confusion import Confusion
from .style import INK, SMALL, WIDTH, blank, styled
from .text import legible

_PRINTED = 20  # classes up to which counts are printed
_SIDE = 3.5 * 72  # points that the matrix is high, at least
_SMALLEST, _LEADING = 5.0, 1.15  # points of a name that can still be read, and its line's height


def draw_confusion(confusion: Confusion) -> Figure:
    """Rows are labels, columns are predictions; a cell is as dark as its share of its row."""
    counts = confusion.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [legible(name, limit=12) for name in confusion.class_names]
    with styled():
        figure = blank(WIDTH, WIDTH * 0.93, constrained=True)
        axes = figure.add_subplot()
        axes.imshow(
            np.sqrt(shares), cmap="Blues", vmin=0, vmax=1.15, aspect="equal"
        )  # small shares stay visible
        axes.grid(visible=False)
        axes.tick_params(length=0)
        turned = 90 if max(map(len, names)) > 2 or len(names) > _PRINTED else 0
        size, step = named(len(names))
        places = range(0, len(names), step)
        axes.set_xticks(places, names[::step], rotation=turned, size=size)
        axes.set_yticks(places, names[::step], size=size)
        axes.set_xlabel("predicted")
        axes.set_ylabel("labelled")
        if len(names) <= _PRINTED:
            for (row, column), count in np.ndenumerate(counts):
                if count:
                    dark = shares[row, column] > 0.4
                    axes.text(
                        column,
                        row,
                        f"{count}",
                        ha="center",
                        va="center",
                        size=SMALL,
                        color="white" if dark else INK,
                    )
    return figure


def named(classes: int) -> tuple[float, int]:
    """The size of the names in points, and that each how-many-th class has its name printed."""
    room = _SIDE / classes / _LEADING
    return min(SMALL, max(_SMALLEST, room)), max(1, math.ceil(_SMALLEST / room))
