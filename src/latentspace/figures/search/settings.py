"""The score by setting: each setting against the score, and all of them at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ...core.types import Int64Array
from ...experiment.search_space import Choices, Parameter
from ...search.positions import in_order, in_words, labels, position
from ...search.results import StudyRecord, Trial
from ..style import BODY, HAIRLINE, INK, SMALL, WIDTH, blank, styled
from ..text import legible, wrapped
from .values import (
    GRADIENT,
    ValueAxis,
    logarithmic_ticks,
    scale,
    score_axis,
    thinned,
    usable_trials,
    whole_ticks,
)

_MOST_PANELS = 12
_ACROSS = 2  # panels
_GOLDEN = 0.618  # multiples of it, less their whole part, fill a band evenly: marks of one choice lie apart
_MOST_LINES = 400
_MOST_AXES = 14
_BAND = 0.05  # of an axis: lines through one choice lie so far apart
_LEFT = 1.05  # inches for the names


@dataclass(frozen=True, eq=False)
class Slice:
    """One setting against the score.

    Args:
        places: the setting's value in each trial; of choices, which one it is.
        choices: their names in order, or none for a range.
        low, high: the ends of the range; of choices, the first and the last.
        best: place and value of the best trial, if it has this setting.
    """

    name: str
    places: Float[np.ndarray, " trials"]
    values: Float[np.ndarray, " trials"]
    numbers: Int64Array
    choices: tuple[str, ...]
    low: float
    high: float
    log: bool
    best: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Slices:
    """Panels, the most important setting first where that is known; `left_out` had no panel left."""

    axis: ValueAxis
    panels: tuple[Slice, ...]
    left_out: tuple[str, ...]
    trials: int


def search_slices(record: StudyRecord) -> Slices:
    """All complete trials, at the first objective.

    Raises:
        RunError: no trial is complete.
    """
    trials = usable_trials(record)
    names = labels(record.searched)
    order = by_importance(record)
    best = record.ranked()[0]
    return Slices(
        axis=score_axis(record, (trial.values[0] for trial in trials)),
        panels=tuple(
            _slice(names[setting], setting, record.searched[setting], trials, best)
            for setting in order[:_MOST_PANELS]
        ),
        left_out=tuple(names[setting] for setting in order[_MOST_PANELS:]),
        trials=len(trials),
    )


def by_importance(record: StudyRecord) -> list[str]:
    """The searched settings, the most important first; those of which nothing is known last, as searched."""
    shares = record.importances[0].shares if record.importances else {}
    return sorted(record.searched, key=lambda setting: -shares.get(setting, 0.0))


def _slice(
    name: str,
    setting: str,
    searched: Parameter,
    trials: tuple[Trial, ...],
    best: Trial,
) -> Slice:
    own = [trial for trial in trials if setting in trial.params]
    if isinstance(searched, Choices):
        order = in_order(searched)
        choices, ends, log = tuple(map(in_words, order)), (0.0, len(order) - 1.0), False
        place = {trial.number: float(order.index(trial.params[setting])) for trial in own}
    else:
        choices, ends, log = (), (float(searched.low), float(searched.high)), searched.log
        place = {trial.number: float(trial.params[setting]) for trial in own}
    return Slice(
        name=name,
        places=np.array([place[trial.number] for trial in own], dtype=np.float64),
        values=np.array([trial.values[0] for trial in own], dtype=np.float64),
        numbers=np.array([trial.number for trial in own], dtype=np.int64),
        choices=choices,
        low=ends[0],
        high=ends[1],
        log=log,
        best=(place[best.number], best.values[0]) if best.number in place else None,
    )


def _draw_panel(axes: Axes, panel: Slice, axis: ValueAxis, last: int) -> None:
    size = float(np.clip(2500 / max(1, len(panel.places)), 2.5, 14))
    aside = ((panel.numbers * _GOLDEN) % 1 - 0.5) * (0.5 if panel.choices else 0.0)
    inside = np.clip(panel.values, axis.low, axis.high)
    shade = panel.numbers / max(1, last)
    axes.scatter(
        panel.places + aside, inside, s=size, c=shade, cmap=GRADIENT, vmin=0, vmax=1, rasterized=True
    )
    if panel.best is not None:
        at = panel.best[0] + aside[panel.values == panel.best[1]][0]
        ring = _ring([float(at)], [panel.best[1]])
        ring.set_clip_on(False)
        axes.add_line(ring)
    axes.set_title(legible(panel.name), loc="left")
    if panel.choices:
        axes.set_xticks(range(len(panel.choices)), [legible(one, limit=10) for one in panel.choices])
        axes.set_xlim(-0.5, len(panel.choices) - 0.5)
        axes.grid(visible=False, axis="x")
        return
    if panel.log:
        axes.set_xscale("log")
        logarithmic_ticks(axes.xaxis)
        axes.tick_params(axis="x", which="minor", labelbottom=False)
        axes.grid(visible=False, axis="x", which="minor")
    elif float(panel.low).is_integer() and float(panel.high).is_integer():
        whole_ticks(axes.xaxis, 6)
    ends = np.log([panel.low, panel.high]) if panel.log else np.array([panel.low, panel.high])
    margin = 0.04 * (ends[1] - ends[0]) or 0.5
    limits = ends + np.array([-margin, margin])
    axes.set_xlim(*(np.exp(limits) if panel.log else limits))


def _ring(across: list[float], up: list[float]) -> Line2D:
    return Line2D(across, up, color=INK, marker="o", markersize=7, linestyle="", fillstyle="none", zorder=4)


def _slices_legend(figure: Figure, slices: Slices) -> None:
    dots = [
        Line2D([], [], color=GRADIENT(shade), marker="o", markersize=4, linestyle="") for shade in (0.0, 1.0)
    ]
    legend = figure.legend(
        [*dots, _ring([], [])],
        ["the first trials", "the last", "the best"],
        loc="outside upper left",
        ncols=3,
        title=slices.axis.title,
        handletextpad=0.2,
    )
    legend.set_alignment("left")
    legend.get_title().set_fontsize(BODY)


def draw_slices(slices: Slices) -> Figure:
    """Two panels side by side over one scale of values; light marks are early trials, dark ones late."""
    rows = -(-len(slices.panels) // _ACROSS)
    last = max((int(panel.numbers.max()) for panel in slices.panels if len(panel.numbers)), default=0)
    with styled():
        figure = blank(WIDTH, 0.7 + 1.35 * rows, constrained=True)
        grid = figure.subplots(rows, _ACROSS, sharey=True, squeeze=False)
        scale(grid[0, 0], slices.axis)
        for axes, panel in zip(grid.flat, slices.panels, strict=False):
            axes.grid(visible=True, axis="y", which="both")
            _draw_panel(axes, panel, slices.axis, last)
        for axes in grid.flat[len(slices.panels) :]:
            axes.remove()
        _slices_legend(figure, slices)
    return figure


@dataclass(frozen=True)
class Coordinate:
    """One axis: its name, and what is printed at which places of it, from 0 to 1."""

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, eq=False)
class ParallelCoordinates:
    """Trials as lines through their settings.

    Args:
        coordinates: from top to bottom, the score last.
        lines: a row a trial, the worst first: its place on each axis; NaN where it has no such setting.
        trials: how many there are; perhaps more than lines.
    """

    value: ValueAxis
    coordinates: tuple[Coordinate, ...]
    lines: Float[np.ndarray, "lines axes"]
    trials: int


def parallel_coordinates(record: StudyRecord) -> ParallelCoordinates:
    """Complete trials: all, or 400 evenly from the best to the worst.

    Raises:
        RunError: no trial is complete.
    """
    trials = usable_trials(record)
    chosen = thinned(record.ranked(), _MOST_LINES)[::-1]
    settings = by_importance(record)[:_MOST_AXES]
    names = labels(record.searched)
    value = score_axis(record, (trial.values[0] for trial in trials))
    columns = [_column(chosen, setting, record.searched[setting]) for setting in settings]
    scores = value.places(np.array([trial.values[0] for trial in chosen], dtype=np.float64))
    coordinates = [Coordinate(names[setting], _ticks(record.searched[setting])) for setting in settings]
    ends = ((0.0, f"{value.low:.3g}"), (1.0, f"{value.high:.3g}"))
    score = record.objectives[0].replace("_", " ")
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


def _draw_parallel_lines(axes: Axes, parallel: ParallelCoordinates) -> None:
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
        _draw_parallel_lines(axes, parallel)
        for at, coordinate in enumerate(parallel.coordinates):
            _draw_axis(axes, at, coordinate)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(count - 0.6, -0.35)
        axes.set_axis_off()
        _parallel_legend(figure)
    return figure


def _parallel_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=GRADIENT(0.1), linewidth=1.2),
        Line2D([], [], color=GRADIENT(1.0), linewidth=1.2),
        Line2D([], [], color=INK, linewidth=2),
    ]
    words = ["worse trials", "better trials", "the best"]
    figure.legend(handles, words, loc="upper left", ncols=3, handlelength=1.6, bbox_to_anchor=(0.01, 1.0))
