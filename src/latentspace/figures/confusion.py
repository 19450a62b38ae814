"""The confusion matrix as a map of greys, its counts printed."""

import numpy as np
from matplotlib.figure import Figure

from ..evaluation.classes import Confusion
from .lettering import legible
from .style import INK, SMALL, WIDTH, blank, styled

_PRINTED = 20  # classes up to which counts are printed


def draw_confusion(confusion: Confusion) -> Figure:
    """Rows are labels, columns what they are taken for; a cell is as dark as its share of its row."""
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
        turned = 90 if max(map(len, names)) > 2 else 0
        axes.set_xticks(range(len(names)), names, rotation=turned)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("taken for")
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
