"""IDX files, the format of MNIST: a header (type, rank, sizes), then the bytes; plain or in gzip.

Images have rank 3 (N x H x W) or 4 (N x C x H x W; or N x H x W x C, where the second size is not 1 or 3).
Beside an images file stand its companions, found by name: `...images-idx3-ubyte.gz` goes with
`...labels-idx1-...` and `...groups-idx1-...`, and with a `classes.txt` that names the labels from 0, a line
each. Without `classes.txt` the labels name themselves.
"""

import gzip
import io
import logging
import re
import struct
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np

from ...core.atomic_files import new_folder, replacing, write_text
from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..catalog.notmnist import LETTERS
from ..imageset import ImageSet
from ..memmap import Residence
from .conversion import to_channels_first
from .filenames import is_junk, is_named_as_image, numbered, readable
from .streams import DEFLATE_AT_BEST, Stream, read_array, wrong_length

logger = logging.getLogger(__name__)

CLASSES_FILE = "classes.txt"
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAGIC_OF = {"u1": 0x08, ">i4": 0x0C}
_IMAGES_NAME = re.compile(r"idx[34]([-._]|$)", re.IGNORECASE)
_LABELS_NAME = re.compile(r"idx1([-._]|$)", re.IGNORECASE)


def is_idx_name(name: str) -> bool:
    """Whether `name` is that of an IDX file, as in `train-images-idx3-ubyte.gz`."""
    return _has(name, _IMAGES_NAME) or _has(name, _LABELS_NAME)


def _has(name: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.search(name)) and not is_junk(name) and not is_named_as_image(name)


def is_idx_header(start: bytes) -> bool:
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in _TYPES and 1 <= start[3] <= 4


def holds_idx(folder: Path) -> bool:
    """Whether a file in `folder` is named as IDX images are."""
    with readable(folder):
        return any(_has(one.name, _IMAGES_NAME) and one.is_file() for one in folder.iterdir())


def read_idx_folder(folder: Path, resident: Residence = "always") -> ImageSet:
    """The images in the one IDX file of images that `folder` holds.

    Args:
        resident: as for `read_idx_files`.

    Raises:
        DataError: more than one images file, or what `read_idx_files` raises.
    """
    with readable(folder):
        found = sorted(one.name for one in folder.iterdir() if _has(one.name, _IMAGES_NAME))
    if len(found) != 1:
        raise DataError(
            f"{folder} must hold one IDX file of images",
            found=", ".join(found) or "none",
            do="name the images file itself: its labels are found beside it",
        )
    return read_idx_files(folder / found[0], resident)


def read_idx_files(path: Path, resident: Residence = "always") -> ImageSet:
    """The images in `path` with the labels, groups and class names that stand beside them.

    Args:
        resident: whether the images are read or mapped; a file in gzip is always read.

    Raises:
        DataError: a wrong magic number, a file cut short or too long, counts that differ, labels that
            `classes.txt` does not name.
    """
    array = read_idx(path, resident)
    if array.dtype != np.uint8 or array.ndim not in (3, 4):
        raise DataError(
            f"{path} must hold IDX images: unsigned bytes, magic number 0x00000803 or 0x00000804",
            found=f"{array.dtype.name} of rank {array.ndim}",
            do="name the images file, not the labels file",
        )
    first = array.ndim == 4 and array.shape[1] in (1, 3)
    pixels, notes = to_channels_first(array, str(path), channels_first=first)
    labels_path, groups_path = _companion(path, "labels"), _companion(path, "groups")
    labels, class_names = (None, ()) if labels_path is None else _labels(labels_path, len(pixels), path)
    groups = None if groups_path is None else _column(groups_path, len(pixels), path)
    letters = class_names == LETTERS and pixels.shape[1:] == (1, 28, 28)
    return ImageSet(
        pixels,
        source="IDX files, letters A-J" if letters else "IDX files" if labels is not None else "an IDX file",
        labels=labels,
        class_names=class_names,
        groups=groups,
        record=notes,
    )


def _companion(path: Path, word: str) -> Path | None:
    """The one IDX file beside `path` that is named like it, with `word` for `images`."""
    prefix, images, _ = path.name.partition("images")
    if not images:
        return None
    with readable(path.parent):
        fitting = [
            one
            for one in sorted(path.parent.iterdir())
            if one.name.startswith(prefix + word) and _has(one.name, _LABELS_NAME)
        ]
    if len(fitting) > 1:
        raise DataError(
            f"there must be one file of {word} for {path.name}",
            found=", ".join(one.name for one in fitting),
            do="keep the right one in this folder",
        )
    if fitting:
        logger.info("%s goes with %s", fitting[0].name, path.name)
    return fitting[0] if fitting else None


