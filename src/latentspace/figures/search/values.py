"""What the figures of a search share: the axis of the scores, its ticks, its colours."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from ...core.errors import RunError
from ...core.wording import counted
from ...evaluation.metrics import METRICS, label
from ...experiment.tasks import Direction
from ...search.results import StudyRecord, Trial
from ..style import QUIET, SMALL, WIDTH, blank

# From light to dark in one hue: it reads the same under every colour vision, and in grey.
GRADIENT = LinearSegmentedColormap.from_list("light to dark", ["#d3dde7", "#3f90da", "#0a2747"])

_LOG = 5.0  # from such a ratio of the largest to the smallest on, the scale is logarithmic
_TAIL = 6.0  # how many times farther from the best than the median is: what lies beyond is not on the axis
_NAMED = (1, 2, 3, 5)  # the digits that are printed on a logarithmic axis


@dataclass(frozen=True)
class ValueAxis:
    """An axis of scores.

    Args:
        label: what the values are, with their unit.
        log: whether the scale is logarithmic.
        low, high: the axis' limits.
    """

    label: str
    log: bool
    low: float
    high: float

    @property
    def title(self) -> str:
        return self.label + (", log scale" if self.log else "")

    def places(self, values: Float[np.ndarray, " _any"]) -> Float[np.ndarray, " _any"]:
        """0 at the low limit and 1 at the high one; what lies beyond is put on the limit."""
        inside = np.clip(values, self.low, self.high)
        scaled = (
            np.log([self.low, self.high, *inside]) if self.log else np.array([self.low, self.high, *inside])
        )
        return np.asarray((scaled[2:] - scaled[0]) / (scaled[1] - scaled[0]))

    def beyond(self, values: Float[np.ndarray, " _any"]) -> int:
        return int(((values < self.low) | (values > self.high)).sum())


def objective_label(name: str) -> str:
    """`mse` -> "validation mean squared error per pixel"; what is no metric keeps its own name."""
    return f"validation {label(name)}" if name in METRICS else name.replace("_", " ")


def value_axis(values: Iterable[float], objective: str, direction: Direction) -> ValueAxis:
    """An axis on which the good values are told apart, be a few others as bad as they like.

    Args:
        values: at least one finite; others are passed over.
    """
    numbers = np.array([value for value in values if np.isfinite(value)], dtype=np.float64)
    log = bool(numbers.min() > 0 and numbers.max() > _LOG * numbers.min())
    scaled = np.log(numbers) if log else numbers
    sign = 1 if direction == "minimize" else -1
    best = (sign * scaled).min()
    far = min((sign * scaled).max(), best + _TAIL * (np.median(sign * scaled) - best))
    if far <= best:  # at least half of them equal the best
        far = (sign * scaled).max()
    margin = 0.06 * (far - best) or 0.06 * abs(best) or 1.0
    ends = sorted((sign * (best - margin), sign * (far + margin)))
    low, high = np.exp(ends) if log else ends
    return ValueAxis(objective_label(objective), log, float(low), float(high))


def score_axis(record: StudyRecord, values: Iterable[float]) -> ValueAxis:
    """The axis of the first objective; `values` as for `value_axis`."""
    return value_axis(values, record.objectives[0], record.directions[0])


def usable_trials(record: StudyRecord) -> tuple[Trial, ...]:
    """The trials that a figure can be drawn of.

    Raises:
        RunError: there are none.
    """
    if not record.usable:
        raise RunError(
            "a figure of a search needs a complete trial with a finite value",
            found=f"{counted(len(record.trials), 'trial')}, none of them such",
            do="let the search run on, or look at the reasons why its trials failed",
        )
    return record.usable


def thinned(trials: tuple[Trial, ...], most: int) -> tuple[Trial, ...]:
    """At most so many of them, evenly from the first to the last, both kept."""
    if len(trials) <= most:
        return trials
    return tuple(trials[place] for place in np.linspace(0, len(trials) - 1, most).round().astype(int))


def score_figure(axis: ValueAxis, height: float, across: str) -> tuple[Figure, Axes]:
    """A figure of one panel, its scores upwards, to be drawn in within `styled()`."""
    figure = blank(WIDTH, height, constrained=True)
    axes = figure.add_subplot()
    scale(axes, axis)
    axes.set_title(axis.title, loc="left")
    axes.set_xlabel(across)
    return figure, axes


def scale(axes: Axes, axis: ValueAxis) -> None:
    """Give the vertical axis its scale, limits and ticks."""
    if axis.log:
        axes.set_yscale("log")
        logarithmic_ticks(axes.yaxis)
    axes.set_ylim(axis.low, axis.high)


def logarithmic_ticks(axis: Axis) -> None:
    """Plain numbers, at 1, 2, 3 and 5 only: more would run into each other."""
    axis.set_major_locator(LogLocator(subs=(1.0,)))
    axis.set_minor_locator(LogLocator(subs=tuple(map(float, range(2, 10)))))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(FuncFormatter(_plain))
    axis.set_tick_params(which="minor", labelsize=SMALL, color=QUIET)
    axis.grid(which="both")


def whole_ticks(axis: Axis, bins: int = 8) -> None:
    axis.set_major_locator(MaxNLocator(nbins=bins, steps=[1, 2, 5, 10], integer=True))


def _plain(value: float, _: object) -> str:
    digit = round(value / 10 ** np.floor(np.log10(value))) if value > 0 else 0
    return f"{value:g}" if digit in _NAMED else ""
