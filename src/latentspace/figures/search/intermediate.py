"""The score of every trial, epoch by epoch: those that ran to their end, and those that were pruned."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...core.errors import RunError
from ...core.wording import counted
from ...search.results import StudyRecord, Trial
from ..style import INK, PALETTE, WIDTH, blank, styled
from .values import ValueAxis, scale, thinned, value_axis, whole_ticks

_MOST = 250  # lines of each kind

Line: TypeAlias = Float[np.ndarray, "_points 2"]


@dataclass(frozen=True, eq=False)
class ReportedValues:
    """Lines of (epoch, value); a value that was not finite is a gap.

    Args:
        best: the best trial's, or None where no trial that reported is complete.
        complete_trials, pruned_trials: how many there are; perhaps more than lines.
    """

    axis: ValueAxis
    complete: tuple[Line, ...]
    pruned: tuple[Line, ...]
    best: Line | None
    complete_trials: int
    pruned_trials: int


def reported_values(record: StudyRecord) -> ReportedValues:
    """At most 250 lines of each kind: complete ones evenly from the best to the worst, pruned ones by number.

    Raises:
        RunError: no trial reported a finite value.
    """
    complete = tuple(trial for trial in record.ranked() if trial.reports)
    pruned = tuple(trial for trial in record.of_state("pruned") if trial.reports)
    finite = [value for one in (*complete, *pruned) for _, value in one.reports if np.isfinite(value)]
    if not finite:
        raise RunError(
            "a figure of the reported values needs a trial that reported one",
            found=f"{counted(len(record.trials), 'trial')}, none of them such",
            do="let the search run on; a search for several objectives reports none",
        )
    return ReportedValues(
        axis=value_axis(finite, record.objectives[0], record.directions[0]),
        complete=tuple(map(_line, thinned(complete, _MOST))),
        pruned=tuple(map(_line, thinned(pruned, _MOST))),
        best=_line(complete[0]) if complete else None,
        complete_trials=len(complete),
        pruned_trials=len(pruned),
    )


def _line(trial: Trial) -> Line:
    line = np.array(trial.reports, dtype=np.float64)
    line[~np.isfinite(line[:, 1]), 1] = np.nan
    return line


def _draw_lines(axes: Axes, lines: tuple[Line, ...], colour: str) -> None:
    alpha = float(np.clip(30 / max(1, len(lines)), 0.3, 0.8))
    axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.7, alpha=alpha))


def _draw_pruned(axes: Axes, pruned: tuple[Line, ...]) -> Line2D:
    """The lines and their ends; what stands for them in the legend."""
    _draw_lines(axes, pruned, PALETTE[1])
    ends = np.array([line[-1] for line in pruned])
    (crosses,) = axes.plot(ends[:, 0], ends[:, 1], linestyle="", marker="x", color=PALETTE[1], zorder=3)
    handle = Line2D([], [], linewidth=1.2, marker="x", color=PALETTE[1])
    for one in (crosses, handle):
        one.set(markersize=3.5, markeredgewidth=0.9)
    return handle


def draw_reported(reported: ReportedValues) -> Figure:
    """Pruned trials end in a cross; the best trial is the strong line."""
    handles, words = [], []
    with styled():
        figure = blank(WIDTH, 3.2, constrained=True)
        axes = figure.add_subplot()
        scale(axes, reported.axis)
        if reported.pruned:
            handles.append(_draw_pruned(axes, reported.pruned))
            words.append(_counted("pruned where it ends", len(reported.pruned), reported.pruned_trials))
        if reported.complete:
            _draw_lines(axes, reported.complete, PALETTE[0])
            handles.append(Line2D([], [], color=PALETTE[0], linewidth=1.2))
            words.append(_counted("complete", len(reported.complete), reported.complete_trials))
        if reported.best is not None:
            (line,) = axes.plot(*reported.best.T, color=INK, linewidth=1.6, zorder=4)
            handles.append(line)
            words.append("the best")
        last = max(line[:, 0].max() for line in (*reported.complete, *reported.pruned))
        axes.set_xlim(min(0.5, last / 2), last + 0.5)
        whole_ticks(axes.xaxis)
        axes.set_title(reported.axis.title, loc="left")
        axes.set_xlabel("epoch")
        figure.legend(handles, words, loc="outside upper left", ncols=3, handlelength=1.8, columnspacing=1.4)
    return figure


def _counted(meaning: str, drawn: int, trials: int) -> str:
    return f"{meaning}: {trials:,}" if drawn == trials else f"{meaning}: {drawn:,} of {trials:,}"
