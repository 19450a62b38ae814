"""A table or a list that names image files, with their labels, groups and parts -> an ImageSet."""

import logging
import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from .filenames import is_junk, is_named_as_image, may_be_image, readable, shown
from .label_columns import Wanted, asked_column, without_columns
from .listed import Again, listed_images, noted
from .reading import File
from .tables import (
    GROUP_NAMES,
    LABEL_NAMES,
    NO,
    PART_FLAGS,
    PART_NAMES,
    PATH_NAMES,
    YES,
    Table,
    list_of,
    plain,
    read_text,
    some,
    table_of,
    whole_labels,
)

if TYPE_CHECKING:
    from ..config import DataConfig

logger = logging.getLogger(__name__)

DEPTH = 3  # folders below a table that are searched for what it names
_MANY = 10  # rows, from which on captions are told from classes
_BINARY = (YES | NO) - {""}
_SAMPLE = 500  # rows that are looked at to tell the columns apart


def _places(keys: Iterable[str]) -> dict[str, int]:
    """The place of each key; -1 where several have it."""
    found: dict[str, int] = {}
    for place, key in enumerate(keys):
        found[key] = -1 if key in found else place
    return found


class Matcher:
    """Which of `names` a cell means: by path, file name, its stem; else the same without capitals."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._paths = {name: place for place, name in enumerate(names)}

    @cached_property
    def _bases(self) -> dict[str, int]:
        return _places(posixpath.basename(name) for name in self._names)

    @cached_property
    def _stems(self) -> dict[str, int]:
        return _places(posixpath.splitext(posixpath.basename(name))[0] for name in self._names)

    @cached_property
    def _without_endings(self) -> dict[str, int]:
        """The places of paths without their endings: `cat/1`."""
        return _places(posixpath.splitext(name)[0] for name in self._names)

    @cached_property
    def _folded(self) -> "Matcher":
        """The same of all names in small letters; what several have so means none of them."""
        folded = [name.casefold() for name in self._names]
        many = Counter(folded)
        return Matcher([name if many[name] == 1 else f"\0{place}" for place, name in enumerate(folded)])

    def find(self, cell: str) -> int | None:
        """The place of the name that `cell` means; None where there is none, or it could be several."""
        cell = cell.strip().replace("\\", "/").removeprefix("./")
        if cell in self._paths:
            return self._paths[cell]
        if "/" in cell and self._without_endings.get(cell, -1) >= 0:
            return self._without_endings[cell]
        base = posixpath.basename(cell)
        stem = posixpath.splitext(base)[0]
        for found, key in ((self._bases, base), (self._stems, base), (self._stems, stem)):
            if (place := found.get(key)) is not None:
                return place if place >= 0 else None
        if cell.isdecimal():
            return place if (place := self._numbers.get(cell.lstrip("0"), -1)) >= 0 else None
        return None if cell == cell.casefold() and self._small else self._folded.find(cell.casefold())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The places of names that are numbers, without the zeros before them, which tables lose."""
        found: dict[str, int] = {}
        for stem, place in self._stems.items():
            if stem.isdecimal():
                number = stem.lstrip("0")
                found[number] = -1 if number in found else place
        return found

    @cached_property
    def _small(self) -> bool:
        """Whether all names are in small letters."""
        return all(name == name.casefold() for name in self._names)


