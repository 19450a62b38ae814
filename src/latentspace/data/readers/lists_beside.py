"""What stands beside image files and is no table of labels.

Lists and tables such as `meta/train.txt` and `test.csv` name a part, arrays as `imagelabels.mat` have labels
and `setid.mat` the numbers of the images of each part; tables of pixels are images themselves.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..config import DataConfig
from ..imageset import ImageSet
from .array_files import arrays_of
from .array_names import PARTS as SHORT_PARTS
from .array_names import taken_apart
from .beside_each import with_file_each
from .chosen import Stored
from .file_tables import Matcher
from .filenames import PARTS, stem
from .label_columns import NONE, Wanted
from .labels import classes_of_labels
from .listed import described, noted, warned
from .pixel_layout import layout_of
from .published_tables import prepared
from .sidecar_tables import matched_beside
from .tables import LISTS, TABLES, read_text, some, table_of, whole_labels

logger = logging.getLogger(__name__)

_ARRAYS: Final = (".mat", ".npy", ".npz")
_MOST: Final = 20  # files that are looked at
_SURE: Final = 0.9
FEW_PICTURES: Final = 20  # that may stand beside a table of pixels to show what is in it
_FEW_TABLES: Final = 4
_LIMIT: Final = 2**28
_OF_PARTS: Final = frozenset(("split", "splits", "partition", "partitions", "subset", "subsets"))
_OF_LISTS: Final = frozenset(("list", "lists", "files", "filenames", "images", "ids", "names", "split"))
_NUMBER: Final = re.compile(r"[0-9]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_IDS: Final = re.compile(
    rf"({'|'.join(sorted(SHORT_PARTS, key=len, reverse=True))})_?(ids?|idx|ind|inds|index|indices|set)?1?"
)


def may_tell(name: str) -> bool:
    """Whether a file beside images may be one of these, by its name."""
    return _names_parts(name) or _is_split_table(name) or _is_array(name) or _is_label_list(name)


def with_what_is_beside(
    images: ImageSet, folder: Path, below: Sequence[str], config: DataConfig
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the parts and the labels that files beside them say, and what these are called.

    Args:
        below: the names of other files in the folder and below.
    """
    images, lists = with_part_lists(images, folder, below)
    images, labels = with_label_arrays(images, folder, below, config)
    images, texts = with_file_each(images, folder, below, config)
    images, arrays = with_part_arrays(images, folder, below, config)
    return images, (*lists, *labels, *texts, *arrays)


def _part_of_list(name: str) -> int | None:
    """The part that a list is called by: `train.txt`, `test_list.txt`, `trainval.txt`, or `train1.txt`."""
    words = set(_WORD.findall(stem(name))) - _OF_LISTS
    if _NUMBER.sub("", stem(name)) != stem(name).rstrip("1"):
        return None
    if words in ({"train", "val"}, {"trainval"}, {"train", "valid"}):
        return 0
    return PARTS.get(words.pop()) if len(words) == 1 else None


def _names_parts(name: str) -> bool:
    return name.casefold().endswith((*LISTS, *TABLES)) and _part_of_list(name) is not None


def _is_split_table(name: str) -> bool:
    words = set(_WORD.findall(stem(name)))
    kind = name.casefold().endswith((*LISTS, *TABLES))
    return kind and bool(words & _OF_PARTS or stem(name) == "images")


def _is_array(name: str) -> bool:
    called = stem(name)
    return name.casefold().endswith(_ARRAYS) and any(
        one in called for one in ("label", "setid", "split", "partition")
    )


