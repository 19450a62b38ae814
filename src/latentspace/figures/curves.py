"""Curves of a training: what was measured in each epoch, one panel for each term."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..core.errors import ConfigurationError, RunError
from ..core.wording import counted
from .style import INK, PALETTE, QUIET, WIDTH, blank, styled

CurvePart: TypeAlias = Literal["train", "validation"]


@dataclass(frozen=True)
class Term:
    """A number of the records: its name there, its axis label with the unit, and which way is better."""

    name: str
    label: str
    better: Literal["lower", "higher"] | None = "lower"


# What each curve is drawn on, as the legend says it.
MEANING: Mapping[CurvePart, str] = {
    "train": "training: mean over the epoch, as it was trained on",
    "validation": "validation: the whole split, after the epoch",
}
_LOOK: Mapping[CurvePart, tuple[str, Literal["-", "--"], str]] = {
    "train": (PALETTE[0], "--", "o"),
    "validation": (PALETTE[2], "-", "s"),
}
_MARKED = 25  # up to so many epochs, each is marked


@dataclass(frozen=True, eq=False)
class Curve:
    """A term of the loss by epoch, of the training or of the validation."""

    part: CurvePart
    epochs: Int64[np.ndarray, " epochs"]
    values: Float[np.ndarray, " epochs"]


@dataclass(frozen=True, eq=False)
class Panel:
    """A term of the loss with its curves, drawn on one pair of axes."""

    term: Term
    curves: tuple[Curve, ...]

    def curve(self, part: CurvePart) -> Curve | None:
        return next((curve for curve in self.curves if curve.part == part), None)


@dataclass(frozen=True, eq=False)
class LossCurves:
    """One panel a term; `best` is the epoch and value of the first term's best validation, or None."""

    panels: tuple[Panel, ...]
    best: tuple[int, float] | None

    @property
    def validated(self) -> bool:
        return any(panel.curve("validation") is not None for panel in self.panels)


def _curve(records: Sequence[Mapping[str, Any]], part: CurvePart, name: str) -> Curve | None:
    """The epochs that measured this number; a value that was not finite is a gap in the line."""
    measured = [
        (record["epoch"], record[part][name]) for record in records if name in (record.get(part) or {})
    ]
    if not measured:
        return None
    epochs, values = zip(*measured, strict=True)
    numbers = [np.nan if value is None else value for value in values]
    return Curve(part, np.array(epochs, dtype=np.int64), np.array(numbers, dtype=np.float64))


def _best(panel: Panel) -> tuple[int, float] | None:
    """The first of the best epochs on validation."""
    curve = panel.curve("validation")
    if curve is None or panel.term.better is None or not np.isfinite(curve.values).any():
        return None
    at = int((np.nanargmin if panel.term.better == "lower" else np.nanargmax)(curve.values))
    return int(curve.epochs[at]), float(curve.values[at])


def loss_curves(records: Sequence[Mapping[str, Any]], terms: Sequence[Term]) -> LossCurves:
    """The curves of these terms from the records of a run, one record an epoch.

    Raises:
        RunError: no record, or a term that no record has.
    """
    panels = []
    for term in terms:
        curves = (_curve(records, part, term.name) for part in MEANING)
        panels.append(Panel(term, tuple(curve for curve in curves if curve is not None)))
        if not panels[-1].curves:
            names = sorted({name for record in records for name in record.get("train", {})})
            raise RunError(
                f"the curves of {term.name!r} need at least one epoch that measured it",
                found=f"{counted(len(records), 'epoch')}, measuring {', '.join(names) or 'nothing'}",
                do="train for an epoch first, or draw another term",
            )
    if not panels:
        raise ConfigurationError("a figure of curves draws at least one term", found="none", do="name one")
    return LossCurves(tuple(panels), _best(panels[0]))


def _draw_panel(axes: Axes, panel: Panel, best: tuple[int, float] | None) -> None:
    for curve in panel.curves:
        colour, line, marker = _LOOK[curve.part]
        mark = marker if len(curve.epochs) <= _MARKED else ""
        axes.plot(curve.epochs, curve.values, color=colour, linestyle=line, marker=mark, markersize=3)
    validation = panel.curve("validation")
    if best is not None and validation is not None:
        axes.axvline(best[0], color=QUIET, linewidth=0.6, linestyle=":", zorder=1)
        at = validation.values[validation.epochs == best[0]]
        axes.plot(
            [best[0]] * len(at), at, color=INK, marker="o", markersize=6, linestyle="", fillstyle="none"
        )
    # the axis label lies on its side nowhere: over its axis it is read without turning the head
    axes.set_title(panel.term.label, loc="left")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True))
    axes.margins(x=0.02)
    epochs = {int(epoch) for curve in panel.curves for epoch in curve.epochs}
    if len(epochs) == 1:  # matplotlib would count in fractions of an epoch
        axes.set_xticks(list(epochs))


def _legend(curves: LossCurves) -> tuple[list[Line2D], list[str]]:
    drawn = {curve.part for panel in curves.panels for curve in panel.curves}
    most = max(len(curve.epochs) for panel in curves.panels for curve in panel.curves)
    handles, labels = [], []
    for part, meaning in MEANING.items():
        if part in drawn:
            colour, line, marker = _LOOK[part]
            mark = marker if most <= _MARKED else ""
            handles.append(Line2D([], [], color=colour, linestyle=line, marker=mark, markersize=3))
            labels.append(meaning)
    if curves.best is not None:
        epoch, value = curves.best
        handles.append(Line2D([], [], color=INK, linestyle="", marker="o", markersize=6, fillstyle="none"))
        labels.append(f"best validation: epoch {epoch}, {value:.4g}")
    return handles, labels


def draw_curves(curves: LossCurves) -> Figure:
    """Panels under each other over the same epochs."""
    height = 2.3 if len(curves.panels) == 1 else 1.6
    with styled():
        figure = blank(WIDTH, 0.85 + height * len(curves.panels), constrained=True)
        grid = figure.subplots(len(curves.panels), 1, sharex=True, squeeze=False)
        for axes, panel in zip(grid[:, 0], curves.panels, strict=True):
            _draw_panel(axes, panel, curves.best)
        grid[-1, 0].set_xlabel("epoch")
        handles, labels = _legend(curves)
        figure.legend(handles, labels, loc="outside upper left", handlelength=2.4)
    return figure
