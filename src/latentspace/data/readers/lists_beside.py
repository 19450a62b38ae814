"""What stands beside image files and is no table of labels.

Lists such as `meta/train.txt` name a part, arrays as `imagelabels.mat` have labels, tables of pixels are
images themselves.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..config import DataConfig
from ..imageset import ImageSet
from .array_files import arrays_of
from .array_names import taken_apart
from .file_tables import Matcher
from .filenames import PARTS
from .labels import classes_of_labels
from .listed import noted
from .pixel_layout import layout_of
from .tables import LISTS, TABLES, read_text, some

logger = logging.getLogger(__name__)

_ARRAYS: Final = (".mat", ".npy", ".npz")
_MOST: Final = 20  # files that are looked at
_SURE: Final = 0.9
FEW_PICTURES: Final = 20  # that may stand beside a table of pixels to show what is in it
_FEW_TABLES: Final = 4
_LIMIT: Final = 2**28


def with_part_lists(images: ImageSet, folder: Path, below: Sequence[str]) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the parts that lists such as `train.txt` and `test.txt` name, and what these are called.

    That is done if they have no parts, and at least two lists name files, most of theirs, and each its own.

    Args:
        below: the names of other files in the folder and below.
    """
    if images.files is None or images.parts is not None:
        return images, ()
    names = [
        name for name in below if Path(name).stem.casefold() in PARTS and name.casefold().endswith(LISTS)
    ]
    if not 2 <= len(names) <= _MOST:
        return images, ()
    matcher, parts = Matcher(images.names), np.full(len(images), -1, dtype=np.int64)
    for name in names:
        try:
            lines = [line.split("\t")[0].strip() for line in read_text(folder / name, _LIMIT).splitlines()]
        except DataError:
            return images, ()
        lines = [line for line in lines if line]
        found = [
            at if (at := matcher.find(line)) is not None else matcher.find(line.split(" ")[0])
            for line in lines
        ]
        places = np.array([place for place in found if place is not None], dtype=np.int64)
        if not len(places) or len(places) < _SURE * len(lines) or (parts[places] >= 0).any():
            return images, ()
        parts[places] = PARTS[Path(name).stem.casefold()]
    if len(set(parts.tolist()) - {-1}) < 2:
        return images, ()
    rest = int((parts < 0).sum())
    note = f"parts from {' and '.join(names)}" + (f"; {counted(rest)} in none of them" if rest else "")
    return noted(replace(images, parts=parts), note), tuple(names)


def with_label_arrays(
    images: ImageSet, folder: Path, below: Sequence[str], config: DataConfig
) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with the labels in a file of arrays beside them, by the order of names, and what it is called.

    That is done if they have no labels, all could be read, and the array has one label for each.
    """
    if images.files is None or len(images.class_names) > 1 or images.record.unreadable:
        return images, ()
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
        first = images.names_of(np.arange(1))[0]
        note = f"labels from {name}, in the order of the names of the images: {first} first"
        return noted(replace(images, labels=numbers, class_names=class_names), note), (name,)
    return images, ()


def unread_tables(folder: Path, below: Sequence[str]) -> tuple[str, ...]:
    """The tables of pixels beside a few pictures, which are what is meant, or may be."""
    tables = [name for name in below if name.casefold().endswith(TABLES)][:_FEW_TABLES]
    return tuple(name for name in tables if layout_of(folder / name) is not None)


def warned(images: ImageSet, tables: Sequence[str]) -> ImageSet:
    """`images` with a warning of tables of pixels beside them."""
    warning = (
        f"{counted(len(images))} beside tables of pixels, which are not read: {some(tables)}; if these are "
        "meant, name one of them, or put them into a folder of their own"
    )
    record = images.record.model_copy(update={"warnings": (*images.record.warnings, warning)})
    return replace(images, record=record)