def with_part_lists(images: ImageSet, folder: Path, below: Sequence[str]) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the parts that lists such as `train.txt` and `test.txt` name, and what these are called.

    That is done if they have no parts, and at least two lists name files, most of theirs, and each its own;
    else if a table called `split` or the like has the part of each.
    """
    if images.files is None or images.parts is not None:
        return images, ()
    names = list(filter(_names_parts, below))
    if not names and not any(map(_is_split_table, below)):
        return images, ()
    matcher = Matcher(images.names)
    parts = _of_lists(images, matcher, folder, names) if 2 <= len(names) <= _MOST else None
    if parts is None:
        names = list(filter(_is_split_table, below))
        names, parts = _of_table(images, matcher, folder, names) if len(names) <= _MOST else ([], None)
    if parts is None or len(set(parts.tolist()) - {-1}) < 2:
        return images, ()
    rest = int((parts < 0).sum())
    note = f"parts from {' and '.join(names)}" + (f"; {counted(rest)} in none of them" if rest else "")
    return noted(replace(images, parts=parts), note), tuple(names)


def _of_lists(images: ImageSet, matcher: Matcher, folder: Path, names: Sequence[str]) -> Int64Array | None:
    parts = np.full(len(images), -1, dtype=np.int64)
    said = {name: _part_of_list(name) for name in names}
    both = [name for name in names if "val" in stem(name) and said[name] == 0]
    if 1 in said.values():  # what train and val say as well
        said = {name: part for name, part in said.items() if name not in both}
    for name, part in said.items():
        try:
            files = _named_in(name, read_text(folder / name, _LIMIT), images, matcher)
        except DataError:
            return None
        places = np.array([place for place in files if place is not None], dtype=np.int64)
        if not len(places) or len(places) < _SURE * len(files) or (parts[places] >= 0).any():
            return None
        parts[places] = 0 if part is None else part
    return parts


def _named_in(name: str, text: str, images: ImageSet, matcher: Matcher) -> list[int | None]:
    """The image that each line or row names."""
    if name.casefold().endswith(TABLES):
        table = table_of(text, name)
        match = matched_beside(name, table, images.names, matcher, Wanted(classes=images.class_names))
        return [] if match is None else list(match.files)
    lines = [line.split("\t")[0].strip() for line in text.splitlines() if line.strip()]
    return [
        at if (at := matcher.find(line)) is not None else matcher.find(line.split(" ")[0])
        for line in lines
        if line
    ]


def _of_table(
    images: ImageSet, matcher: Matcher, folder: Path, names: Sequence[str]
) -> tuple[list[str], Int64Array | None]:
    """The parts in the first table that has those of most images, and what it is called."""
    try:
        tables = prepared([(name, read_text(folder / name, _LIMIT)) for name in names], None).tables
    except DataError:
        return [], None
    for name, text in tables:
        if not set(_WORD.findall(stem(name))) & _OF_PARTS:
            continue
        try:
            match = matched_beside(name, table_of(text, name), images.names, matcher, Wanted())
            said = None if match is None else match.table.parts(match.columns.part)
        except DataError:
            continue
        if match is None or said is None or len(match.named) < _SURE * len(images):
            continue
        parts = np.full(len(images), -1, dtype=np.int64)
        for place, part in zip(match.files, said, strict=True):
            if place is not None:
                parts[place] = part
        return [name], parts
    return [], None


def with_label_arrays(
    images: ImageSet, folder: Path, below: Sequence[str], config: DataConfig
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the labels in a file of arrays beside them, by the order of names, and what it is called.

    That is done if they have no labels, all could be read, and the array has one label for each.
    """
    if not _in_order(images) or len(images.class_names) > 1 or config.label == NONE:
        return images, ()
    in_lines = [name for name in below if _is_label_list(name)]
    for name in in_lines[:_MOST]:
        if (labels := _lines(folder / name, len(images))) is not None:
            note = f"labels from {name}, in the order of the names of the images: {_first(images)} first"
            return described(noted(images, note), labels, origin=name), (name,)
    names = [name for name in below if name.casefold().endswith(_ARRAYS) and "label" in name.casefold()]
    for name in names[:_MOST]:
        try:
            arrays = [one for one in arrays_of(folder / name, config) if one.numeric]
            roles = [one for one in arrays if taken_apart(one.name).role == "labels"] or arrays
            if len(roles) != 1 or int(np.prod(roles[0].shape)) != len(images):
                logger.info("%s is not used: it has no label for each of %s", name, counted(len(images)))
                continue
            numbers, class_names, left_out = classes_of_labels(
                roles[0].read().reshape(-1), None, len(images), str(folder / name)
            )
        except DataError as error:
            logger.warning("%s is not used: %s", name, error.found)
            continue
        if numbers is None:
            logger.warning("%s", left_out)
            continue
        note = f"labels from {name}, in the order of the names of the images: {_first(images)} first"
        return noted(replace(images, labels=numbers, class_names=class_names), note), (name,)
    return images, ()


