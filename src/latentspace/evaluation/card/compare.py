"""Runs side by side: which differences of their cards are significant, and which settings differ.

The JSON schema of `compare --json` is that of `Comparison`; `docs/guide/schemas/comparison.json` is a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field
from scipy.stats import norm, t

from ...core.devices import AUTO
from ...core.errors import ConfigurationError
from ...core.progress import told
from ...core.types import Int64Array
from ...core.wording import counted, listed
from ...data.imageset import ImageSet
from ...inference.nearest import nearest
from ...inference.trained import load_trained
from ...runs.directory import Run
from ...runs.table import differing_settings
from ..codes import flat
from .make import CardRecord
from .tally import Draws
from .values import LEVEL, Better, CardPart, Row, Value

NEIGHBOURS: Final = 10  # of an image, in both runs
FEWEST: Final = 50  # images that two runs share, for a paired comparison
UNSEEN: Final = "seed"  # the setting that runs of several seeds differ in


class Difference(CardPart):
    """The first run's value minus the second's."""

    first: int = Field(description="a run, by its place in `runs`")
    second: int
    difference: Value = Field(description="with an interval at the level of the whole comparison")
    significant: bool
    paired: int | None = Field(
        description="evaluated images that both share, resampled together; null: not paired"
    )


class Measure(CardPart):
    """A row of the cards, of each run."""

    section: str
    name: str
    title: str
    unit: str = ""
    better: Better | None
    values: tuple[Value | None, ...] = Field(description="a run each; null: it has none")
    differences: tuple[Difference, ...]
    best: tuple[int, ...] = Field(
        description="runs that no other run is significantly better than, if one is worse; by places"
    )


class Overlap(CardPart):
    """How far two runs give the same neighbours."""

    first: int
    second: int
    overlap: Value = Field(description="share of the ten nearest images that both have in common")
    pixels: tuple[Value, Value] = Field(description="the same of each run and raw pixels")
    chance: float
    images: int


class Seeds(CardPart):
    """Runs whose settings differ in the seed alone."""

    runs: tuple[int, ...]
    measures: dict[str, Value] = Field(
        description="mean over the runs, with an interval over seeds (Student's t)"
    )


class Comparison(CardPart):
    """Several runs side by side."""

    version: Literal[1] = 1
    runs: tuple[str, ...]
    kinds: tuple[str, ...]
    settings: dict[str, tuple[Any, ...]] = Field(description="those in which the runs differ: a value each")
    shared: int = Field(description="evaluated images that all runs share")
    level: float = Field(description="of each interval of a difference: 95 % for all pairs of a row together")
    measures: tuple[Measure, ...]
    overlaps: tuple[Overlap, ...]
    seeds: tuple[Seeds, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Compared:
    """A run with its card, and its own images."""

    run: Run
    record: CardRecord
    images: ImageSet


def compared(runs: Sequence[Compared], device: str = AUTO) -> Comparison:
    """The comparison of at least two runs.

    Raises:
        ConfigurationError: fewer than two.
    """
    refuse_few(len(runs))
    pairs = list(combinations(range(len(runs)), 2))
    level = 1 - (1 - LEVEL) / len(pairs)
    records = [one.record for one in runs]
    seed = records[0].card.seed
    shared = len(set.intersection(*(set(one.images) for one in records)))
    settings = differing_settings([one.run for one in runs])
    measures = tuple(_measures(records, pairs, level, seed))
    return Comparison(
        runs=tuple(str(one.run.path) for one in runs),
        kinds=tuple(one.card.kind for one in records),
        settings={name: tuple(values) for name, values in settings.items()},
        shared=shared,
        level=level,
        measures=measures,
        overlaps=tuple(
            one
            for pair in told(pairs, "pairs of runs compared")
            if (one := _overlap(runs, pair, device)) is not None
        ),
        seeds=_seeds(settings, measures, len(runs)),
        notes=(*_notes(records, shared), *_notes_of_codes([one.run for one in runs])),
    )


def refuse_few(count: int) -> None:
    """Refuse fewer than two runs: raises ConfigurationError."""
    if count < 2:
        raise ConfigurationError(
            "at least two runs are compared", found=counted(count, "run"), do="name another one"
        )


def _notes(records: list[CardRecord], shared: int) -> tuple[str, ...]:
    most = max(len(one.images) for one in records)
    if shared == most:
        return (f"All runs are evaluated on the same {counted(shared)}: differences are paired.",)
    if len({one.card.content_hash for one in records}) > 1:
        why = "the runs were trained on different sets of images"
    else:
        why = "the runs split their images differently"
    how = "paired over these" if shared >= FEWEST else "not paired, as if of different images"
    return (
        f"The runs share {counted(shared, 'evaluated image')} of {most:,}: {why}. Differences are {how}.",
        "Samples are then compared in different features: those of a classifier for each run.",
    )


def _notes_of_codes(runs: Sequence[Run]) -> tuple[str, ...]:
    """What to mind where the codes of some runs are of another kind than those of others."""
    plans = [one.experiment.model for one in runs]
    sizes = [getattr(one, "code_size", None) for one in plans]
    if len(set(sizes)) == 1:
        notes = []
    else:
        each = listed([f"{size or 'no'}" for size in sizes])
        notes = [f"Codes have {each} numbers: more numbers hold more of an image, by their size alone."]

    def some(setting: str) -> str | None:
        having = [run.path.name for run, plan in zip(runs, plans, strict=True) if getattr(plan, setting, 0)]
        return listed(having) if 0 < len(having) < len(runs) else None

    if names := some("refine"):
        notes.append(
            f"Codes of {names} are refined when images are encoded, those of the others are not. That lowers "
            "the error; `latentspace encode --refine` does the same for any run."
        )
    if names := some("ordered"):
        notes.append(
            f"Codes of {names} are ordered, so that their first numbers can be used alone. That raises the "
            "error of whole codes."
        )
    return tuple(notes)


def _measures(
    records: list[CardRecord], pairs: list[tuple[int, int]], level: float, seed: int
) -> list[Measure]:
    """The rows of all images that any card has."""
    rows: list[dict[tuple[str, str], Row]] = [
        {(section, row.name): row for section, row in one.card.rows() if not row.of} for one in records
    ]
    found = []
    for key in dict.fromkeys(key for one in rows for key in one):
        having = [one.get(key) for one in rows]
        some = next(row for row in having if row is not None)
        differences = tuple(
            _difference(records, having, pair, level, seed)
            for pair in pairs
            if having[pair[0]] is not None and having[pair[1]] is not None
        )
        found.append(
            Measure(
                section=key[0],
                name=key[1],
                title=some.title,
                unit=some.unit,
                better=some.better,
                values=tuple(None if row is None else row.run for row in having),
                differences=differences,
                best=_best(having, differences, some.better),
            )
        )
    return found


def _best(
    having: Sequence[Row | None], differences: Sequence[Difference], better: Better | None
) -> tuple[int, ...]:
    beaten = set()
    for one in differences:
        if one.significant and better is not None:
            first_wins = (one.difference.value < 0) == (better == "lower")
            beaten.add(one.second if first_wins else one.first)
    if not beaten:
        return ()
    return tuple(place for place, row in enumerate(having) if row is not None and place not in beaten)


def _difference(
    records: list[CardRecord], having: Sequence[Row | None], pair: tuple[int, int], level: float, seed: int
) -> Difference:
    first, second = pair
    one, other = having[first], having[second]
    assert one is not None
    assert other is not None
    gaps = _gaps(records[first], records[second], one.name)
    if gaps is None:
        value = _unpaired(one.run, other.run, level)
    else:
        drawn = Draws(len(gaps), records[first].card.draws, seed).means(gaps)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        value = Value(
            value=float(gaps.mean()), low=float(low), high=float(high), deviation=float(drawn.std())
        )
    return Difference(
        first=first,
        second=second,
        difference=value,
        significant=value.apart_from_zero,
        paired=None if gaps is None else len(gaps),
    )


def _gaps(one: CardRecord, other: CardRecord, name: str) -> np.ndarray | None:
    """What two runs differ by on each evaluated image that they share; None where these are too few."""
    if name not in one.values or name not in other.values:
        return None
    places = _shared(one, other)
    mine, theirs = (
        np.array(record.values[name], dtype=np.float64)[rows]
        for record, rows in zip((one, other), places, strict=True)
    )
    gaps = mine - theirs
    gaps = gaps[np.isfinite(gaps)]
    return gaps if len(gaps) >= min(FEWEST, len(one.images)) else None


def _shared(one: CardRecord, other: CardRecord) -> tuple[Int64Array, Int64Array]:
    """The places of shared images among those evaluated of each; of copies, the first."""
    _, first, second = np.intersect1d(one.images, other.images, return_indices=True)
    return first, second


def _unpaired(one: Value, other: Value, level: float) -> Value:
    """The difference of two values of which each has its own deviation."""
    gap = one.value - other.value
    if one.deviation is None or other.deviation is None:
        return Value(value=gap)
    deviation = float(np.hypot(one.deviation, other.deviation))
    reach = float(norm.ppf((1 + level) / 2)) * deviation
    return Value(value=gap, low=gap - reach, high=gap + reach, deviation=deviation)


def _overlap(runs: Sequence[Compared], pair: tuple[int, int], device: str) -> Overlap | None:
    """The overlap of neighbours among the evaluated images that two runs share; None of too few."""
    one, other = runs[pair[0]], runs[pair[1]]
    rows = _shared(one.record, other.record)
    count = len(rows[0])
    if count < FEWEST:
        return None
    found = []
    for run, places in zip((one, other), rows, strict=True):
        chosen = np.array(run.record.places, dtype=np.int64)[places]
        found.append(_neighbours(load_trained(run.run, device).encode(run.images, chosen=chosen)))
    chosen = np.array(one.record.places, dtype=np.int64)[rows[0]]
    pixels = _neighbours(flat(one.images.pixels[chosen]))
    draws = Draws(count, one.record.card.draws, one.record.card.seed)

    def overlap(left: np.ndarray, right: np.ndarray) -> Value:
        shares = (left[:, :, None] == right[:, None, :]).any(axis=2).mean(axis=1)
        return Value.of(float(shares.mean()), draws.means(shares))

    return Overlap(
        first=pair[0],
        second=pair[1],
        overlap=overlap(found[0], found[1]),
        pixels=(overlap(found[0], pixels), overlap(found[1], pixels)),
        chance=NEIGHBOURS / (count - 1),
        images=count,
    )


def _neighbours(features: np.ndarray) -> Int64Array | np.ndarray:
    return nearest(features, features, NEIGHBOURS, own=np.arange(len(features))).rows


def _seeds(settings: dict[str, list[Any]], measures: tuple[Measure, ...], runs: int) -> tuple[Seeds, ...]:
    """Groups of runs that differ in their seed alone, with means over them."""
    groups: dict[str, list[int]] = {}
    for run in range(runs):
        plan = {name: values[run] for name, values in settings.items() if name != UNSEEN}
        groups.setdefault(repr(plan), []).append(run)
    return tuple(_over_seeds(tuple(group), measures) for group in groups.values() if len(group) > 1)


def _over_seeds(group: tuple[int, ...], measures: tuple[Measure, ...]) -> Seeds:
    found = {}
    for one in measures:
        values = [value.value for place in group if (value := one.values[place]) is not None]
        if len(values) == len(group):
            mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
            reach = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * deviation / len(values) ** 0.5
            found[one.name] = Value(value=mean, low=mean - reach, high=mean + reach, deviation=deviation)
    return Seeds(runs=group, measures=found)
