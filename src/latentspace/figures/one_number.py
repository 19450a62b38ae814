"""Codes of one number: where on its axis they lie, by a histogram for each class."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import BODY, INK, WIDTH, blank, styled
from .text import legible, wrapped

BINS = 48
_HIGHEST = 0.85  # of a row: its highest bar
_ROW = 0.26  # inches
_LINE = 3.6  # inches of the line over it, about


class CodesOfClass(NamedTuple):
    """The codes of one class, or of all images.

    Args:
        name: empty where there is one row alone.
        median: of all codes, drawn or not.
    """

    name: str
    codes: Float[np.ndarray, " codes"]
    median: float
    colour: str


def draw_histograms(rows: Sequence[CodesOfClass], line: str) -> Figure:
    """A row for each class, the first one on top; of one row alone the counts are on the axis.

    Args:
        line: over the figure.
    """
    edges = np.histogram_bin_edges(np.concatenate([row.codes for row in rows]), BINS)
    with styled():
        figure = blank(WIDTH, 1.1 + max(1.4, _ROW * len(rows)), constrained=True)
        axes = figure.add_subplot()
        if len(rows) == 1:
            axes.stairs(np.histogram(rows[0].codes, edges)[0], edges, fill=True, color=rows[0].colour)
            axes.set_ylabel("codes")
        else:
            _rows(axes, rows, edges)
        axes.set_xlabel("the one number of the code")
        axes.set_title(wrapped(line, _LINE, BODY), loc="left")
    return figure


def _rows(axes: Axes, rows: Sequence[CodesOfClass], edges: Float[np.ndarray, " edges"]) -> None:
    places = range(len(rows) - 1, -1, -1)
    for place, row in zip(places, rows, strict=True):
        counts = np.histogram(row.codes, edges)[0] / max(1, np.histogram(row.codes, edges)[0].max())
        axes.stairs(place + _HIGHEST * counts, edges, baseline=place, fill=True, color=row.colour)
        axes.plot([row.median] * 2, [place, place + _HIGHEST], color=INK, linewidth=1.2)
    axes.set_ylim(0, len(rows))
    axes.set_yticks(list(places), [legible(row.name, limit=20) for row in rows], va="bottom")
    axes.tick_params(axis="y", length=0)
