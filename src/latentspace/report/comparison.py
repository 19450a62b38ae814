"""The page of a comparison: runs side by side, what differs significantly, and which settings differ."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..core.wording import counted, listed
from ..evaluation.card.compare import Comparison, Measure
from ..evaluation.card.values import LEVEL, Card, Curve, Value
from .measures import BANDS, NOTHING, cell, curve_picture, digits_of, with_unit
from .page import Finding, Page, Section, Table, numbered

SHOWN: Final = 10  # findings


def comparison_page(found: Comparison, cards: Sequence[Card]) -> Page:
    """The page of a comparison.

    Args:
        cards: of the runs, in their order.
    """
    names = names_of(found)
    apart = [one for one in found.measures if one.best]
    lead = (
        f"{counted(len(names), 'run')}: {', '.join(names)}. {counted(len(apart), 'measure')} of "
        f"{len(found.measures)} differ significantly. Each row is taken by itself: its intervals of all "
        f"pairs hold together with {LEVEL:.0%}, but of twenty rows one may seem to differ by chance."
    )
    sections = [
        Section("Measures", found.notes, tables=(_table(found, names),)),
        _differences(found, names),
        _settings(found, names),
        *_neighbours(found, names),
        *_seeds(found, names),
        *_curves(cards, names),
    ]
    return numbered(
        Page(
            f"{counted(len(names), 'run')} side by side",
            lead,
            findings=tuple(_finding(one, names) for one in apart[:SHOWN]),
            sections=tuple(sections),
            footer=tuple(
                f"run {card.run}, weights {card.weights[:16]}, images {card.content_hash[:16]}"
                for card in cards
            ),
        )
    )


def names_of(found: Comparison) -> list[str]:
    """The runs' names, in full where two are alike."""
    names = [Path(one).name for one in found.runs]
    return names if len(set(names)) == len(names) else list(found.runs)


def measure_rows(found: Comparison) -> list[list[str]]:
    """A row a measure: its name and unit, and what each run has; a star marks those that none beats."""
    return [
        [
            titled(one),
            *(
                cell(value, digits_of(one.unit), " *" if place in one.best else "")
                for place, value in enumerate(one.values)
            ),
        ]
        for one in found.measures
    ]


def setting_rows(found: Comparison) -> list[list[str]]:
    """A row for each setting that differs."""
    return [
        [name, *(NOTHING if value is None else str(value) for value in values)]
        for name, values in found.settings.items()
    ]


def overlap_rows(found: Comparison, names: Sequence[str]) -> list[list[str]]:
    """A row for each pair of runs that share enough evaluated images."""
    return [
        [
            f"{names[one.first]} and {names[one.second]}",
            cell(one.overlap),
            " and ".join(cell(value) for value in one.pixels),
            f"{one.chance:.3f}",
        ]
        for one in found.overlaps
    ]


def titled(one: Measure) -> str:
    """What a measure is called, with its unit."""
    return with_unit(one.title, one.unit)


def _finding(one: Measure, names: Sequence[str]) -> Finding:
    best = listed([names[place] for place in one.best])
    values = ", ".join(
        f"{name} {cell(value)}" for name, value in zip(names, one.values, strict=True) if value is not None
    )
    title = titled(one)
    return Finding(f"{title[:1].upper()}{title[1:]}: led by {best}", f"{values}.", section="Measures")


def _table(found: Comparison, names: Sequence[str]) -> Table:
    rows = tuple(tuple(row) for row in measure_rows(found))
    note = "* leads: none is significantly better, and one is worse. Brackets: 95% intervals over images."
    return Table("Each measure of each run", ("", *names), rows, note)


def _differences(found: Comparison, names: Sequence[str]) -> Section:
    rows = [
        (
            titled(one),
            f"{names[gap.first]} minus {names[gap.second]}",
            cell(gap.difference),
            "significant" if gap.significant else "may be chance",
            NOTHING if gap.paired is None else f"{gap.paired:,}",
        )
        for one in found.measures
        for gap in one.differences
    ]
    columns = ("", "of", "difference", "verdict", "images, paired")
    note = (
        f"Intervals at {found.level:.1%}. Paired: the same images are resampled for both runs; without a "
        "number the two values are taken as of different images."
    )
    return Section(
        "Differences", tables=(Table("Difference of each pair of runs", columns, tuple(rows), note),)
    )


def _settings(found: Comparison, names: Sequence[str]) -> Section:
    rows = tuple(tuple(row) for row in setting_rows(found))
    if not rows:
        return Section("Settings", ("The runs have the same settings.",))
    return Section("Settings", tables=(Table("Settings that differ", ("", *names), rows),))


def _neighbours(found: Comparison, names: Sequence[str]) -> list[Section]:
    if not found.overlaps:
        return []
    rows = tuple(tuple(row) for row in overlap_rows(found, names))
    columns = ("runs", "overlap", "of each with raw pixels", "by chance")
    note = (
        "Of the ten images whose codes lie nearest to that of an image, the share that both runs name; the "
        f"mean over {counted(found.overlaps[0].images, 'evaluated image')}."
    )
    return [Section("Stability", tables=(Table("Neighbours in common", columns, rows, note),))]


def _seeds(found: Comparison, names: Sequence[str]) -> list[Section]:
    titles = {one.name: titled(one) for one in found.measures}
    tables = [
        Table(
            f"{', '.join(names[place] for place in group.runs)}",
            ("", "mean"),
            tuple((titles[name], cell(value)) for name, value in group.measures.items()),
            "In brackets the 95% interval of the mean over seeds, by Student's t.",
        )
        for group in found.seeds
    ]
    if not tables:
        return []
    return [Section("Over seeds", ("Runs whose settings differ in the seed alone.",), tables=tuple(tables))]


def _curves(cards: Sequence[Card], names: Sequence[str]) -> list[Section]:
    """The curves that several cards have, a line a run; without a point where a run has none."""
    found: dict[str, dict[str, Curve]] = {}
    for card, name in zip(cards, names, strict=True):
        for section in card.sections.values():
            for curve in section.curves:
                found.setdefault(curve.name, {})[name] = curve
    pictures = []
    for curves in found.values():
        if len(curves) > 1:
            points = tuple(sorted({point for one in curves.values() for point in one.points}))
            lines = {name: _at(points, one) for name, one in curves.items()}
            some = next(iter(curves.values()))
            pictures.append(curve_picture(some.model_copy(update={"points": points, "lines": lines}), {}))
    return [Section("Curves", (BANDS,), tuple(pictures), grid=True)] if pictures else []


def _at(points: Sequence[float], curve: Curve) -> tuple[Value, ...]:
    """The run's values at these points; not a number where it has none."""
    known = dict(zip(curve.points, curve.lines["run"], strict=True))
    return tuple(known.get(point, Value(value=math.nan)) for point in points)