def _is_label_list(name: str) -> bool:
    return stem(name) in ("labels", "label", "y", "targets") and name.casefold().endswith((*LISTS, *TABLES))


def _lines(path: Path, count: int) -> list[str | None] | None:
    """A label on each of `count` lines, perhaps below a header; None where it is another text."""
    try:
        lines = [line.strip() for line in read_text(path, _LIMIT).splitlines() if line.strip()]
    except DataError:
        return None
    lines = lines[1:] if len(lines) == count + 1 else lines
    if len(lines) != count or any(mark in line for line in lines for mark in ",;\t "):
        return None
    return whole_labels(lines) if 2 <= len(set(lines)) <= count / 2 else None


def with_part_arrays(
    images: ImageSet, folder: Path, below: Sequence[str], config: DataConfig
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the parts whose numbers a file such as `setid.mat` has, by the order of names.

    That is done if they have no parts, all could be read, and no number is in two parts. Numbers count from 1
    unless there is a 0 among them.
    """
    if not _in_order(images) or images.parts is not None:
        return images, ()
    names = [name for name in below if _is_array(name) and "label" not in name.casefold()]
    for name in names[:_MOST]:
        try:
            parts = _of_numbers(arrays_of(folder / name, config), len(images))
        except DataError as error:
            logger.warning("%s is not used: %s", name, error.found)
            continue
        if parts is not None:
            note = f"parts from {name}, in the order of the names of the images: {_first(images)} first"
            return noted(replace(images, parts=parts), note), (name,)
    return images, ()


def _of_numbers(arrays: Sequence[Stored], count: int) -> Int64Array | None:
    found: dict[int, Int64Array] = {}
    for one in arrays:
        called = _IDS.fullmatch(one.name.casefold())
        if called and one.dtype.kind in "iuf" and SHORT_PARTS[called[1]] not in found:
            found[SHORT_PARTS[called[1]]] = one.read().reshape(-1).astype(np.int64)
    if len(found) < 2:
        return None
    numbers = np.concatenate(list(found.values()))
    numbers_from = 0 if (numbers == 0).any() else 1
    if len(np.unique(numbers)) != len(numbers) or numbers.min() < 0 or numbers.max() >= count + numbers_from:
        return None
    parts = np.full(count, -1, dtype=np.int64)
    for part, places in found.items():
        parts[places - numbers_from] = part
    return parts


def _in_order(images: ImageSet) -> bool:
    """Whether images are files, and none is missing, so that their places are their numbers."""
    return images.files is not None and images.rows is None and not images.record.unreadable


def _first(images: ImageSet) -> str:
    return images.names_of(np.arange(1))[0]


def beside_tables(images: ImageSet, folder: Path, below: Sequence[str]) -> ImageSet:
    """A few pictures without labels, with a warning of tables of pixels beside them, which may be meant."""
    few = len(images) <= FEW_PICTURES and not images.labelled
    tables = [name for name in below if name.casefold().endswith(TABLES)][:_FEW_TABLES] if few else []
    tables = [name for name in tables if layout_of(folder / name) is not None]
    if not tables:
        return images
    warning = (
        f"{counted(len(images))} beside tables of pixels, which are not read: {some(tables)}; if these are "
        "meant, name one of them, or put them into a folder of their own"
    )
    return warned(images, warning)
