"""How a search went: its scores trial by trial, epoch by epoch, and two objectives at once."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...core.errors import ConfigurationError, RunError
from ...core.types import Int64Array
from ...core.wording import counted
from ...search.results import StudyRecord, Trial
from ..style import INK, PALETTE, QUIET, SMALL, styled
from .values import ValueAxis, objective_label, score_axis, score_figure, thinned, usable_trials, whole_ticks

_MOST_LINES = 250  # of complete trials, and of pruned ones
_NAMED = 24  # trials of the front whose number is printed

Line: TypeAlias = Float[np.ndarray, "_points 2"]


@dataclass(frozen=True, eq=False)
class Points:
    """Trials with a value: their numbers, and the values."""

    numbers: Int64[np.ndarray, " trials"]
    values: Float[np.ndarray, " trials"]


@dataclass(frozen=True, eq=False)
class SearchHistory:
    """Every trial of a search by its number.

    Args:
        complete: the trials that ran to their end.
        pruned: those that were stopped, each at the last value that it reported.
        best: the best value so far, a point wherever it changed; and a last one at the last trial.
        failed: the numbers of trials that failed or were lost.
        published: number and value of the trial with the default settings, if it is complete.
    """

    axis: ValueAxis
    complete: Points
    pruned: Points
    best: Points
    failed: Int64[np.ndarray, " failed"]
    published: tuple[int, float] | None

    @property
    def beyond(self) -> int:
        """Trials whose value is off the axis."""
        return self.axis.beyond(self.complete.values) + self.axis.beyond(self.pruned.values)


def search_history(record: StudyRecord) -> SearchHistory:
    """Of the first objective.

    Raises:
        RunError: no trial is complete.
    """
    complete = [(trial.number, trial.values[0]) for trial in usable_trials(record)]
    pruned = [(trial.number, trial.last) for trial in record.of_state("pruned") if _reported(trial)]
    steps = [*record.best_so_far]
    steps.append((record.trials[-1].number, steps[-1][1]))
    shown = [value for _, value in complete] + [value for _, value in pruned if value is not None]
    published = [point for point in complete if point[0] == record.published]
    return SearchHistory(
        axis=score_axis(record, shown),
        complete=_points(complete),
        pruned=_points(pruned),
        best=_points(steps),
        failed=np.array([one.number for one in record.of_state("failed", "lost")], dtype=np.int64),
        published=published[0] if published else None,
    )


def _reported(trial: Trial) -> bool:
    return trial.last is not None and bool(np.isfinite(trial.last))


def _points(pairs: list[tuple[int, float]] | list[tuple[int, float | None]]) -> Points:
    return Points(
        np.array([number for number, _ in pairs], dtype=np.int64),
        np.array([value for _, value in pairs], dtype=np.float64),
    )


def _draw_trials(axes: Axes, history: SearchHistory) -> None:
    count = len(history.complete.numbers) + len(history.pruned.numbers)
    size, alpha = float(np.clip(3000 / count, 3, 18)), float(np.clip(800 / count, 0.25, 0.9))
    for points, marker, colour, meaning, line in (
        (history.pruned, "x", PALETTE[1], "pruned, at its last value", 0.9),
        (history.complete, "o", PALETTE[0], "complete", 0),
    ):
        if len(points.numbers):
            inside = np.clip(points.values, history.axis.low, history.axis.high)
            label = f"{meaning}: {len(points.numbers):,}"
            axes.scatter(
                points.numbers,
                inside,
                s=size,
                marker=marker,
                color=colour,
                alpha=alpha,
                linewidths=line,
                label=label,
                rasterized=True,
            )


def _draw_failed(axes: Axes, failed: Int64[np.ndarray, " failed"]) -> None:
    strokes = axes.plot(
        failed,
        np.zeros(len(failed)),
        transform=axes.get_xaxis_transform(),
        color=PALETTE[2],
        marker="|",
        markersize=9,
        markeredgewidth=1.4,
        linestyle="",
        label=f"failed or lost: {len(failed):,}",
    )
    strokes[0].set_clip_on(False)


def draw_history(history: SearchHistory) -> Figure:
    """Trials by number; a value off the axis is drawn on its edge, a failed trial is a stroke at the foot."""
    best = history.best
    with styled():
        figure, axes = score_figure(history.axis, 3.4, "trial")
        _draw_trials(axes, history)
        label = f"best so far: {best.values[-1]:.4g}"
        axes.plot(best.numbers, best.values, color=INK, drawstyle="steps-post", linewidth=1.2, label=label)
        if len(history.failed):
            _draw_failed(axes, history.failed)
        if history.published is not None:
            (mark,) = axes.plot(*zip(history.published, strict=True), color=PALETTE[2], linestyle="")
            mark.set(marker="D", markersize=8, fillstyle="none", label="the default settings")
        if history.beyond:
            axes.plot([], [], linestyle="", label=f"({history.beyond:,} off the axis, on its edge)")
        axes.margins(x=0.02)
        whole_ticks(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=2, handlelength=1.6, columnspacing=1.4)
    return figure


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
        axis=score_axis(record, finite),
        complete=tuple(map(_line, thinned(complete, _MOST_LINES))),
        pruned=tuple(map(_line, thinned(pruned, _MOST_LINES))),
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
        figure, axes = score_figure(reported.axis, 3.2, "epoch")
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
        figure.legend(handles, words, loc="outside upper left", ncols=3, handlelength=1.8, columnspacing=1.4)
    return figure


def _counted(meaning: str, drawn: int, trials: int) -> str:
    return f"{meaning}: {trials:,}" if drawn == trials else f"{meaning}: {drawn:,} of {trials:,}"


@dataclass(frozen=True, eq=False)
class Front:
    """The second objective across, the first upwards.

    Args:
        points: every complete trial: (second, first).
        front: those on the front, from small to large across.
        numbers: the numbers of the latter.
        less_is_better: whether the objective across is minimised.
        published: where the trial with the default settings lies, if it is complete.
    """

    up: ValueAxis
    across: str
    points: Float[np.ndarray, "trials 2"]
    front: Float[np.ndarray, "front 2"]
    numbers: Int64Array
    less_is_better: bool
    published: tuple[float, float] | None


def search_front(record: StudyRecord) -> Front:
    """The front of a search for two objectives.

    Raises:
    ConfigurationError: not two objectives.
    RunError: no trial is complete.
    """
    if len(record.objectives) != 2:
        raise ConfigurationError(
            "a front is drawn of two objectives",
            found=f"{len(record.objectives)}: {', '.join(record.objectives)}",
            do="search for two, or read the table of trials",
        )
    trials = usable_trials(record)
    theirs = [one.values[::-1] for one in trials if one.number == record.published]
    return Front(
        up=score_axis(record, (one.values[0] for one in trials)),
        across=objective_label(record.objectives[1]),
        points=np.array([one.values[::-1] for one in trials], dtype=np.float64),
        front=np.array([one.values[::-1] for one in record.front], dtype=np.float64),
        numbers=np.array([one.number for one in record.front], dtype=np.int64),
        less_is_better=record.directions[1] == "minimize",
        published=(theirs[0][0], theirs[0][1]) if theirs else None,
    )


def draw_front(front: Front) -> Figure:
    """A staircase: what is attained with at most so much across (at least, where more is better)."""
    count = len(front.points)
    with styled():
        figure, axes = score_figure(front.up, 3.4, front.across)
        inside = np.clip(front.points[:, 1], front.up.low, front.up.high)
        label = f"complete trials: {count:,}"
        size = float(np.clip(3000 / count, 3, 16))
        axes.scatter(front.points[:, 0], inside, s=size, color=QUIET, alpha=0.5, linewidths=0, label=label)
        steps = "steps-post" if front.less_is_better else "steps-pre"
        (line,) = axes.plot(*front.front.T, drawstyle=steps, label=f"the front: {len(front.front)}")
        line.set(color=PALETTE[2], marker="D", markersize=5, linewidth=1.3)
        if front.published is not None:
            (mark,) = axes.plot(
                [front.published[0]],
                [np.clip(front.published[1], front.up.low, front.up.high)],
                color=INK,
                linestyle="",
            )
            mark.set(marker="o", markersize=8, fillstyle="none", label="the default settings")
        if len(front.front) <= _NAMED:
            for (across, up), number in zip(front.front, front.numbers, strict=True):
                name = axes.annotate(str(number), (across, up), (-3, -3), textcoords="offset points")
                name.set(ha="right", va="top", fontsize=SMALL, color=INK, zorder=5)
        axes.margins(x=0.06)
        if (front.points[:, 0] == np.round(front.points[:, 0])).all():
            whole_ticks(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=2, handlelength=1.8)
    return figure
