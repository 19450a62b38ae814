"""IDX images with what stands beside them, found by name: MNIST and all that took its form.

`train-images-idx3-ubyte.gz` goes with `train-labels-idx1-...` and `train-groups-idx1-...`, and with a
`classes.txt` that names the labels from 0, a line each, or with the `...-mapping.txt` of EMNIST (`1 65 97`:
label, characters). A file that is there both plain and compressed is read once. The parts train, validation
and test are joined in this order and kept in `ImageSet.parts`. Images of files named `emnist` lie on their
side there, and are turned.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..catalog.notmnist import LETTERS
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .array_names import PARTS, Rows
from .axes import arranged
from .chosen import WHOLE
from .emnist import UPRIGHT, characters_in, is_emnist, is_mapping, usual_characters, words_of
from .file_sets import FileSet, files_in, folder_that_holds
from .filenames import numbered
from .idx import CLASSES_FILE, is_column_name, is_images_name, read_idx
from .label_columns import without_columns
from .open_labels import with_open_parts
from .pixels_of import as_bytes, joined
from .streams import COMPRESSED

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Images:
    """A file of images, and the part of the publisher's split that its name says."""

    name: str
    prefix: tuple[str, ...]
    part: int


def idx_folder(folder: Path) -> Path | None:
    """`folder`, or the one below it that holds IDX files of images; None: there is none."""
    return folder_that_holds(folder, lambda files: any(map(is_images_name, files.names)))


def read_idx_files(path: Path, config: DataConfig) -> ImageSet:
    """The images of one file, or of all files of a folder, with what stands beside them.

    Raises:
        DataError: damaged files, several sets in one folder, counts that differ, labels without a name.
    """
    if not path.is_dir():
        files = files_in(path.parent)
        return without_columns(images_of_idx(files, [_named(path.name)], config), config.label)
    files = files_in(idx_folder(path) or path)
    return without_columns(images_of_idx(files, one_set(files), config), config.label)


def one_set(files: FileSet) -> list[_Images]:
    """The files of images among `files`, in the order of their parts.

    Raises:
        DataError: there are those of several sets.
    """
    found: dict[tuple[tuple[str, ...], int], _Images] = {}
    for name in sorted(filter(is_images_name, files.names), key=_plain_first):
        one = _named(name)
        first = found.setdefault((one.prefix, one.part), one)
        if first is not one:
            logger.info("%s is read, %s is taken as the same", first.name, one.name)
    prefixes = {prefix for prefix, _ in found}
    if len(prefixes) > 1 or (len(found) > 1 and any(part == WHOLE for _, part in found)):
        raise DataError(
            f"{files.folder} must hold one IDX set: one file of images, or its parts train, val and test",
            found=sentence(sorted(one.name for one in found.values())),
            do="name one of the files of images, or move the files of one set into a folder of their own",
        )
    return sorted(found.values(), key=lambda one: one.part)


def images_of_idx(files: FileSet, chosen: Sequence[_Images], config: DataConfig) -> ImageSet:
    """The images in the files that were `chosen`, with their labels, groups and the names of their classes.

    Raises:
        DataError: what `read_idx_files` raises.
    """
    arrays: list[np.ndarray] = []
    notes: list[str] = []
    origin = str(files.folder if len(chosen) > 1 else files.folder / chosen[0].name)
    for one in chosen:
        array, said = _pixels(files, one.name, config)
        arrays.append(array)
        notes += said
    counts = [len(array) for array in arrays]
    pixels, record = as_bytes(joined(arrays, origin), config.levels, origin)
    of_parts = _columns(files, chosen, counts, "labels")
    groups = [one for one in _columns(files, chosen, counts, "groups") if one is not None]
    labels = [one for one in of_parts if one is not None]
    numbers, class_names = _classes(files, np.concatenate(labels), chosen[0]) if labels else (None, ())
    letters = class_names == LETTERS and pixels.shape[1:] == (1, 28, 28)
    if numbers is not None:
        there = [one is not None for one in of_parts]
        numbers, class_names = with_open_parts(numbers, class_names, counts, there)
    kind = "IDX files" if labels or len(chosen) > 1 else "an IDX file"
    return ImageSet(
        pixels,
        source="IDX files, letters A-J" if letters else kind,
        labels=numbers,
        class_names=class_names,
        groups=np.concatenate(groups) if len(groups) == len(chosen) else None,
        record=record.after(*dict.fromkeys(notes)),
        files=Rows([one.name for one in chosen], counts) if len(chosen) > 1 else None,
        parts=np.repeat([one.part for one in chosen], counts).astype(np.int64) if len(chosen) > 1 else None,
    )


def _plain_first(name: str) -> tuple[bool, str]:
    return name.casefold().endswith(COMPRESSED), name


