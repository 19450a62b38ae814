"""A table beside image files -> their labels, groups and parts: labels.csv in a folder of images.

Looked for in the folder itself, and beside it where its name says labels, annotations, metadata, or the
folder's own name. It is used where it names at least half of the files, or if nearly all of its rows name one
of a fifth of them.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from .file_tables import Columns, Matcher
from .filenames import is_junk, natural, readable
from .listed import described, noted
from .tables import LOOSE, PATH_NAMES, TABLES, Table, plain, read_text, some, table_of, without_many

logger = logging.getLogger(__name__)

LIMIT: Final = 2**28  # bytes of a table beside images
_USUAL = (
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
_SAMPLE = 1000
_SURE, _PART = 0.9, 0.2


@dataclass(frozen=True, eq=False)
class _Match:
    """A table that names files: the columns of it, and the file of each row, None where it has none."""

    table: Table
    columns: Columns
    files: list[int | None]

    @property
    def share(self) -> float:
        return sum(place is not None for place in self.files) / max(len(self.files), 1)


def with_sidecar(images: ImageSet, folder: Path) -> tuple[ImageSet, str]:
    """`images` with what a table in or beside `folder` says of them, and its name; else as they are, "".

    That is done if they have no labels of their own. A table that does not fit is mentioned, and not used.
    """
    if images.files is None or len(images.class_names) > 1:
        return images, ""
    found = []
    for path in candidates(folder):
        try:
            found.append((path.name, read_text(path, LIMIT)))
        except DataError as error:
            logger.warning("%s is not used: %s", path.name, error.found)
    return _labelled(images, found)


def with_tables(images: ImageSet, tables: Sequence[tuple[str, str]]) -> ImageSet:
    """As `with_sidecar`, of tables that are given by name and text."""
    return _labelled(images, tables)[0]


def _labelled(images: ImageSet, tables: Sequence[tuple[str, str]]) -> tuple[ImageSet, str]:
    if images.files is None or len(images.class_names) > 1 or not tables:
        return images, ""
    matcher = Matcher(images.names)
    best: tuple[int, str, _Match] | None = None
    for name, text in tables:
        try:
            match = _matched(table_of(text, name), matcher, len(images))
        except DataError as error:
            chance = name.casefold().endswith(LOOSE) and plain(name.partition(".")[0]) not in _USUAL
            level = logging.INFO if chance else logging.WARNING
            logger.log(level, "%s is not used: %s (%s)", name, error.found, error.do)
            continue
        if match is None:
            logger.info("%s is not used: it does not name these files with a label, group or part", name)
            continue
        count = len({place for place in match.files if place is not None})
        if best is None or count > best[0]:
            best = (count, name, match)
    return (images, "") if best is None else (_applied(images, best[1], best[2]), best[1])


def candidates(folder: Path) -> list[Path]:
    """The tables in `folder`, then those beside it that seem to be about it."""
    with readable(folder):
        resolved = folder.resolve()
        own = [folder / name for name in _tables(folder)]
        beside = [
            resolved.parent / name
            for name in _tables(resolved.parent)
            if plain(name.partition(".")[0]) in _USUAL or resolved.name.casefold() in name.casefold()
        ]
    return own + beside


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


def _matched(table: Table, matcher: Matcher, count: int) -> _Match | None:
    """The table with the column that names most files; None where it names too few, or nothing else is in it.

    Raises:
        DataError: a row cut short.
    """
    if not table.rows:
        return None
    if not any(matcher.find(cell) is not None for cell in table.rows[0]):
        table = table.headed()
    if not table.rows or table.width < 2:
        return None
    table.require_whole()
    place = _path_column(table, matcher)
    columns = Columns.of(table, place)
    said = (columns.label, columns.group, columns.part)
    match = _Match(table, columns, [matcher.find(row[place]) for row in table.rows])
    named = {one for one in match.files if one is not None}
    most = 2 * len(named) >= count or (match.share >= _SURE and len(named) >= _PART * count)
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


def _path_column(table: Table, matcher: Matcher) -> int:
    sample = table.rows[:_SAMPLE]
    named = table.column(PATH_NAMES)

    def files(place: int) -> tuple[int, bool, int]:
        found = {matcher.find(row[place]) for row in sample} - {None}
        return len(found), place == named, -place

    return max(range(table.width), key=files)


def _applied(images: ImageSet, name: str, match: _Match) -> ImageSet:
    labels: list[str | None] = [None] * len(images)
    groups: list[str | None] = [None] * len(images)
    parts: list[int] = [-1] * len(images)
    seen: set[int] = set()
    said = match.columns.labels(match.table)
    group, part = match.table.cells(match.columns.group), match.table.parts(match.columns.part)
    torn = set()
    for row, place in enumerate(match.files):
        if place is None:
            continue
        if place in seen and labels[place] != said[row]:
            torn.add(place)
        seen.add(place)
        labels[place] = said[row]
        groups[place] = group[row] if group else None
        parts[place] = part[row] if part else -1
    if torn:
        names = images.names_of(np.array(sorted(torn), dtype=np.int64))
        many = counted(len(torn), "file")
        note = f"labels of {name} not used, as it gives {many} more than one: {some(names)}"
        logger.warning("%s", note)
        images, labels = noted(images, note), [None] * len(images)
    without = sum(place is None for place in match.files)
    logger.info(
        "%s: %s; %s of %s named", name, match.columns.told(match.table), len(seen), counted(len(images))
    )
    if without:
        lost = [match.table.rows[row][match.columns.path] for row, at in enumerate(match.files) if at is None]
        note = f"{counted(without, 'row')} of {name} without a file here: {some(lost)}"
        logger.info("%s", note)
        images = noted(images, note)
    if any(labels):
        source = images.source.replace("images without labels", "images").replace("1 class folder", "images")
        images = replace(images, source=f"{source} with labels from {name}", labels=None, class_names=())
    return described(images, labels, groups, parts, origin=name)
