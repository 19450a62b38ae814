"""Which table beside image files fits them, and which of its columns names them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ...core.errors import DataError
from .array_names import taken_apart
from .file_tables import Columns, Matcher
from .filenames import is_junk, natural, readable
from .label_columns import Wanted
from .layout import part_named
from .tables import LABEL_NAMES, LISTS, LOOSE, PATH_NAMES, TABLES, Table, plain, some, without_many

USUAL: Final = (
    "labels",
    "label",
    "annotations",
    "annotation",
    "metadata",
    "classes",
    "targets",
    "train_labels",
    "data",
)
SURE: Final = 0.9
# Columns of what encode, map, clusters, classify, anomalies and neighbours write: results, which
# are about images but are not what was known of them.
_RESULTS: Final = (
    frozenset(("name", "learned_from")),
    frozenset(("name", "class", "probability")),
    frozenset(("name", "combined", "flagged")),
    frozenset(("name", "neighbour", "distance")),
)
_SAMPLE: Final = 1000


@dataclass(frozen=True, eq=False)
class Match:
    """A table that names files: the columns of it, and the file of each row, None where it has none."""

    table: Table
    columns: Columns
    files: list[int | None]

    @property
    def named(self) -> set[int]:
        return {place for place in self.files if place is not None}

    @property
    def says_parts_alone(self) -> bool:
        """Whether it gives parts, and neither labels nor groups."""
        columns = self.columns
        return columns.part is not None and columns.label is None is columns.group and not columns.hot

    @property
    def says_more(self) -> bool:
        """Whether it gives groups or parts."""
        return self.columns.group is not None or self.columns.part is not None

    @property
    def share(self) -> float:
        return sum(place is not None for place in self.files) / max(len(self.files), 1)


def matched_beside(
    name: str, table: Table, names: Sequence[str], whole: Matcher, wanted: Wanted
) -> Match | None:
    """The table matched with the images in its own folder, or in the one it is named like; else with all.

    Raises:
        DataError: as `_matched`.
    """
    *folders, file = name.split("/")
    stem = file.partition(".")[0]
    prefixes = ["".join(f"{one}/" for one in folders[first:]) for first in range(len(folders))]
    for prefix in (*prefixes, f"{stem}/", f"{stem.removesuffix('_labels')}/"):
        places = [place for place, one in enumerate(names) if one.startswith(prefix)]
        if places:
            inner = Matcher([names[place][len(prefix) :] for place in places])
            match = _matched(table, inner, len(places), wanted)
            if match is None:
                break
            return replace(match, files=[None if at is None else places[at] for at in match.files])
    match = _matched(table, whole, len(names), wanted)
    own = _of_part(stem, names) if match is None or match.share < SURE else []
    if own:  # `trainLabels.csv` names `1`, which is a file of train/ and of test/
        there = _matched(table, Matcher([names[place] for place in own]), len(own), wanted)
        if there is not None and (match is None or len(there.named) > len(match.named)):
            return replace(there, files=[None if at is None else own[at] for at in there.files])
    return match


def _of_part(stem: str, names: Sequence[str]) -> list[int]:
    """The places of the images in folders of the part that a table is called by, if others lie elsewhere."""
    part = taken_apart(stem).part
    if part is None:
        return []
    own = [place for place, name in enumerate(names) if part in map(part_named, name.split("/")[:-1])]
    return own if len(own) < len(names) else []


def candidates(folder: Path) -> list[Path]:
    """The tables in `folder`, then those beside it that seem to be about it."""
    with readable(folder):
        resolved = folder.resolve()
        own = [folder / name for name in _tables(folder)]
        return own + beside(resolved.parent, resolved.name)


def beside(folder: Path, called: str) -> list[Path]:
    """The tables in `folder` that are about what is `called` so there."""
    return [
        folder / name
        for name in _tables(folder)
        if plain(name.partition(".")[0]) in USUAL or called.casefold() in name.casefold()
    ]


def _tables(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            names = [
                one.name
                for one in found
                if one.name.casefold().endswith((*TABLES, *LOOSE)) and not is_junk(one.name) and one.is_file()
            ]
    except OSError:
        return []
    return sorted(without_many(names), key=natural)


def _matched(table: Table, matcher: Matcher, count: int, wanted: Wanted) -> Match | None:
    """The table with the column that names most files; None where it names too few, or nothing else is in it.

    Raises:
        DataError: a row cut short.
    """
    if not table.rows:
        return None
    if table.origin.casefold().endswith(LISTS) and table.width == 2:
        table = _parted_first(table, matcher)
    if not any(matcher.find(cell) is not None for cell in table.rows[0]):
        table = table.headed()
    if not table.rows or table.width < 2:
        return None
    if wanted.label is None and any(set(table.header) >= names for names in _RESULTS):
        return None
    table.require_whole()
    place = _path_column(table, matcher)
    files = [matcher.find(row[place]) for row in table.rows]
    if not any(one is not None for one in files):
        return None
    columns = Columns.of(table, place, wanted)
    said = (columns.label, columns.group, columns.part)
    match = Match(table, columns, files)
    named = match.named
    most = 2 * len(named) >= count or match.share >= SURE
    fits = len(named) >= min(2, count) and most
    if fits and not columns.hot and all(one is None for one in said):
        rest = [name for number, name in enumerate(table.header) if number != place]
        raise DataError(
            "one column must be the label",
            found=f"it names these files, but which column is their label is not clear{': ' * bool(rest)}"
            f"{some(rest)}",
            do="call it `label`",
        )
    return match if fits else None


def _parted_first(table: Table, matcher: Matcher) -> Table:
    """A list whose labels have spaces, `0034309 Boeing 707`: parted behind the first word if it is a file."""
    sample = table.rows[:_SAMPLE]
    rows = [" ".join(row).split(None, 1) for row in sample]
    if all(matcher.find(row[0]) is not None for row in sample) or not all(len(row) == 2 for row in rows):
        return table
    if not all(matcher.find(row[0]) is not None for row in rows):
        return table
    if all(len(row[1].split()) > 1 and row[1].replace(" ", "").isdigit() for row in rows):
        return table  # several columns of numbers, without names
    parted = [" ".join(row).split(None, 1) for row in table.rows]
    return replace(table, rows=[[row[0], row[1].strip() if len(row) > 1 else ""] for row in parted])


def _path_column(table: Table, matcher: Matcher) -> int:
    sample = table.rows[:_SAMPLE]
    named = table.column(PATH_NAMES)

    label = table.column(LABEL_NAMES)

    def files(place: int) -> tuple[int, bool, int]:
        found = {matcher.find(row[place]) for row in sample} - {None}
        return len(found), place == named, -place

    # a class of `7` is no file `7.png`, where another column names the files
    places = [place for place in range(table.width) if place != label or named is None or named == label]
    return max(places, key=files)
