"""A table beside image files -> their labels, groups and parts: labels.csv in a folder of images.

Looked for in the folder itself, in those below, and beside it where its name says labels, annotations,
metadata, or the folder's own name. It is used where it names at least half of the files, or if nearly all of
its rows name one of a fifth of them; several tables, such as one in each part, if they name different files.
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
    def named(self) -> set[int]:
        return {place for place in self.files if place is not None}

    @property
    def share(self) -> float:
        return sum(place is not None for place in self.files) / max(len(self.files), 1)


def with_sidecar(
    images: ImageSet, folder: Path, below: Sequence[str] = ()
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with what tables in or beside `folder` say of them, and their names; else as they are.

    That is done if they have no labels of their own. A table that does not fit is mentioned, and not used.

    Args:
        below: the names of other files in the folders below: a table there is about the images beside it.
    """
    if images.files is None or len(images.class_names) > 1:
        return images, ()
    inner = [name for name in below if "/" in name and name.casefold().endswith((*TABLES, *LOOSE))]
    found = []
    for path in (*candidates(folder), *(folder / name for name in without_many(inner))):
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        try:
            found.append((name, read_text(path, LIMIT)))
        except DataError as error:
            logger.warning("%s is not used: %s", name, error.found)
    return _labelled(images, found)


def with_beside(archive: Path, images: ImageSet) -> ImageSet:
    """As `with_sidecar`, of the tables beside an archive."""
    if images.files is None or len(images.class_names) > 1:
        return images
    paths = _beside(archive.resolve().parent, archive.name.partition(".")[0])
    return _labelled(images, [(path.name, read_text(path, LIMIT)) for path in paths])[0]


def with_tables(images: ImageSet, tables: Sequence[tuple[str, str]]) -> ImageSet:
    """As `with_sidecar`, of tables that are given by name and text."""
    return _labelled(images, tables)[0]


def _labelled(images: ImageSet, tables: Sequence[tuple[str, str]]) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the table that names most of them, and with further ones that name only others."""
    if images.files is None or len(images.class_names) > 1 or not tables:
        return images, ()
    whole, found = Matcher(images.names), []
    for name, text in tables:
        try:
            match = _matched_beside(name, table_of(text, name), images.names, whole)
        except DataError as error:
            chance = (
                name.casefold().endswith(LOOSE) and plain(Path(name).name.partition(".")[0]) not in _USUAL
            )
            level = logging.INFO if chance else logging.WARNING
            logger.log(level, "%s is not used: %s (%s)", name, error.found, error.do)
            continue
        if match is None:
            logger.info("%s is not used: it does not name these files with a label, group or part", name)
        else:
            found.append((name, match))
    chosen: list[tuple[str, _Match]] = []
    taken: set[int] = set()
    for name, match in sorted(found, key=lambda one: -len(one[1].named)):
        further = match.share >= _SURE and not match.named & taken and "submission" not in name.casefold()
        if not chosen or further:
            chosen.append((name, match))
            taken |= match.named
    if len(taken) < _PART * len(images):
        for name, match in chosen:
            logger.info("%s is not used: it names %d of %s", name, len(match.named), counted(len(images)))
        return images, ()
    return _applied(images, chosen), tuple(name for name, _ in chosen)


def _matched_beside(name: str, table: Table, names: Sequence[str], whole: Matcher) -> _Match | None:
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
            match = _matched(table, Matcher([names[place][len(prefix) :] for place in places]), len(places))
            if match is None:
                break
            return replace(match, files=[None if at is None else places[at] for at in match.files])
    return _matched(table, whole, len(names))


def candidates(folder: Path) -> list[Path]:
    """The tables in `folder`, then those beside it that seem to be about it."""
    with readable(folder):
        resolved = folder.resolve()
        own = [folder / name for name in _tables(folder)]
        return own + _beside(resolved.parent, resolved.name)


def _beside(folder: Path, called: str) -> list[Path]:
    """The tables in `folder` that are about what is `called` so there."""
    return [
        folder / name
        for name in _tables(folder)
        if plain(name.partition(".")[0]) in _USUAL or called.casefold() in name.casefold()
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
    named = match.named
    most = 2 * len(named) >= count or match.share >= _SURE
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


def _applied(images: ImageSet, chosen: Sequence[tuple[str, _Match]]) -> ImageSet:
    labels: list[str | None] = [None] * len(images)
    groups: list[str | None] = [None] * len(images)
    parts: list[int] = [-1] * len(images)
    for name, match in chosen:
        group, part = match.table.cells(match.columns.group), match.table.parts(match.columns.part)
        for row, place in enumerate(match.files):
            if place is not None:
                groups[place] = group[row] if group else None
                parts[place] = part[row] if part else -1
        images = _filled(images, labels, name, match)
    names = " and ".join(name for name, _ in chosen)
    if any(labels):
        source = images.source.replace("images without labels", "images").replace("1 class folder", "images")
        images = replace(images, source=f"{source} with labels from {names}", labels=None, class_names=())
    return described(images, labels, groups, parts, origin=names)


def _filled(images: ImageSet, labels: list[str | None], name: str, match: _Match) -> ImageSet:
    """Put what a table says into `labels`; `images` with a note of what it contradicts or does not find."""
    said = match.columns.labels(match.table)
    seen: set[int] = set()
    torn = set()
    for row, place in enumerate(match.files):
        if place is None:
            continue
        if place in seen and labels[place] != said[row]:
            torn.add(place)
        seen.add(place)
        labels[place] = said[row]
    if torn:
        names = images.names_of(np.array(sorted(torn), dtype=np.int64))
        many = counted(len(torn), "file")
        note = f"labels of {name} not used, as it gives {many} more than one: {some(names)}"
        logger.warning("%s", note)
        images = noted(images, note)
        for place in seen:
            labels[place] = None
    without = sum(place is None for place in match.files)
    logger.info(
        "%s: %s; %s of %s named", name, match.columns.told(match.table), len(seen), counted(len(images))
    )
    if without:
        lost = [match.table.rows[row][match.columns.path] for row, at in enumerate(match.files) if at is None]
        note = f"{counted(without, 'row')} of {name} without a file here: {some(lost)}"
        logger.info("%s", note)
        images = noted(images, note)
    return images
