"""How a search went: each trial's value, the best so far, and what became of the trials without one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...search.results import StudyRecord, Trial
from ..style import INK, PALETTE, WIDTH, blank, styled
from .values import ValueAxis, judged, scale, value_axis, whole_ticks


@dataclass(frozen=True, eq=False)
class Points:
    """Trials with a value: their numbers, and the values."""

    numbers: Int64[np.ndarray, " trials"]
    values: Float[np.ndarray, " trials"]


@dataclass(frozen=True, eq=False)
class SearchHistory:
    """Args:
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
    complete = [(trial.number, trial.values[0]) for trial in judged(record)]
    pruned = [(trial.number, trial.last) for trial in record.of_state("pruned") if _reported(trial)]
    steps = [*record.best_so_far]
    steps.append((record.trials[-1].number, steps[-1][1]))
    shown = [value for _, value in complete] + [value for _, value in pruned if value is not None]
    published = [point for point in complete if point[0] == record.published]
    return SearchHistory(
        axis=value_axis(shown, record.objectives[0], record.directions[0]),
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
    """Trials by number; a value off the axis stands on its edge, a failed trial is a stroke at the foot."""
    best = history.best
    with styled():
        figure = blank(WIDTH, 3.4, constrained=True)
        axes = figure.add_subplot()
        scale(axes, history.axis)
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
        axes.set_title(history.axis.title, loc="left")
        axes.set_xlabel("trial")
        axes.margins(x=0.02)
        whole_ticks(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=2, handlelength=1.6, columnspacing=1.4)
    return figure
