"""Two objectives at once: every trial, and the front of those that nothing beats in both."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ...core.errors import ConfigurationError
from ...core.types import Int64Array
from ...search.results import StudyRecord
from ..style import INK, PALETTE, QUIET, SMALL, WIDTH, blank, styled
from .values import ValueAxis, judged, objective_label, scale, value_axis, whole_ticks

_NAMED = 24  # trials of the front whose number is printed


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
    """Raises:
    ConfigurationError: not two objectives.
    RunError: no trial is complete.
    """
    if len(record.objectives) != 2:
        raise ConfigurationError(
            "a front is drawn of two objectives",
            found=f"{len(record.objectives)}: {', '.join(record.objectives)}",
            do="search for two, or read the table of trials",
        )
    trials = judged(record)
    theirs = [one.values[::-1] for one in trials if one.number == record.published]
    return Front(
        up=value_axis((one.values[0] for one in trials), record.objectives[0], record.directions[0]),
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
        figure = blank(WIDTH, 3.4, constrained=True)
        axes = figure.add_subplot()
        scale(axes, front.up)
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
        axes.set_title(front.up.title, loc="left")
        axes.set_xlabel(front.across)
        axes.margins(x=0.06)
        if (front.points[:, 0] == np.round(front.points[:, 0])).all():
            whole_ticks(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=2, handlelength=1.8)
    return figure
