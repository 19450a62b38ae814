"""Measures with their intervals as cells of a table and as lines of a picture: for cards and comparisons."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

import numpy as np

from ..evaluation.card.values import BESIDE, Curve, Row, Value
from ..figures import Series, SeriesPlot, draw_series, png
from .page import Picture

BANDS: Final = "The bands in the figures are 95% intervals over images."
NOTHING: Final = "–"
WORDS: Final = {"better": "beaten", "worse": "ahead", "even": "even"}


def cell(value: Value | None, digits: int = 3, said: str = "") -> str:
    """`0.0719 [0.0705, 0.0734]`, with what is said of it before its interval; a dash for nothing."""
    if value is None:
        return NOTHING
    said = number(value.value, digits) + said
    if value.low is None or value.high is None or value.low == value.high:
        return said
    return f"{said} [{number(value.low, digits)},\N{NO-BREAK SPACE}{number(value.high, digits)}]"


def number(value: float, digits: int = 3) -> str:
    """With so many significant digits, and without an exponent where it is of a usual size."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        whole = max(digits, len(f"{abs(value):.0f}"))
        return f"{value:#.{whole}g}".rstrip(".")
    return f"{value:.{digits - 1}e}".replace("e-", "e\N{MINUS SIGN}")  # no line ends at this sign


def titled(row: Row) -> str:
    """What a row is called: `mean squared error per pixel`, or that of a class: `class A`."""
    return f"class {row.of}" if row.of else with_unit(row.title, row.unit)


def with_unit(title: str, unit: str) -> str:
    """`mean squared error per pixel, worst tenth`, `cross-entropy, nats`."""
    if unit.startswith("per "):
        return title.replace("error", f"error {unit}", 1)
    return title if unit in ("", "numbers") or title.startswith(unit) else f"{title}, {unit}"


def digits_of(unit: str) -> int:
    """How many significant digits a measure is written with: those of whole numbers where it counts."""
    return 1 if unit == "numbers" else 3


def unbroken(text: str) -> str:
    """Without no-break spaces, at which a terminal's table breaks its lines."""
    return text.replace("\N{NO-BREAK SPACE}", "")


def beside_cell(row: Row, name: str, *, intervals: bool = True) -> str:
    """The run's own value, or what stands beside it and whether the run beats that: `0.0719, beaten`."""
    verdict = row.verdicts.get(name)
    value = row.run if name == "run" else row.beside.get(name)
    if value is not None and not intervals:
        value = Value(value=value.value)
    return cell(value, digits_of(row.unit), f", {WORDS[verdict]}" if verdict else "")


def curve_picture(curve: Curve, names: Mapping[str, str] = BESIDE) -> Picture:
    """The lines of a curve, each with the band of its intervals."""
    series = tuple(_line(names.get(name, name), values) for name, values in curve.lines.items())
    plot = SeriesPlot(
        points=np.array(curve.points, dtype=np.float64),
        across=f"{curve.across}, log scale" if curve.logarithmic else curve.across,
        up=curve.title,
        series=series,
        logarithmic=curve.logarithmic,
    )
    title = f"{curve.title[:1].upper()}{curve.title[1:]}, by {re.split(',| that', curve.across)[0]}"
    ends = {
        name: [one.value for one in values if isfinite(one.value)] for name, values in curve.lines.items()
    }
    said = "; ".join(
        f"{names.get(name, name)} from {number(values[0])} to {number(values[-1])}"
        for name, values in ends.items()
    )
    return Picture(None, title, "", png(draw_series(plot)), f"{curve.title}: {said}")


def _line(name: str, values: tuple[Value, ...]) -> Series:
    middle, low, high = (
        np.array([getattr(one, end) if getattr(one, end) is not None else one.value for one in values])
        for end in ("value", "low", "high")
    )
    return Series(name, middle.astype(np.float64), low.astype(np.float64), high.astype(np.float64))
