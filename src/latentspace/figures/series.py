"""Numbers against a number: the error at each level of noise, the accuracy for each count of labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..core.errors import DataError
from ..evaluation.baselines import BaselineRecord
from ..evaluation.denoising import NOISY, DenoisingRecord
from .style import MARKERS, PALETTE, QUIET, SMALL, WIDTH, blank, styled
from .text import text_width

_COLOURS = (PALETTE[2], PALETTE[0], PALETTE[4], PALETTE[1], PALETTE[6])


@dataclass(frozen=True, eq=False)
class Series:
    """A line of middles, and the lowest and highest value at each point (the middle, where there is one)."""

    name: str
    middle: Float[np.ndarray, " points"]
    lowest: Float[np.ndarray, " points"]
    highest: Float[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class SeriesPlot:
    """Lines over the same points. `quiet` names a line that is a baseline and is drawn thin."""

    points: Float[np.ndarray, " points"]
    across: str
    up: str
    series: tuple[Series, ...]
    logarithmic: bool = False
    quiet: str = ""


def noise_plot(record: DenoisingRecord) -> SeriesPlot:
    lines = tuple(_line(name, [(error,) for error in errors]) for name, errors in record.errors.items())
    return SeriesPlot(
        points=np.array(record.levels, dtype=np.float64),
        across="standard deviation of the noise (pixels lie in [0, 1])",
        up="mean squared error per pixel, against the clean image",
        series=lines,
        quiet=NOISY,
    )


def labels_plot(record: BaselineRecord) -> SeriesPlot:
    """The mean over the draws of labels, and the lowest and highest of them."""
    names = tuple(record.fewer[0].accuracies)
    return SeriesPlot(
        points=np.array([one.labels for one in record.fewer], dtype=np.float64),
        across="labels that were learned from, log scale",
        up="accuracy, share of the test images",
        series=tuple(_line(name, [one.accuracies[name] for one in record.fewer]) for name in names),
        logarithmic=True,
    )


def code_size_plot(sizes: Sequence[int | float], errors: Sequence[float]) -> SeriesPlot:
    return SeriesPlot(
        points=np.array(sizes, dtype=np.float64),
        across="numbers of the code that are decoded, log scale",
        up="mean squared error per pixel",
        series=(_line("the first numbers of each code", [(error,) for error in errors]),),
        logarithmic=True,
    )


def _line(name: str, values: list[tuple[float, ...]]) -> Series:
    middles, lowest, highest = (
        np.array([function(row) for row in values], dtype=np.float64)
        for function in (np.mean, np.min, np.max)
    )
    if not np.isfinite(middles).all():
        raise DataError(
            "every number of a line must be finite",
            found=f"{name}: {middles.tolist()}",
            do="measure it again",
        )
    return Series(name, middles, lowest, highest)


def draw_series(plot: SeriesPlot) -> Figure:
    with styled():
        figure = blank(WIDTH, 3.4, constrained=True)
        axes = figure.add_subplot()
        for number, series in enumerate(plot.series):
            _draw(axes, plot, series, number)
        axes.set_xlabel(plot.across)
        axes.set_title(plot.up, loc="left")
        axes.set_ylim(bottom=0)
        if plot.logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(_told_apart(plot.points.tolist())))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        figure.legend(loc="outside upper left", handlelength=2.4, ncols=2)
    return figure


def _told_apart(points: Sequence[int | float]) -> list[int | float]:
    """Those, ascending on a log scale, whose numbers do not run into each other: the last, and so on down."""
    kept = [points[-1]]
    across = 0.8 * WIDTH / max(math.log(points[-1] / points[0]), 1e-9)  # inches of the axis
    for point in reversed(points[:-1]):
        words = sum(text_width(f" {one:,.0f} ", SMALL) / 2 for one in (point, kept[-1]))
        if across * math.log(kept[-1] / point) > words:
            kept.append(point)
    return kept[::-1]


def _draw(axes: Axes, plot: SeriesPlot, series: Series, number: int) -> None:
    quiet = series.name == plot.quiet
    axes.plot(
        plot.points,
        series.middle,
        label=series.name,
        color=QUIET if quiet else _COLOURS[number % len(_COLOURS)],
        linestyle=":" if quiet else "-",
        marker="" if quiet else MARKERS[number % len(MARKERS)],
        markersize=4,
    )
    if (series.lowest < series.highest).any():
        axes.fill_between(
            plot.points,
            series.lowest,
            series.highest,
            color=_COLOURS[number % len(_COLOURS)],
            alpha=0.15,
            lw=0,
        )
