"""LIBSVM's text (svmlight): a label and the pixels that are not 0, as `7 153:0.8 154:1`, plain or compressed.

How many pixels an image has stands nowhere: it is the highest index, or the next square where that is none,
as MNIST's 780 are 28 x 28 with four empty pixels at the end.
"""

import re
from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import brief, counted
from ..imageset import ImageSet
from .axes import LARGEST_SIDE, SMALLEST_SQUARE, square_of
from .file_sets import files_in
from .filenames import is_named_as_image, natural, readable
from .label_columns import NONE, without_columns
from .listed import described, noted, pixels_of
from .pixel_layout import FEWEST
from .streams import COMPRESSED, start_of
from .tables import part_of_name, read_text, some, whole_labels

if TYPE_CHECKING:
    from ..config import DataConfig

# Read in one way alone: else a long row of other numbers takes for ever.
_NUMBER: Final = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_LABEL: Final = re.compile(rf"{_NUMBER}(,{_NUMBER})*".encode())
_PAIR: Final = re.compile(rf"[0-9]+:{_NUMBER}".encode())
_SUFFIXES: Final = {".tr": 0, ".val": 1, ".t": 2}
_ABOUT: Final = ("readme", "license")
_LIMIT: Final = 2**32  # numbers of a whole set


def is_libsvm(start: bytes) -> bool:
    """Whether a file begins with a line of that form."""
    line = start.lstrip().split(b"\n", 1)[0].partition(b"#")[0]
    label, *pairs = line.split() or [b""]
    pairs = [one for one in pairs if not one.startswith(b"qid:")]
    pairs = pairs if b"\n" in start.lstrip() else pairs[:-1]  # the last one may be cut
    known = _LABEL.fullmatch(label) and all(map(_PAIR.fullmatch, pairs[:FEWEST]))
    return bool(known) and len(pairs) >= FEWEST


def libsvm_files(folder: Path) -> list[str]:
    """The files of that form in a folder that holds nothing else; else none."""
    names = []
    there = files_in(folder)
    with readable(folder):
        for name in [] if there.folders else there.names:
            if name.casefold().startswith(_ABOUT):
                continue
            if is_named_as_image(name) or not is_libsvm(start_of(folder / name)):
                return []
            names.append(name)
    return sorted(names, key=natural)


def read_libsvm(path: Path, config: "DataConfig") -> ImageSet:
    """The images of a file, or of those in a folder that are one set: `mnist.t` is the test part of `mnist`.

    Raises:
        DataError: a line of another form, or so many pixels that no square image has them.
    """
    paths = [path / name for name in libsvm_files(path)] if path.is_dir() else [path]
    labels: list[str] = []
    rows, places, values, counts = [], [], [], []
    for one in paths:
        said, there, numbers, lengths = _read(one)
        rows.append(np.repeat(np.arange(len(said)) + len(labels), lengths))
        labels += said
        places.append(there)
        values.append(numbers)
        counts.append(len(said))
    place = np.concatenate(places)
    place -= 0 if len(place) and place.min() == 0 else 1
    width, note = _width(int(place.max(initial=0)) + 1, path)
    if len(labels) * width > _LIMIT:
        raise DataError(
            f"{path} must hold at most {_LIMIT:,} numbers",
            found=f"{counted(len(labels))} of {width:,}",
            do="save the images as .npy",
        )
    table = np.zeros((len(labels), width), dtype=np.float32)
    table[np.concatenate(rows), place] = np.concatenate(values)
    if (table == np.rint(table)).all() and table.min() >= 0 and table.max() <= np.iinfo(np.uint16).max:
        table = table.astype(np.uint8 if table.max() <= np.iinfo(np.uint8).max else np.uint16)
    pixels, record = pixels_of(table, config.levels, path)
    images = ImageSet(pixels, source="LIBSVM's text", record=record.after(*note))
    several = [one for one in labels if "," in one]
    if several:
        images = noted(images, f"labels left out: {counted(len(several))} have several, as {some(several)}")
    parts = _parts([one.name for one in paths])
    images = described(
        images,
        [] if several or config.label == NONE else whole_labels([one.lstrip("+") for one in labels]),
        parts=[] if parts is None else np.repeat(parts, counts).tolist(),
        origin=str(path),
    )
    return without_columns(images, config.label)


def _read(path: Path) -> tuple[list[str], np.ndarray, np.ndarray, list[int]]:
    """The labels of a file, and for all rows together the indices, the values and how many a row has."""
    labels: list[str] = []
    lengths, indices, values = [], [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        label, *pairs = line.partition("#")[0].split() or [""]
        if not label:
            continue
        numbers = _numbers([one for one in pairs if not one.startswith("qid:")])
        if numbers is None or not _LABEL.fullmatch(label.encode()):
            raise DataError(
                f"each line of {path} must be a label and pairs INDEX:VALUE",
                found=f"{brief(line[:80])} in line {number:,}",
                do="mend that line, or fetch the file again",
            )
        labels.append(label)
        lengths.append(len(numbers))
        indices.append(numbers[:, 0].astype(np.int64))
        values.append(numbers[:, 1].astype(np.float32))
    if not indices:
        raise DataError(f"{path} must have a line for each image", found="none", do="name another file")
    return labels, np.concatenate(indices), np.concatenate(values), lengths


def _numbers(pairs: Sequence[str]) -> np.ndarray | None:
    """The indices and values of a line; None where it has other things."""
    try:
        found = np.array(" ".join(pairs).replace(":", " ").split(), dtype=np.float64)
    except ValueError:
        return None
    if len(found) != 2 * len(pairs) or not np.isfinite(found).all():
        return None
    index = found[::2]
    fine = (index == np.rint(index)).all() and index.min(initial=0) >= 0 and index.max(initial=0) < _LIMIT
    return found.reshape(-1, 2) if fine else None


def _width(least: int, path: Path) -> tuple[int, tuple[str, ...]]:
    """How many pixels an image has of which the highest is known, and what is to be said of it."""
    if square_of(least):
        return least, ()
    side = max(isqrt(least - 1) + 1, SMALLEST_SQUARE)
    if side > LARGEST_SIDE:
        raise DataError(
            f"the images of {path} must be squares",
            found=f"{counted(least, 'number')} in a row",
            do="these seem to be no images; if they are, save them as .npy: images x height x width",
        )
    note = (
        f"rows of up to {counted(least, 'number')} taken as {side}x{side}: zeros at the end are not written"
    )
    return side * side, (note,)


def _parts(names: Sequence[str]) -> np.ndarray | None:
    """The part of each of several files by its name; `mnist` beside `mnist.t` is for training."""
    if len(names) < 2:
        return None
    found = []
    for name in names:
        stem = Path(name).stem if name.casefold().endswith(COMPRESSED) else name
        part = _SUFFIXES.get(Path(stem).suffix.casefold())
        found.append(part_of_name(name) if part is None else part)
    if not any(found):
        return None
    return np.array([0 if part is None else part for part in found], dtype=np.int64)