@dataclass(frozen=True)
class Columns:
    """The places of the columns that mean something; `hot` are those of classes, one of which is 1."""

    path: int
    label: int | None
    group: int | None
    part: int | None
    hot: tuple[int, ...] = ()

    @classmethod
    def of(cls, table: Table, path: int, wanted: Wanted = Wanted()) -> "Columns":  # noqa: B008
        """What the columns of a table beside that of the files are.

        Labels are also a lone column that is not named so, the one that has classes that are known already,
        and in a table without a header the only one of words.

        Raises:
            UnknownColumnError: no column that is asked for.
        """
        group, part = table.column(GROUP_NAMES), table.column((*PART_NAMES, *PART_FLAGS))
        rest = [place for place in range(table.width) if place not in (path, group, part)]
        if part is None and not table.header and len(rest) == 1 and _of_parts(table, rest[0]):
            return cls(path, None, group, rest[0])
        label = asked_column(table.header, wanted.label, table.origin)
        if label is None:
            label = table.column(LABEL_NAMES)
        if label in (path, group, part):
            label = None
        if label is None:
            label = _of_classes(table, rest, wanted.classes)
        if label is None and len(rest) == 1 and not _captions(table, rest[0]):
            label = rest[0]
        hot = () if label is not None or not table.header else _one_hot(table, rest)
        return cls(path, label, group, part, hot)

    def labels(self, table: Table) -> list[str | None]:
        """The label of each row; None where its cell is empty."""
        if self.hot:
            return [
                next(table.header[place] for place in self.hot if _is_one(row[place])) for row in table.rows
            ]
        return whole_labels(table.cells(self.label) or [None] * len(table.rows))

    def told(self, table: Table) -> str:
        """Which column is what, for a person."""
        name = table.header.__getitem__ if table.header else lambda place: f"column {place + 1}"
        said = [f"files from {name(self.path)!r}"]
        if self.hot:
            said.append(f"labels from {counted(len(self.hot), 'column')} of 0 and 1")
        for what, place in (("labels", self.label), ("groups", self.group), ("parts", self.part)):
            if place is not None:
                said.append(f"{what} from {name(place)!r}")
        return ", ".join(said)


def _of_parts(table: Table, place: int) -> bool:
    """Whether a table without a header is called by the parts that it numbers: `list_eval_partition.txt`."""
    called = {"partition", "split"} & set(plain(Path(table.origin).stem).split("_"))
    return bool(called) and {row[place].strip() for row in table.rows} <= {"0", "1", "2"}


def _of_classes(table: Table, places: Sequence[int], classes: Sequence[str]) -> int | None:
    """The first column with known classes alone; without a header, also the only one with words."""
    known = set(classes)
    for place in places if known else ():
        if all(row[place].strip() in known for row in table.rows):
            return place
    if table.header or len(places) < 2:
        return None
    words = [place for place in places if not all(map(_is_number, (row[place] for row in table.rows)))]
    return words[0] if len(words) == 1 and not _captions(table, words[0]) else None


def _is_number(cell: str) -> bool:
    with suppress(ValueError):
        return float(cell) is not None
    return False


def _captions(table: Table, place: int) -> bool:
    """Whether a column has another text for nearly each of many files, or fractions, and is thus no class."""
    cells = {row[place].strip() for row in table.rows} - {""}
    if all(map(_is_number, cells)) and any(float(cell) % 1 for cell in cells):
        return True
    return len(table.rows) >= _MANY and 2 * len(cells) > len(table.rows)


def _one_hot(table: Table, places: Sequence[int]) -> tuple[int, ...]:
    """`places`, where each row has one 1 and else 0 in them; else none."""
    for row in table.rows:
        cells = [row[place].strip() for place in places]
        if not all(cell.casefold() in _BINARY for cell in cells) or sum(map(_is_one, cells)) != 1:
            return ()
    return tuple(places) if len(places) > 1 else ()


def _is_one(cell: str) -> bool:
    return cell.strip().casefold() in YES


def read_file_table(path: Path, config: "DataConfig") -> ImageSet:
    """The images that a CSV or TSV names.

    Raises:
        DataError: no column of files, files that are not there, two labels for one file, a row cut short.
    """
    table = table_of(read_text(path), str(path))
    folder = path.parent
    if not table.rows:
        table.require_whole()
    if not any(_is_file(folder, cell) or is_named_as_image(cell.strip()) for cell in table.rows[0]):
        table = table.headed()
    table.require_whole()
    columns = Columns.of(table, _path_column(table, folder), Wanted(config.label))
    logger.info("%s: %s", path, columns.told(table))
    return _images(table, columns, folder, config)


def read_list(path: Path, config: "DataConfig") -> ImageSet:
    """The images that a text file names, one on a line, with a label behind a space or tab or without.

    Raises:
        DataError: as `read_file_table`.
    """
    folder = path.parent
    table = list_of(
        read_text(path), str(path), lambda name: is_named_as_image(name) or _is_file(folder, name)
    )
    table.require_whole()
    images = _images(table, Columns(path=0, label=1, group=None, part=None), folder, config)
    return without_columns(images, config.label)