def _column(path: Path, count: int, images: Path) -> Int64Array:
    column = read_idx(path)
    if column.ndim != 1 or column.dtype.kind not in "iu" or len(column) != count:
        raise DataError(
            f"{path} must hold one whole number for each image of {images.name}",
            found=f"{counted(count)}, and {column.dtype.name} of shape {column.shape}",
            do="check that the files belong together",
        )
    return column.astype(np.int64)


def _labels(path: Path, count: int, images: Path) -> tuple[Int64Array, tuple[str, ...]]:
    labels = _column(path, count, images)
    names_path = images.parent / CLASSES_FILE
    if not names_path.exists():
        return numbered(labels, str(path))
    names = _class_names(names_path)
    if labels.min() < 0 or labels.max() >= len(names):
        raise DataError(
            f"{names_path} must name every label of {path.name}, from 0, a line each",
            found=f"{counted(len(names), 'name')}, labels from {labels.min()} to {labels.max()}",
            do=f"add the missing names, or remove {CLASSES_FILE}",
        )
    return labels, names


def _class_names(path: Path) -> tuple[str, ...]:
    with readable(path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
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


def read_idx(path: Path, resident: Residence = "always") -> np.ndarray:
    """One IDX file as the array that its header declares; never more bytes are read than it declares.

    Raises:
        DataError: not gzip though so named, a wrong magic number, or a length other than declared.
    """
    with readable(path), path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not zipped:
            if path.suffix == ".gz":
                raise DataError(
                    f"{path} must be a gzip file",
                    found="other content",
                    do="fetch it again, or mend its name",
                )
            return _parsed(file, path, most=size, resident=resident)
        with closing(gzip.GzipFile(fileobj=file, mode="rb")) as inflated:
            try:
                return _parsed(inflated, path, most=size * DEFLATE_AT_BEST)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise DataError(
                    f"{path} must be a whole gzip file", found=str(error), do="fetch or make the file again"
                ) from error


def _parsed(stream: Stream, path: Path, *, most: int, resident: Residence = "always") -> np.ndarray:
    """The array that a stream holds.

    Args:
        most: bytes that can follow; where `resident` is not "always", the size of the file.
    """
    start = stream.read(4)
    if not is_idx_header(start):
        raise DataError(
            f"{path} must be an IDX file, which begins 00 00, a type (08: bytes) and a rank (1 to 4)",
            found=f"magic number {start.hex(' ') or 'missing: an empty file'}",
            do="name an IDX file, or fetch it again",
        )
    dtype, rank = np.dtype(_TYPES[start[2]]), start[3]
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise wrong_length(str(path), "a header cut short")
    shape = struct.unpack(f">{rank}I", sizes)
    if 0 in shape:
        raise DataError(
            f"{path} must not be empty", found=f"declared sizes {shape}", do="make the file again"
        )
    header = 4 + len(sizes)
    return read_array(
        stream, shape, dtype, str(path), most=most - header, at=(path, header), resident=resident
    )


def write_idx_folder(images: ImageSet, folder: Path) -> list[Path]:
    """Write `images` into a new or empty folder, as `read_idx_folder` reads them back.

    Equal images give equal files. Colour images are written as `images-idx4-ubyte.gz`, N x C x H x W.

    Raises:
        OutputError: the folder holds something, or cannot be written.
        DataError: a class name of more than one line, which `classes.txt` cannot hold.
    """
    if any("\n" in name or "\r" in name or not name for name in images.class_names):
        raise DataError(
            "a class name must be one line of text", found=repr(images.class_names), do="rename the class"
        )
    with new_folder(folder) as new:
        names = _write_columns(images, new)
        grey = images.channels == 1
        name = "images-idx3-ubyte.gz" if grey else "images-idx4-ubyte.gz"
        _write(new / name, images.pixels[:, 0] if grey else images.pixels)
    return [folder / one for one in (name, *names)]


def _write_columns(images: ImageSet, folder: Path) -> list[str]:
    """Groups, labels and the names of the classes, as far as there are any; the names of the files."""
    written = []
    if images.labels is not None:
        small = len(images.class_names) <= 256
        name = "labels-idx1-ubyte.gz" if small else "labels-idx1-int.gz"
        write_text(folder / CLASSES_FILE, "".join(f"{name}\n" for name in images.class_names))
        _write(folder / name, images.labels.astype("u1" if small else ">i4"))
        written += [CLASSES_FILE, name]
    if images.groups is not None:
        _write(folder / "groups-idx1-int.gz", _fitting(images.groups).astype(">i4"))
        written.append("groups-idx1-int.gz")
    return written


def _fitting(groups: Int64Array) -> Int64Array:
    """The groups, numbered anew where they do not fit four bytes: which are equal is all that counts."""
    if groups.min() >= -(2**31) and groups.max() < 2**31:
        return groups
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _write(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, _MAGIC_OF[array.dtype.str.lstrip("|")], array.ndim])
    with replacing(path) as file, gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as zipped:
        zipped.write(header + struct.pack(f">{array.ndim}I", *array.shape))
        zipped.write(np.ascontiguousarray(array).data)
