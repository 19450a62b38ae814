"""IDX files, the format of MNIST: a header (type, rank, sizes), then the numbers; plain or compressed.

`idx_sets` puts images and what stands beside them together.
"""

import gzip
import io
import re
import struct
from pathlib import Path
from typing import IO, Final

import numpy as np

from ...core.atomic_files import new_folder, replacing, write_text
from ...core.errors import DataError
from ...core.types import Int64Array
from ..imageset import ImageSet
from ..memmap import Residence
from .filenames import is_junk, is_named_as_image, readable
from .flat_axes import in_order
from .streams import (
    COMPRESSED,
    DEFLATE_AT_BEST,
    Stream,
    is_compressed,
    opened,
    read_array,
    wrong_length,
)

INFLATED: Final = 8 * 2**30  # bytes that are inflated at most, where no ratio bounds them
CLASSES_FILE: Final = "classes.txt"
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAGIC_OF = {"u1": 0x08, ">i4": 0x0C}
_IMAGES_NAME = re.compile(r"idx[34]([-._]|$)|images[-._](idx|ubyte)([-._]|$)", re.IGNORECASE)
_COLUMN_NAME = re.compile(r"idx[12]([-._]|$)|(labels|groups)[-._](idx|ubyte)([-._]|$)", re.IGNORECASE)


def is_idx_name(name: str) -> bool:
    """Whether `name` is that of an IDX file, as in `train-images-idx3-ubyte.gz`."""
    return is_images_name(name) or is_column_name(name)


def is_images_name(name: str) -> bool:
    """Whether `name` is that of an IDX file of images."""
    return _has(name, _IMAGES_NAME)


def is_column_name(name: str) -> bool:
    """Whether `name` is that of an IDX file of labels or groups."""
    return _has(name, _COLUMN_NAME)


def _has(name: str, pattern: re.Pattern[str]) -> bool:
    if "idx" not in (lower := name.casefold()) and "ubyte" not in lower:
        return False  # of many files, most
    return bool(pattern.search(name)) and not is_junk(name) and not is_named_as_image(name)


def is_idx_header(start: bytes) -> bool:
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in _TYPES and 1 <= start[3] <= 4


def read_idx(path: Path, resident: Residence = "always") -> np.ndarray:
    """One IDX file as the array that its header declares; never more bytes are read than it declares.

    Raises:
        DataError: not compressed though so named, a wrong magic number, or a length other than declared.
    """
    with readable(path), path.open("rb") as file:
        return _read(file, path, resident)


def _read(file: IO[bytes], path: Path, resident: Residence) -> np.ndarray:
    start = file.read(6)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not is_compressed(start):
        if path.suffix.casefold() in COMPRESSED and not is_idx_header(start):  # browsers inflate some
            raise DataError(
                f"{path} must be compressed, as its name says",
                found="other content",
                do="fetch it again, or mend its name",
            )
        return _parsed(file, path, most=size, resident=resident)
    most = size * DEFLATE_AT_BEST if start.startswith(b"\x1f\x8b") else INFLATED
    with opened(path) as stream:
        return _parsed(stream, path, most=most)


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
    """Write `images` into a new or empty folder, as they are read back.

    Equal images give equal files. Colour images are written as `images-idx4-ubyte.gz`, N x C x H x W.

    Raises:
        OutputError: the folder holds something, or cannot be written.
        DataError: a class name of more than one line, which `classes.txt` cannot hold.
    """
    if any("\n" in name or "\r" in name or not name for name in images.class_names):
        raise DataError(
            "a class name must be one line of text", found=repr(images.class_names), do="rename the class"
        )
    grey = images.channels == 1
    pixels = images.pixels[:, 0] if grey else images.pixels
    if images.channels not in (1, 3):
        pixels = in_order(images.pixels, "IDX files")
    with new_folder(folder) as new:
        names = _write_columns(images, new)
        name = "images-idx3-ubyte.gz" if grey else "images-idx4-ubyte.gz"
        _write(new / name, pixels)
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