def _is_file(folder: Path, cell: str) -> bool:
    try:
        return bool(cell.strip()) and (folder / cell.strip().replace("\\", "/")).is_file()
    except (OSError, ValueError):
        return False


def _path_column(table: Table, folder: Path) -> int:
    """The column that names the files: by what lies there, else by its name, else by the endings in it."""
    sample = table.rows[:_SAMPLE]
    there = [sum(_is_file(folder, row[place]) for row in sample) for place in range(table.width)]
    if max(there):
        return there.index(max(there))
    named = table.column(PATH_NAMES)
    if named is not None:
        return named
    ending = [sum(is_named_as_image(row[place].strip()) for row in sample) for place in range(table.width)]
    if max(ending):
        return ending.index(max(ending))
    raise DataError(
        f"{table.origin} must have a column `path` that names image files, or a row of pixels for each image",
        found=f"columns {some(table.header) if table.header else some(table.rows[0])}",
        do="write a header such as path,label; paths are relative to the table",
    )


def _images(table: Table, columns: Columns, folder: Path, config: "DataConfig") -> ImageSet:
    cells = table.cells(columns.path) or []
    paths = _found(table, cells, folder)
    rows = _once(table, columns, cells, paths)
    labels, groups = columns.labels(table), table.cells(columns.group)
    parts = table.parts(columns.part)

    def files() -> Iterator[File]:
        for row in rows:
            name = shown(cells[row].replace("\\", "/"))
            group = groups[row] if groups else None
            part = parts[row] if parts else None
            yield File(name, os.fspath(paths[row]), label=labels[row], group=group, part=part)

    images = listed_images(Again(files), config, origin=table.origin, source="a table of image files")
    repeated = len(cells) - len(rows)
    return noted(images, f"{counted(repeated, 'row')} left out that repeat a file") if repeated else images


def _found(table: Table, cells: Sequence[str], folder: Path) -> list[Path]:
    """The file of each cell: where it says, else the only one below the table's folder of that name."""
    with readable(folder):
        paths = [folder / cell.replace("\\", "/") if _is_file(folder, cell) else None for cell in cells]
        if None in paths:
            below = sorted(_below(folder))
            matcher = Matcher(below)
            places = [
                matcher.find(cell) if at is None else None for cell, at in zip(cells, paths, strict=True)
            ]
            paths = [
                at if place is None else folder / below[place]
                for at, place in zip(paths, places, strict=True)
            ]
    lost = [cell for cell, at in zip(cells, paths, strict=True) if at is None]
    if lost:
        raise DataError(
            f"the files that {table.origin} names must be there, relative to {folder}",
            found=f"{len(lost):,} of {counted(len(cells), 'path')} are not: {some(lost)}",
            do="put the table where its paths begin, mend them, or remove these rows",
        )
    return [at for at in paths if at is not None]


def _below(folder: Path) -> Iterator[str]:
    """The names of what may be images below `folder`."""
    for here, folders, files in os.walk(folder):
        relative = os.path.relpath(here, folder)
        prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
        folders[:] = [one for one in folders if not is_junk(one)] if prefix.count("/") < DEPTH else []
        yield from (f"{prefix}{name}" for name in files if may_be_image(name))


def _once(table: Table, columns: Columns, cells: Sequence[str], paths: Sequence[Path]) -> list[int]:
    """The rows that name a file for the first time.

    Raises:
        DataError: a file has two labels.
    """
    first: dict[Path, int] = {}
    labels = columns.labels(table)
    torn = []
    for row, path in enumerate(paths):
        before = first.setdefault(path, row)
        if labels[before] != labels[row]:
            torn.append(
                f"{cells[row]}: {labels[before]} in line {table.lines[before]:,}, "
                f"{labels[row]} in line {table.lines[row]:,}"
            )
    if torn:
        raise DataError(
            f"each file of {table.origin} must have one label",
            found=f"{counted(len(torn), 'row')} that give a file another one: {some(torn)}",
            do="remove the wrong rows",
        )
    return sorted(first.values())
