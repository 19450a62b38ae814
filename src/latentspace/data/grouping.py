"""What stays together in a split, from the names of images: a pattern, their folder, or a table of names."""

import logging
import os
import posixpath
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from ..core.atomic_files import exists
from ..core.errors import ConfigurationError, DataError
from ..core.wording import counted, option
from .imageset import ImageSet
from .readers.file_tables import Matcher
from .readers.filenames import is_junk, may_be_image
from .readers.layout import NO_LABEL, layout_of
from .readers.listed import group_numbers, noted
from .readers.tables import GROUP_NAMES, PATH_NAMES, TABLES, read_table, some

logger = logging.getLogger(__name__)

_TILE = re.compile(r"\[\d+,\d+\]$")  # what the name of a tile ends with
Grouping: TypeAlias = Callable[[Sequence[str]], list[str | None]]


def grouping_of(text: str) -> Grouping:
    """What gives each name its group, or None, from what `--group-by` says.

    `folder` is the folder that a file lies in; a CSV or TSV has names and groups; all else is a regular
    expression, searched for in each name: its first group that matches is the group, or the whole match.

    Raises:
        ConfigurationError: no regular expression, or one that matches nothing but the empty text.
        DataError: a table that cannot be read, or lacks a column.
    """
    if text == "folder":
        return lambda names: [posixpath.dirname(name) or None for name in names]
    if text.casefold().endswith(TABLES):
        return _from_table(Path(text))
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigurationError(
            f"{option('group_by')} takes a regular expression over names, `folder`, or a CSV file",
            found=f"{text!r}: {error}",
            do=r"write for example '(p\d+)_', which takes p03 from p03_1.png",
        ) from error
    return lambda names: [_searched(pattern, name) for name in names]


def _searched(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.search(name)
    if found is None:
        return None
    return next((one for one in found.groups() if one), None) if pattern.groups else found[0] or None


def _from_table(path: Path) -> Grouping:
    if not exists(path):
        raise DataError(
            f"the table that {option('group_by')} names must be there",
            found=f"no file {path}",
            do="check the path; a table has the columns name and group",
        )
    table = read_table(path)
    if table.rows:
        headed = table.headed()
        if len(headed.header) != 2 or headed.column((*PATH_NAMES, *GROUP_NAMES)) is not None:
            table = headed
    table.require_whole()
    name, group = table.column(PATH_NAMES), table.column(GROUP_NAMES)
    if table.width == 2 and name is None:
        name = 0 if group is None else 1 - group
    if table.width == 2 and group is None and name is not None:
        group = 1 - name
    if name is None or group is None or name == group:
        raise DataError(
            f"{path} must have a column of names and a column `group`",
            found=f"columns {some(table.header or table.rows[0])}",
            do="write a header such as name,group",
        )
    names, groups = table.cells(name) or [], table.cells(group) or []
    torn = [f"{one}: {a}, {b}" for one, a, b in _torn(names, groups)]
    if torn:
        raise DataError(
            f"each name of {path} must have one group",
            found=f"{counted(len(torn), 'name')} with several: {some(torn)}",
            do="remove the wrong rows",
        )
    return lambda files: _looked_up(files, names, groups)


def _torn(names: Sequence[str], groups: Sequence[str]) -> list[tuple[str, str, str]]:
    first: dict[str, str] = {}
    pairs = zip(names, groups, strict=True)
    return [(name, first[name], group) for name, group in pairs if first.setdefault(name, group) != group]


def _looked_up(files: Sequence[str], names: Sequence[str], groups: Sequence[str]) -> list[str | None]:
    matcher = Matcher(files)
    found: list[str | None] = [None] * len(files)
    for name, group in zip(names, groups, strict=True):
        place = matcher.find(name)
        if place is not None:
            found[place] = group or None
    return found


def refuse_early(text: str, spec: str) -> None:
    """Refuse what cannot group the files that `spec` names, where their names are known before they are read.

    Raises:
        ConfigurationError, DataError: as `grouping_of` and `grouped`.
    """
    grouping = grouping_of(text)
    names = _names_at(Path(spec)) if exists(Path(spec)) else []
    if names:
        _check(text, names, grouping(names))


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
    return [name for name in names if may_be_image(name) and not any(map(is_junk, name.split("/")))]


def grouped(images: ImageSet, text: str) -> ImageSet:
    """`images` with the groups that `text` gives them by their names; one without any is a group of its own.

    Raises:
        ConfigurationError, DataError: as `grouping_of`; or no name has a group, or all have the same one.
    """
    if images.files is None and text == "folder":
        raise ConfigurationError(
            f"{option('group_by', 'folder')} needs images that lie in folders",
            found=f"{images.source}: rows, without names of files",
            do="name a CSV of row and group, or leave it out",
        )
    names = [_TILE.sub("", name) for name in images.names]
    groups = grouping_of(text)(names)
    _check(text, names, groups)
    missing = [name for name, group in zip(images.names, groups, strict=True) if group is None]
    numbers = group_numbers(
        [f"\0{name}" if group is None else group for name, group in zip(names, groups, strict=True)]
    )
    count = len({group for group in groups if group is not None})
    notes = [f"{counted(count, 'group')} from {option('group_by', text)}"]
    if missing:
        notes.append(f"{counted(len(missing))} without a match, each a group of its own: {some(missing)}")
        logger.warning("%s", notes[-1])
    if images.groups is not None:
        notes.append(f"the groups of {images.source} replaced by these")
    if text == "folder":
        images = _labelled_above(images, names)
    return noted(replace(images, groups=numbers), *notes)


def _labelled_above(images: ImageSet, names: Sequence[str]) -> ImageSet:
    """The class is the folder above that of the group, where there are several: `ill/p03/1.png` is ill."""
    above = layout_of([posixpath.join(posixpath.dirname(posixpath.dirname(name)), "image") for name in names])
    if len(above.class_names) < 2 or NO_LABEL in above.class_names or above.masks:
        return images
    note = f"the folder above that of the group is the class: {some(above.class_names)}"
    return noted(replace(images, labels=above.labels, class_names=above.class_names), note)


def _check(text: str, names: Sequence[str], groups: Sequence[str | None]) -> None:
    found = {group for group in groups if group is not None}
    if found and not (len(found) == 1 and None not in groups and len(groups) > 1):
        return
    what = f"all of them in one group, {next(iter(found))!r}" if found else "no name has a match"
    raise ConfigurationError(
        f"{option('group_by', text)} must put the images into several groups",
        found=f"{what}; names are like {some(names)}",
        do=r"write a regular expression over these names, as '(p\d+)_', or `folder`, or a CSV of name,group",
    )