def _named(name: str) -> _Images:
    words = words_of(name.casefold().partition("images")[0])
    parts = [PARTS[word] for word in words if word in PARTS]
    return _Images(name, tuple(one for one in words if one not in PARTS), parts[-1] if parts else WHOLE)


def _array(files: FileSet, name: str, config: DataConfig) -> np.ndarray:
    return read_idx(files.folder / name, config.resident)


def _pixels(files: FileSet, name: str, config: DataConfig) -> tuple[np.ndarray, tuple[str, ...]]:
    """The images of a file, channels first, and what is said of them."""
    array, origin = _array(files, name, config), str(files.folder / name)
    if array.ndim not in (3, 4):
        raise DataError(
            f"{origin} must hold IDX images: magic number 0x00000803 or 0x00000804",
            found=f"{array.dtype.name} of rank {array.ndim}",
            do="name the images file, not the labels file",
        )
    if array.ndim == 4 and array.shape[1] in (1, 3):  # as `write_idx_folder` has it
        return array, ()
    if array.ndim == 3:
        array = array[:, None]
        if is_emnist(name) and array.shape[2] == array.shape[3]:
            return array.swapaxes(2, 3), (UPRIGHT,)
        return array, ()
    found = arranged(array, origin)
    return found.array, found.notes


def _companion(files: FileSet, images: str, word: str) -> str | None:
    """The IDX file named like one of images, with `word` for `images`; the plain one where there are two."""
    before, found, _ = images.casefold().partition("images")
    fitting = [one for one in files.names if one.casefold().startswith(before + word) and is_column_name(one)]
    return min(fitting, key=_plain_first, default=None) if found else None


def _columns(
    files: FileSet, chosen: Sequence[_Images], counts: Sequence[int], word: str
) -> list[Int64Array | None]:
    """The labels or groups of the images of each file; None where there are none."""
    columns: list[Int64Array | None] = []
    for one, count in zip(chosen, counts, strict=True):
        name = _companion(files, one.name, word)
        if name is not None:
            logger.info("%s goes with %s", name, one.name)
        columns.append(None if name is None else _column(files, name, count, one.name))
    return columns


def _column(files: FileSet, name: str, count: int, images: str) -> Int64Array:
    column = _array(files, name, DataConfig(spec=name, resident="always"))
    if column.ndim == 2:  # QMNIST: the class is the first of eight
        column = column[:, 0]
    if column.ndim != 1 or column.dtype.kind not in "iu" or len(column) != count:
        raise DataError(
            f"{files.folder / name} must hold one whole number for each image of {images}",
            found=f"{counted(count)}, and {column.dtype.name} of shape {column.shape}",
            do="check that the files belong together",
        )
    return column.astype(np.int64)


def _classes(files: FileSet, labels: Int64Array, images: _Images) -> tuple[Int64Array, tuple[str, ...]]:
    if CLASSES_FILE in files.names:
        names = _class_names(files)
        if labels.min() < 0 or labels.max() >= len(names):
            raise DataError(
                f"{files.folder / CLASSES_FILE} must name every label of {images.name}, from 0",
                found=f"{counted(len(names), 'name')}, labels from {labels.min()} to {labels.max()}",
                do=f"add the missing names, or remove {CLASSES_FILE}",
            )
        return labels, names
    mapping = next((one for one in files.names if is_mapping(one, images.prefix)), None)
    if mapping is None:
        usual = usual_characters(images.prefix)
        if not set(np.unique(labels).tolist()) <= set(usual):
            return numbered(labels, str(files.folder))
        return _in_characters(labels, usual)
    named = characters_in(files.folder / mapping)
    logger.info("the classes are named by %s", mapping)
    unknown = sorted(set(np.unique(labels).tolist()) - set(named))
    if unknown:
        raise DataError(
            f"{files.folder / mapping} must name every label of {images.name}",
            found=f"no name of {unknown[0]}",
            do="fetch both again, or move the mapping elsewhere",
        )
    return _in_characters(labels, named)


def _in_characters(labels: Int64Array, named: Mapping[int, str]) -> tuple[Int64Array, tuple[str, ...]]:
    order = np.array(sorted(named), dtype=np.int64)
    return np.searchsorted(order, labels), tuple(named[label] for label in order.tolist())


def _class_names(files: FileSet) -> tuple[str, ...]:
    path = files.folder / CLASSES_FILE
    try:
        text = files.content(CLASSES_FILE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} must be UTF-8 text", found=str(error), do="save it as UTF-8") from error
    names = tuple(line.rstrip("\r") for line in text.rstrip("\r\n").split("\n"))
    if not all(names) or len(set(names)) < len(names):
        raise DataError(
            f"{path} must name each class once, a line each",
            found="an empty line" if not all(names) else "a name that stands twice",
            do="mend the file",
        )
    return names
