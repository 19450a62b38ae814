"""The binary version of CIFAR-10 and CIFAR-100: records of one or two labels and 3 x 32 x 32 bytes.

The names of the classes stand in `batches.meta.txt`, or in `fine_label_names.txt`; else they are numbers.
The test batch is the part test. Of CIFAR-100's two labels the fine one is taken, unless `data.label` is
`coarse_label`.
"""

import re
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import CleaningRecord
from ..imageset import ImageSet
from .array_names import TEST, TRAIN, Rows
from .file_sets import FileSet, files_in, folder_that_holds
from .filenames import numbered
from .label_columns import asked_column

PIXELS: Final = 3 * 32 * 32
_TEN: Final = re.compile(r"(data_batch_[0-9]+|test_batch)\.bin")
_HUNDRED: Final = ("train.bin", "test.bin")
# The labels of a record in their order, and the file that names their classes.
_LABELS: Final = {
    10: {"label": "batches.meta.txt"},
    100: {"coarse_label": "coarse_label_names.txt", "fine_label": "fine_label_names.txt"},
}


def is_cifar(files: FileSet) -> bool:
    """Whether files are those of the binary version: by their names, and CIFAR-100's by its records too."""
    hundred = [one for one in _HUNDRED if one in files.names]
    fits = hundred and (
        _LABELS[100]["fine_label"] in files.names or all(_is_whole(files.size(one)) for one in hundred)
    )
    return bool(fits) or any(map(_TEN.fullmatch, files.names))


def _is_whole(size: int) -> bool:
    """Whether so many bytes are whole records of CIFAR-100."""
    return size > 0 and size % (2 + PIXELS) == 0


def cifar_folder(path: Path) -> Path | None:
    """The folder that holds the binary version: `path`, one below it, or that of the file `path`."""
    if path.is_dir():
        return folder_that_holds(path, is_cifar)
    named = path.is_file() and (_TEN.fullmatch(path.name) or path.name in _HUNDRED)
    return path.parent if named and is_cifar(files_in(path.parent)) else None


def read_cifar(path: Path, label: str | None = None) -> ImageSet:
    """All batches in a folder, or one.

    Args:
        label: `coarse_label` or `fine_label` of CIFAR-100, which is taken where none is named.

    Raises:
        DataError: a batch that is no whole number of records.
    """
    files = files_in(cifar_folder(path) or path)
    return images_of_cifar(files, None if path.is_dir() else path.name, label)


def images_of_cifar(files: FileSet, only: str | None = None, label: str | None = None) -> ImageSet:
    """The images of all batches among `files`, or of one of them.

    Raises:
        DataError: as `read_cifar`.
    """
    ten = [one for one in files.names if _TEN.fullmatch(one)]
    kind = 10 if ten else 100
    names = list(_LABELS[kind])
    asked = f"{label}_label" if label in ("coarse", "fine") else label
    place, labels = asked_column(names, asked, files.folder), len(names)
    place = labels - 1 if place is None else place
    batches = [only] if only else (ten or [one for one in _HUNDRED if one in files.names])
    records = [_records(files, name, labels) for name in batches]
    counts = list(map(len, records))
    whole = np.concatenate(records) if len(records) > 1 else records[0]
    column, named = whole[:, place].astype(np.int64), _LABELS[kind][names[place]]
    numbers, class_names, warnings = _classes(files, column, named)
    parts = np.repeat([TEST if name.startswith("test") else TRAIN for name in batches], counts)
    return ImageSet(
        np.ascontiguousarray(whole[:, labels:]).reshape(-1, 3, 32, 32),
        source=f"CIFAR-{kind}, binary version",
        labels=numbers,
        class_names=class_names,
        record=CleaningRecord(warnings=warnings),
        files=Rows(batches, counts),
        parts=parts.astype(np.int64) if len(set(parts.tolist())) > 1 else None,
    )


def _records(files: FileSet, name: str, labels: int) -> np.ndarray:
    content = np.frombuffer(files.content(name), dtype=np.uint8)
    if not len(content) or len(content) % (labels + PIXELS):
        raise DataError(
            f"{files.folder / name} must hold records of {labels + PIXELS:,} bytes, "
            f"{counted(labels, 'label')} and an image of 3x32x32",
            found=f"{len(content):,} bytes",
            do="fetch it again",
        )
    return content.reshape(-1, labels + PIXELS)


def _classes(
    files: FileSet, labels: np.ndarray, name: str
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Labels, the names of the classes, and what is to be said of them."""
    if name not in files.names:
        return *numbered(labels, str(files.folder)), ()
    lines = files.content(name).decode("utf-8", "backslashreplace").splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    if len(set(names)) == len(names) > labels.max():
        return labels, names, ()
    known = tuple(dict.fromkeys(names)) if len(set(names)) == len(names) else ()
    rest = map(str, range(len(known), int(labels.max()) + 1))
    said = f"{name} names {counted(len(names), 'class')}, and the labels go to {labels.max()}"
    return labels, (*known, *rest), (said,)
