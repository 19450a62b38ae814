"""Parallel coordinates: every trial a line through its settings, down to its score."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ...experiment.search_space import Choices, Parameter
from ...search.positions import in_order, in_words, labels, position
from ...search.results import StudyRecord, Trial
from ..style import HAIRLINE, INK, SMALL, WIDTH, blank, styled
from ..text import legible, wrapped
from .slices import by_importance
from .values import GRADIENT, ValueAxis, judged, thinned, value_axis

_MOST_LINES = 400
_MOST_AXES = 14
_BAND = 0.05  # of an axis: lines through one choice lie so far apart
_LEFT = 1.05  # inches for the names


@dataclass(frozen=True)
class Coordinate:
    """One axis: its name, and what is printed at which places of it, from 0 to 1."""

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, eq=False)
class ParallelCoordinates:
    """Args:
    coordinates: from top to bottom, the score last.
    lines: a row a trial, the worst first: its place on each axis; not-a-number where it has no such setting.
    trials: how many there are; perhaps more than lines.
    """

    value: ValueAxis
    coordinates: tuple[Coordinate, ...]
    lines: Float[np.ndarray, "lines axes"]
    trials: int


def parallel_coordinates(record: StudyRecord, objective: int = 0) -> ParallelCoordinates:
    """Complete trials: all, or 400 evenly from the best to the worst.

    Raises:
        RunError: no trial is complete.
    """
    trials = judged(record)
    chosen = thinned(record.ranked(objective), _MOST_LINES)[::-1]
    settings = by_importance(record, objective)[:_MOST_AXES]
    names = labels(record.searched)
    value = value_axis(
        (trial.values[objective] for trial in trials),
        record.objectives[objective],
        record.directions[objective],
    )
    columns = [_column(chosen, setting, record.searched[setting]) for setting in settings]
    scores = value.places(np.array([trial.values[objective] for trial in chosen], dtype=np.float64))
    coordinates = [Coordinate(names[setting], _ticks(record.searched[setting])) for setting in settings]
    ends = ((0.0, f"{value.low:.3g}"), (1.0, f"{value.high:.3g}"))
    score = record.objectives[objective].replace("_", " ")
    return ParallelCoordinates(
        value=value,
        coordinates=(*coordinates, Coordinate(score, ends)),
        lines=np.stack([*columns, scores], axis=1),
        trials=len(trials),
    )


def _column(trials: tuple[Trial, ...], setting: str, searched: Parameter) -> Float[np.ndarray, " lines"]:
    """Places of one setting; those of a choice in a narrow band, the worst trial at its low side."""
    places = np.array(
        [
            position(searched, trial.params[setting]) if setting in trial.params else np.nan
            for trial in trials
        ],
        dtype=np.float64,
    )
    band = np.linspace(-_BAND / 2, _BAND / 2, len(trials)) if isinstance(searched, Choices) else 0.0
    return places + band


def _ticks(searched: Parameter) -> tuple[tuple[float, str], ...]:
    """Choices by name; of a range its ends, and round numbers well inside."""
    if isinstance(searched, Choices):
        return tuple(
            (position(searched, one), legible(in_words(one), limit=10)) for one in in_order(searched)
        )
    if searched.low == searched.high:
        return ((0.5, in_words(searched.low)),)
    if searched.log:
        powers = range(int(np.ceil(np.log10(searched.low))), int(np.floor(np.log10(searched.high))) + 1)
        between = [10.0**power for power in powers]
    else:
        between = list(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(searched.low, searched.high))
    inside = [(position(searched, float(one)), f"{one:g}") for one in between]
    kept = [(at, text) for at, text in inside if 0.12 < at < 0.88]
    return ((0.0, in_words(searched.low)), *kept, (1.0, in_words(searched.high)))


def _draw_lines(axes: Axes, parallel: ParallelCoordinates) -> None:
    count, across = parallel.lines.shape
    heights = np.broadcast_to(np.arange(across, dtype=np.float64), (count, across))
    shades = np.linspace(0, 1, count) if count > 1 else np.ones(1)
    lines = LineCollection(
        list(np.stack([parallel.lines, heights], axis=2)),
        colors=GRADIENT(shades),
        linewidths=float(np.clip(60 / count, 0.45, 1.1)),
        alpha=float(np.clip(120 / count, 0.4, 0.95)),
        zorder=2,
    )
    axes.add_collection(lines)
    axes.plot(parallel.lines[-1], heights[-1], color=INK, linewidth=1.8, zorder=3)


def _draw_axis(axes: Axes, at: int, coordinate: Coordinate) -> None:
    axes.axhline(at, color=HAIRLINE, linewidth=0.9, zorder=1)
    name = wrapped(coordinate.name, _LEFT - 0.15, SMALL)
    axes.text(-0.05, at, name, ha="right", va="center", fontsize=SMALL, color=INK)
    for across, text in coordinate.ticks:
        axes.plot([across], [at], marker="|", color=INK, markersize=5, zorder=4)
        label = axes.annotate(text, (across, at), (0, -4), textcoords="offset points", ha="center", va="top")
        label.set(fontsize=SMALL - 0.5, color=INK, zorder=5)
        label.set_bbox({"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6})


def draw_parallel(parallel: ParallelCoordinates) -> Figure:
    """The axes lie under each other, so that their names can be read; dark lines are the better trials."""
    count = len(parallel.coordinates)
    height = 0.55 + 0.42 * count
    with styled():
        figure = blank(WIDTH, height)
        axes = figure.add_axes((_LEFT / WIDTH, 0.25 / height, 1 - (_LEFT + 0.25) / WIDTH, 1 - 0.55 / height))
        _draw_lines(axes, parallel)
        for at, coordinate in enumerate(parallel.coordinates):
            _draw_axis(axes, at, coordinate)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(count - 0.6, -0.35)
        axes.set_axis_off()
        _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=GRADIENT(0.1), linewidth=1.2),
        Line2D([], [], color=GRADIENT(1.0), linewidth=1.2),
        Line2D([], [], color=INK, linewidth=2),
    ]
    words = ["worse trials", "better trials", "the best"]
    figure.legend(handles, words, loc="upper left", ncols=3, handlelength=1.6, bbox_to_anchor=(0.01, 1.0))
