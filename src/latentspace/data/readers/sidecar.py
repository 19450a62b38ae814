"""A table beside image files -> their labels, groups and parts: labels.csv in a folder of images.

Looked for in the folder itself, in those below, and beside it where its name says labels, annotations,
metadata, or the folder's own name. It is used where it names at least half of the files, or if nearly all of
its rows name one of a fifth of them; several tables, such as one in each part, if they name different files.
"""

import logging
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from .beside_each import files_each
from .file_tables import Matcher
from .label_columns import NONE, UnknownColumnError, Wanted, with_used, without_columns
from .layout import NO_LABEL
from .listed import described, noted, warned
from .open_labels import are_open, are_synsets, in_words, unlabelled, without_labels
from .published_tables import prepared
from .sidecar_tables import SURE, USUAL, Match, beside, candidates, matched_beside
from .tables import LOOSE, TABLES, part_of_name, plain, read_text, some, table_of, without_many

logger = logging.getLogger(__name__)

LIMIT: Final = 2**28  # bytes of a table beside images
_PART: Final = 0.2
# Examples of answers, and what PASCAL VOC says of each of its classes by itself: the parts are in others.
_NO_LABELS: Final = re.compile(r"submission|(^|/)imagesets/", re.IGNORECASE)


def with_sidecar(
    images: ImageSet, folder: Path, below: Sequence[str] = (), label: str | None = None
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with what tables in or beside `folder` say of them, and their names; else as they are.

    That is done if they have no labels of their own, or some of them have none, or a column is asked for.
    A table that does not fit is mentioned, and not used.

    Args:
        below: the names of other files in the folders below: a table there is about the images beside it.
        label: the column that has the labels; None: that is found out.

    Raises:
        DataError: no table has that column.
    """
    if not wants_tables(images, label):
        return images, ()
    inner = [name for name in below if "/" in name and name.casefold().endswith((*TABLES, *LOOSE))]
    inner = list(filter(about(images), inner))
    each = set(files_each(images, below))  # read by themselves
    found = []
    for path in (*candidates(folder), *(folder / name for name in without_many(inner))):
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        if name in each:
            continue
        try:
            found.append((name, read_text(path, LIMIT)))
        except DataError as error:
            logger.warning("%s is not used: %s", name, error.found)
    return _said(images, found, label)


def with_beside(archive: Path, images: ImageSet, label: str | None = None) -> ImageSet:
    """The images with labels, groups and parts from the tables next to their archive."""
    if not wants_tables(images, label):
        return images
    paths = beside(archive.resolve().parent, archive.name.partition(".")[0])
    if not paths:
        return images
    if label not in (None, NONE) and not images.record.unused_label:
        return images  # what is in it has that column
    return _said(images, [(path.name, read_text(path, LIMIT)) for path in paths], label)[0]


def with_tables(images: ImageSet, tables: Sequence[tuple[str, str]], label: str | None = None) -> ImageSet:
    """The images with labels, groups and parts from tables that are given by name and text."""
    return _said(images, tables, label)[0]


def about(images: ImageSet) -> Callable[[str], bool]:
    """Which tables, by their names, may be about images without a label, where others have one; else all.

    Those in folders of images with labels are not: there may be one in each class folder.
    """
    if not are_open(images):
        return lambda _: True
    bare = unlabelled(images)
    rest = np.setdiff1d(np.arange(len(images)), bare)
    done = _folders_above(images.names_of(rest)) - _folders_above(images.names_of(bare))

    def may_be(name: str) -> bool:
        folders = name.split("/")[:-1]
        return not any("/".join(folders[first:]) in done for first in range(len(folders)))

    return may_be


def _folders_above(names: Sequence[str]) -> set[str]:
    found = set()
    for folder in {posixpath.dirname(name) for name in names}:
        parts = folder.split("/")
        found |= {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return found


def wants_tables(images: ImageSet, label: str | None) -> bool:
    """Whether labels are looked for in tables; groups and parts alone where no labels are wanted."""
    if images.files is None:
        return False
    return (
        label not in (None, NONE)
        or len(images.class_names) < 2
        or are_open(images)
        or are_synsets(images.class_names)
    )


def _said(
    images: ImageSet, tables: Sequence[tuple[str, str]], label: str | None
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the labels that tables say, classes in words, and the names of these tables."""
    if not wants_tables(images, label):
        return images, ()
    tables, label, class_names = prepared(tables, label)
    used: tuple[str, ...] = ()
    if label == NONE:
        return _labelled(without_labels(images), tables, Wanted(NONE))
    if label is not None:
        bare = without_labels(images)
        found, used = _labelled(bare, tables, Wanted(label))
        images = with_used(found) if used else without_columns(images, label)
    elif are_open(images):
        images, used = _completed(images, tables)
    elif len(images.class_names) < 2:
        images, used = _labelled(images, tables)
    if used and class_names and set(images.class_names) <= set(class_names):
        named = tuple(class_names[one] for one in images.class_names)
        images = replace(images, class_names=named) if len(set(named)) == len(named) else images
    images, words = in_words(images, tables)
    return images, used + words


def _completed(images: ImageSet, tables: Sequence[tuple[str, str]]) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with labels from tables for those that have none, in the classes that there are."""
    bare, classes = unlabelled(images), images.class_names[:-1]
    rows = bare if images.rows is None else images.rows[bare]
    dots = images.pixels[bare, :1, :1, :1]  # what the images show does not matter here
    part = ImageSet(dots, source=images.source, files=images.files, rows=rows)
    found, used = _labelled(part, tables, Wanted(classes=classes))
    if found.labels is None or images.labels is None:
        return images, ()
    places = _places(found.class_names, classes)
    pairs = list(zip(found.class_names, places, strict=True))
    unknown = [name for name, place in pairs if place is None and name != NO_LABEL]
    counts = np.bincount(found.labels, minlength=len(pairs))
    lost = sum(int(counts[number]) for number, (name, _) in enumerate(pairs) if name in unknown)
    if 2 * lost > len(bare):
        told = f"its labels ({some(unknown)}) are not those of the folders ({some(classes)})"
        logger.warning("%s is not used: %s", " and ".join(used), told)
        return images, ()
    order = (*classes, *unknown, NO_LABEL)
    numbers = [order.index(name) if place is None else place for name, place in pairs]
    labels = images.labels.copy()
    labels[bare] = np.array(numbers, dtype=np.int64)[found.labels]
    left = NO_LABEL in found.class_names
    source = f"{images.source} with labels from {' and '.join(used)}"
    images = replace(images, labels=labels, class_names=order if left else order[:-1], source=source)
    return noted(images, *found.record.conversions), used


def _places(names: Sequence[str], classes: Sequence[str]) -> list[int | None]:
    """The class that each name of a table means: spelled so, or the same number (`00014` and 14)."""
    at = {name: place for place, name in enumerate(classes)}
    folded = {_folded(name): place for name, place in at.items()}
    return [at.get(name, folded.get(_folded(name))) for name in names]


def _folded(name: str) -> str:
    return str(int(name)) if name.isdecimal() else plain(name)


def _labelled(
    images: ImageSet,
    tables: Sequence[tuple[str, str]],
    wanted: Wanted = Wanted(),  # noqa: B008 - it cannot be changed
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the table that names most of them, and with further ones that name only others.

    Raises:
        DataError: tables that name the images, and none of which has that column.
    """
    if images.files is None or not tables:
        return images, ()
    tables = [one for one in tables if not _NO_LABELS.search(one[0])]
    whole, found, others = Matcher(images.names), [], []
    silent: list[tuple[str, str]] = []
    for name, text in tables:
        try:
            match = matched_beside(name, table_of(text, name), images.names, whole, wanted)
        except UnknownColumnError as error:
            others.append(error)
            match = matched_beside(name, table_of(text, name), images.names, whole, Wanted())
            if match is not None and match.says_parts_alone:
                found.append((name, match))
            continue
        except DataError as error:
            chance = name.casefold().endswith(LOOSE) and plain(Path(name).name.partition(".")[0]) not in USUAL
            level = logging.INFO if chance else logging.WARNING
            logger.log(level, "%s is not used: %s (%s)", name, error.found, error.do)
            continue
        if match is None or (wanted.label == NONE and not match.says_more):
            silent.append((name, text))
        else:
            found.append((name, match))
    _tell_silent(silent)
    if others and all(match.says_parts_alone for _, match in found):
        raise max(others, key=lambda error: len(error.found))
    chosen: list[tuple[str, Match]] = []
    taken: set[int] = set()
    for name, match in sorted(found, key=lambda one: (one[1].says_parts_alone, -len(one[1].named))):
        further = match.share >= SURE and not match.named & taken
        parts_alone = match.says_parts_alone and not any(one.columns.part is not None for _, one in chosen)
        if not chosen or further or parts_alone:
            chosen.append((name, match))
            taken |= match.named
    if len(taken) < _PART * len(images):
        for name, match in chosen:
            logger.info("%s is not used: it names %d of %s", name, len(match.named), counted(len(images)))
        return images, ()
    return _applied(images, chosen, wanted), tuple(name for name, _ in chosen)


def _tell_silent(tables: Sequence[tuple[str, str]]) -> None:
    """Say which tables are not used, in one sentence: there may be one for each image."""
    boxes = [name for name, text in tables if _are_boxes(text)]
    rest = [name for name, text in tables if not _are_boxes(text)]
    for names, why in (
        (boxes, "boxes of objects, which are not read"),
        (rest, "no label, group or part of these files"),
    ):
        if names:
            logger.info("%s %s not used: %s", some(names), "is" if len(names) == 1 else "are", why)


def _are_boxes(text: str) -> bool:
    """Whether a text begins with a line of a class and four or more places, as YOLO has it."""
    cells = text.lstrip().partition("\n")[0].split(" ")
    return (
        len(cells) > 4 and cells[0].isdecimal() and all(one.replace(".", "").isdecimal() for one in cells[1:])
    )


def _applied(images: ImageSet, chosen: Sequence[tuple[str, Match]], wanted: Wanted) -> ImageSet:
    labels: list[str | None] = [None] * len(images)
    groups: list[str | None] = [None] * len(images)
    parts: list[int] = [-1] * len(images)
    for name, match in chosen:
        group, part = match.table.cells(match.columns.group), match.table.parts(match.columns.part)
        for row, place in enumerate(match.files):
            if place is not None:
                groups[place] = group[row] if group else groups[place]
                parts[place] = part[row] if part else parts[place]
        if not match.says_parts_alone and wanted.label != NONE:
            images = _filled(images, labels, name, match)
    called = [part_of_name(name) for name, _ in chosen]
    if images.parts is None and max(parts) < 0 and None not in called and len(set(called)) > 1:
        for (_, match), said in zip(chosen, called, strict=True):
            for place in match.named:
                parts[place] = -1 if said is None else said
    names = " and ".join(name for name, _ in chosen)
    bare = images
    if any(labels):
        source = images.source.replace("images without labels", "images").replace("1 class folder", "images")
        images = replace(images, source=f"{source} with labels from {names}", labels=None, class_names=())
    images = described(images, labels, groups, parts, origin=names, open_labels=bool(wanted.classes))
    return images if images.labelled else replace(images, source=bare.source)


def _filled(images: ImageSet, labels: list[str | None], name: str, match: Match) -> ImageSet:
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
        images = warned(images, note)
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
