"""Each setting against the score: one panel a setting."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...core.types import Int64Array
from ...experiment.search_space import Choices, Parameter
from ...search.positions import in_order, in_words, labels
from ...search.results import StudyRecord, Trial
from ..style import BODY, INK, WIDTH, blank, styled
from ..text import legible
from .values import GRADIENT, ValueAxis, judged, logarithmic_ticks, scale, value_axis, whole_ticks

_MOST = 12  # panels
_ACROSS = 2
_GOLDEN = 0.618  # multiples of it, less their whole part, fill a band evenly: marks of one choice lie apart


@dataclass(frozen=True, eq=False)
class Slice:
    """Args:
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


def search_slices(record: StudyRecord, objective: int = 0) -> Slices:
    """All complete trials, at one objective.

    Raises:
        RunError: no trial is complete.
    """
    trials = judged(record)
    names = labels(record.searched)
    order = by_importance(record, objective)
    best = record.ranked(objective)[0]
    return Slices(
        axis=value_axis(
            (trial.values[objective] for trial in trials),
            record.objectives[objective],
            record.directions[objective],
        ),
        panels=tuple(
            _slice(names[setting], setting, record.searched[setting], trials, best, objective)
            for setting in order[:_MOST]
        ),
        left_out=tuple(names[setting] for setting in order[_MOST:]),
        trials=len(trials),
    )


def by_importance(record: StudyRecord, objective: int = 0) -> list[str]:
    """The searched settings, the most important first; those of which nothing is known last, as searched."""
    shares = record.importances[objective].shares if record.importances else {}
    return sorted(record.searched, key=lambda setting: -shares.get(setting, 0.0))


def _slice(
    name: str,
    setting: str,
    searched: Parameter,
    trials: tuple[Trial, ...],
    best: Trial,
    objective: int,
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
        values=np.array([trial.values[objective] for trial in own], dtype=np.float64),
        numbers=np.array([trial.number for trial in own], dtype=np.int64),
        choices=choices,
        low=ends[0],
        high=ends[1],
        log=log,
        best=(place[best.number], best.values[objective]) if best.number in place else None,
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


def _legend(figure: Figure, slices: Slices) -> None:
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
        _legend(figure, slices)
    return figure
