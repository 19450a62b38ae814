"""The binary version of STL-10: `train_X.bin` and the like, records of 3 x 96 x 96 bytes, column by column.

`train_y.bin` has a label for each image, counted from 1; `class_names.txt` names them. `train_X` and `test_X`
are the parts. Beside them `unlabeled_X.bin`, which has no labels, is left out; named itself, it is read.
"""

import logging
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..cleaning import CleaningRecord
from ..config import DataConfig
from ..growing import Growing
from ..imageset import ImageSet
from .array_names import TEST, TRAIN, Rows
from .file_sets import FileSet, files_in, folder_that_holds
from .filenames import numbered, readable

logger = logging.getLogger(__name__)

SIDE: Final = 96
PIXELS: Final = 3 * SIDE * SIDE
_PARTS: Final = {"train_X.bin": TRAIN, "test_X.bin": TEST, "unlabeled_X.bin": TRAIN}
_NAMES: Final = "class_names.txt"
_STEP: Final = 256  # images read at a time


def is_stl10(files: FileSet) -> bool:
    """Whether files are those of the binary version, by their names and sizes."""
    found = [one for one in _PARTS if one in files.names]
    return any(files.size(one) >= PIXELS for one in found)


def stl10_folder(path: Path) -> Path | None:
    """The folder that holds the binary version: `path`, one below it, or that of the file `path`."""
    if path.is_dir():
        return folder_that_holds(path, is_stl10)
    named = path.is_file() and path.name in _PARTS
    return path.parent if named and is_stl10(files_in(path.parent)) else None


def read_stl10(path: Path, config: DataConfig) -> ImageSet:
    """The labelled images in a folder, or those of one file.

    Raises:
        DataError: a file that is no whole number of images, or labels that do not fit.
    """
    files = files_in(stl10_folder(path) or path)
    names = [one for one in _PARTS if one in files.names] if path.is_dir() else [path.name]
    counts = {name: _count(files, name) for name in names}
    of_files = {name: _labels(files, name, counts[name]) for name in names}
    labels = {name: one for name, one in of_files.items() if one is not None}
    left_out = [name for name in names if labels and name not in labels]
    names = [name for name in names if name not in left_out]
    numbers, class_names = _classes(files, list(labels.values()))
    growing = Growing(str(files.folder), config.resident)
    for name in names:
        _append(files, name, growing)
    notes = [f"{name} left out, as it has no labels; name it to read it" for name in left_out]
    parts = np.repeat([_PARTS[name] for name in names], [counts[name] for name in names])
    return ImageSet(
        growing.finished(),
        source="STL-10, binary version",
        labels=numbers,
        class_names=class_names,
        record=CleaningRecord(conversions=tuple(notes)),
        files=Rows(names, [counts[name] for name in names]),
        parts=parts.astype(np.int64) if len(set(parts.tolist())) > 1 else None,
    )


def _count(files: FileSet, name: str) -> int:
    size = files.size(name)
    if not size or size % PIXELS:
        raise DataError(
            f"{files.folder / name} must hold images of {PIXELS:,} bytes, 3x{SIDE}x{SIDE}",
            found=f"{size:,} bytes",
            do="fetch it again",
        )
    return size // PIXELS


def _append(files: FileSet, name: str, growing: Growing) -> None:
    """Add the images of a file, turned upright: they are stored column by column."""
    path = files.folder / name
    with readable(path), path.open("rb") as file:
        while content := file.read(_STEP * PIXELS):
            some = np.frombuffer(content, dtype=np.uint8).reshape(-1, 3, SIDE, SIDE)
            growing.extend(some.transpose(0, 1, 3, 2))


def _labels(files: FileSet, name: str, count: int) -> Int64Array | None:
    """The labels beside a file of images; None where there are none.

    Raises:
        DataError: not one for each image.
    """
    beside = name.replace("_X", "_y")
    if beside not in files.names:
        return None
    labels = np.frombuffer(files.content(beside), dtype=np.uint8)
    if len(labels) != count:
        raise DataError(
            f"{files.folder / beside} must hold a label for each image",
            found=f"{counted(len(labels), 'label')} for {counted(count)}",
            do="fetch both files again",
        )
    return labels.astype(np.int64)


def _classes(files: FileSet, labels: list[Int64Array]) -> tuple[Int64Array | None, tuple[str, ...]]:
    """Labels from 0, and the names of the classes: numbers where `class_names.txt` does not name each."""
    if not labels:
        return None, ()
    numbers = np.concatenate(labels)
    if _NAMES in files.names:
        lines = files.content(_NAMES).decode("utf-8", "backslashreplace").splitlines()
        names = tuple(line.strip() for line in lines if line.strip())
        if len(set(names)) == len(names) >= numbers.max() and numbers.min() >= 1:
            return numbers - 1, names
        logger.warning("%s does not name each class: they are called by their numbers", files.folder / _NAMES)
    return numbered(numbers, str(files.folder))
