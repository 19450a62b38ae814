"""What the names of images say of them, by a pattern, by their folder, or by a table of names.

`--group-by` and `--label-by` take the same three.
"""

import os
import posixpath
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from ..core.atomic_files import exists
from ..core.errors import ConfigurationError, DataError
from ..core.wording import counted, option, plural
from .readers.file_tables import Matcher
from .readers.filenames import is_junk, may_be_image
from .readers.tables import GROUP_NAMES, LABEL_NAMES, PATH_NAMES, TABLES, read_table, some

FOLDER: Final = "folder"
TILE: Final = re.compile(r"\[\d+,\d+\]$")  # what the name of a tile ends with
_COLUMNS: Final = {"group": GROUP_NAMES, "label": LABEL_NAMES}
_EXAMPLES: Final = {"group": r"'(p\d+)_', which takes p03", "label": r"'^([a-z]+)\.', which takes cat"}
_FROM: Final = {"group": "p03_1.png", "label": "cat.12.jpg"}
Said: TypeAlias = list[str | None]  # of each name; None: nothing


class UnmatchedError(ConfigurationError):
    """No name has a match, or all have the same one."""


@dataclass(frozen=True)
class ByName:
    """What gives each name its group or its label.

    `folder` is the folder that a file lies in; a CSV or TSV has names and groups, or labels; all else is a
    regular expression, searched for in each name, and then in its last part alone: its first group that
    matches is what is said, or the whole match.

    Args:
        what: `group` or `label`.
        text: what the option says.
    """

    what: str
    text: str

    @property
    def setting(self) -> str:
        return f"{self.what}_by"

    @property
    def written(self) -> str:
        return option(self.setting, self.text)

    @cached_property
    def _read(self) -> Callable[[Sequence[str]], Said]:
        if self.text == FOLDER:
            part = posixpath.basename if self.what == "label" else str  # a class may lie in several places
            return lambda names: [part(posixpath.dirname(name)) or None for name in names]
        if self.text.casefold().endswith(TABLES):
            return self._from_table(Path(self.text))
        try:
            pattern = re.compile(self.text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ConfigurationError(
                f"{option(self.setting)} takes a regular expression over names, `{FOLDER}`, or a CSV file",
                found=f"{self.text!r}: {error}",
                do=f"write for example {_EXAMPLES[self.what]} from {_FROM[self.what]}",
            ) from error
        return lambda names: [_searched(pattern, name) for name in names]

    def of(self, names: Sequence[str]) -> Said:
        """What is said of each name.

        Raises:
            ConfigurationError: no regular expression; no name has a match, or all have the same one.
            DataError: a table that cannot be read, or lacks a column.
        """
        said = self._read(names)
        found = {one for one in said if one is not None}
        if not found or (len(found) == 1 and None not in said and len(said) > 1):
            thing = "class" if self.what == "label" else "group"
            one = f"all of them in one {thing}, {next(iter(found))!r}" if found else "no name has a match"
            raise UnmatchedError(
                f"{self.written} must put the images into several {plural(thing)}",
                found=f"{one}; names are like {some(names)}",
                do="write a regular expression over these names, as "
                f"{_EXAMPLES[self.what].partition(',')[0]}, or `{FOLDER}`, or a CSV of name,{self.what}",
            )
        return said

    def refuse_early(self, spec: str) -> None:
        """Refuse what says nothing of the files in `spec`, if their names are known before they are read.

        Raises:
            ConfigurationError, DataError: as `of`.
        """
        _ = self._read  # a pattern or a table that is wrong is an error whatever the names are
        if names := _names_at(Path(spec)) if exists(Path(spec)) else []:
            self.of(names)

    def _from_table(self, path: Path) -> Callable[[Sequence[str]], Said]:
        if not exists(path):
            raise DataError(
                f"the table that {option(self.setting)} names must be there",
                found=f"no file {path}",
                do=f"check the path; a table has the columns name and {self.what}",
            )
        table, wanted = read_table(path), _COLUMNS[self.what]
        if table.rows:
            headed = table.headed()
            if len(headed.header) != 2 or headed.column((*PATH_NAMES, *wanted)) is not None:
                table = headed
        table.require_whole()
        name, value = table.column(PATH_NAMES), table.column(wanted)
        if table.width == 2 and name is None:
            name = 0 if value is None else 1 - value
        if table.width == 2 and value is None and name is not None:
            value = 1 - name
        if name is None or value is None or name == value:
            raise DataError(
                f"{path} must have a column of names and a column `{self.what}`",
                found=f"columns {some(table.header or table.rows[0])}",
                do=f"write a header such as name,{self.what}",
            )
        names, values = table.cells(name) or [], table.cells(value) or []
        torn = [f"{one}: {a}, {b}" for one, a, b in _torn(names, values)]
        if torn:
            raise DataError(
                f"each name of {path} must have one {self.what}",
                found=f"{counted(len(torn), 'name')} with several: {some(torn)}",
                do="remove the wrong rows",
            )
        return lambda files: _looked_up(files, names, values)


def _searched(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.search(name) or pattern.search(posixpath.basename(name))
    if found is None:
        return None
    return next((one for one in found.groups() if one), None) if pattern.groups else found[0] or None


def _torn(names: Sequence[str], values: Sequence[str]) -> list[tuple[str, str, str]]:
    first: dict[str, str] = {}
    pairs = zip(names, values, strict=True)
    return [(name, first[name], value) for name, value in pairs if first.setdefault(name, value) != value]


def _looked_up(files: Sequence[str], names: Sequence[str], values: Sequence[str]) -> Said:
    matcher = Matcher(files)
    found: Said = [None] * len(files)
    for name, value in zip(names, values, strict=True):
        place = matcher.find(name)
        if place is not None:
            found[place] = value or None
    return found


def _names_at(path: Path) -> list[str]:
    """The names of what may be images in a folder or a zip, below the folder that all lie in; else none."""
    try:
        if path.is_dir():
            root = str(path)
            names = [
                posixpath.join(os.path.relpath(here, root).replace(os.sep, "/"), name).removeprefix("./")
                for here, _, files in os.walk(path)
                for name in files
            ]
        elif path.suffix.casefold() == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
        else:
            return []
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return []  # what is wrong with it is said where it is read
    return [
        name
        for name in names
        if may_be_image(posixpath.basename(name)) and not any(map(is_junk, name.split("/")))
    ]
