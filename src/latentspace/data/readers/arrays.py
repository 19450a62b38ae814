"""NumPy's .npy and .npz: images as an array, labels and names beside it. Nothing is ever unpickled.

In an .npz the images are called `images`, `x`, `data` or `arr_0`; the labels `labels`, `y`, `targets`,
`target` or `arr_1`; `class_names` and `groups` may stand beside them. Parts, as in `x_train` and `y_train`,
or `train_images` and `train_labels`, are joined in the order train, val, test, because latentspace draws its
own splits. A .npy holds images alone. What is taken as images is said in `conversion`.
"""

import io
import logging
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..cleaning import sentence
from ..imageset import ImageSet
from ..memmap import Residence, blocks, mapped
from .conversion import as_pixels
from .filenames import numbered, readable
from .streams import DEFLATE_AT_BEST, Stream, read_array

logger = logging.getLogger(__name__)

IMAGE_KEYS = ("images", "x", "data", "arr_0")
LABEL_KEYS = ("labels", "y", "targets", "target", "arr_1")
PARTS = ("train", "val", "valid", "validation", "test")
# What numpy raises on headers that are none: it reads them as Python literals.
_HEADERS = (ValueError, EOFError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError)


def read_npy(path: Path, resident: Residence = "always") -> ImageSet:
    """The images in an .npy file.

    Args:
        resident: whether bytes are read or mapped; floats are read in any case, as they are rounded.

    Raises:
        DataError: not an .npy file, cut short, or not images as the module describes them.
    """
    with readable(path), path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        array = _read_npy(file, size, str(path), path, 0, resident)
    pixels, record = as_pixels(array, str(path))
    return ImageSet(pixels, source="a NumPy array (.npy)", record=record)


def read_npz(path: Path, resident: Residence = "always") -> ImageSet:
    """The images in an .npz file, with labels and groups where they stand beside them.

    Args:
        resident: whether arrays of bytes that are stored uncompressed are read or mapped.

    Raises:
        DataError: not an .npz file, damaged, no images under a known name, or arrays that do not fit.
    """
    arrays = read_arrays(path, resident)
    origin = str(path)
    images, labels = _chosen(arrays, IMAGE_KEYS), _chosen(arrays, LABEL_KEYS)
    if not images:
        raise DataError(
            f"{path} must hold images under one of the names {', '.join(IMAGE_KEYS)}, or x_train, x_test",
            found=sentence([f"{name} {array.shape}" for name, array in arrays.items()]) or "no array",
            do="save them so: numpy.savez(path, images=..., labels=...)",
        )
    named = f"labels from {' + '.join(labels)}" if labels else "no labels"
    logger.info("images from %s, %s", " + ".join(images), named)
    pixels, record = as_pixels(_joined(images, origin), origin)
    numbers: Int64Array | None = None
    class_names: tuple[str, ...] = ()
    if labels:
        joined = _joined(labels, origin)
        _check_count("labels", joined, len(pixels), origin)
        numbers, class_names = _named(joined, arrays.get("class_names"), origin)
    groups = arrays.get("groups")
    if groups is not None:
        _check_count("groups", groups, len(pixels), origin)
        groups, _ = numbered(groups, origin)
    return ImageSet(
        pixels,
        source="NumPy arrays (.npz)",
        labels=numbers,
        class_names=class_names,
        groups=groups,
        record=record,
    )


def _chosen(arrays: Mapping[str, np.ndarray], keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The first of `keys`, else the parts of the first that is there in parts."""
    for key in keys:
        if key in arrays:
            return {key: arrays[key]}
    for key in keys:
        names = [name for part in PARTS for name in (f"{key}_{part}", f"{part}_{key}") if name in arrays]
        if names:
            return {name: arrays[name] for name in names}
    return {}


def _joined(parts: Mapping[str, np.ndarray], origin: str) -> np.ndarray:
    try:
        return np.concatenate(list(parts.values())) if len(parts) > 1 else next(iter(parts.values()))
    except ValueError as error:
        raise DataError(
            f"the parts of {origin} must have one shape and one kind of numbers",
            found=", ".join(f"{name} {array.dtype} {array.shape}" for name, array in parts.items()),
            do="save each part in a file of its own, and name that",
        ) from error


def _check_count(what: str, column: np.ndarray, count: int, origin: str) -> None:
    if column.ndim < 1 or len(column) != count:
        raise DataError(
            f"{origin} must hold one of the {what} for each image",
            found=f"{counted(count)}, {what} of shape {column.shape}",
            do=f"make the {what} as long as the images",
        )


def _named(labels: np.ndarray, names: np.ndarray | None, origin: str) -> tuple[Int64Array, tuple[str, ...]]:
    numbers, found = numbered(labels, origin)
    if names is None:
        return numbers, found
    _, as_text = numbered(names, f"{origin} (class_names)")
    if names.ndim != 1 or len(as_text) < len(names):
        raise DataError(
            f"class_names of {origin} must differ", found=repr(names)[:80], do="name each class once"
        )
    text = [str(one) for one in (np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names)]
    allowed = text if labels.dtype.kind in "US" else [str(number) for number in range(len(text))]
    unknown = [name for name in found if name not in allowed]
    if unknown:
        raise DataError(
            f"every label of {origin} must be named in class_names, or index it",
            found=f"{counted(len(text), 'class name')}, and the label {unknown[0]!r}",
            do="correct class_names or the labels",
        )
    place = np.array([allowed.index(name) for name in found], dtype=np.int64)
    return place[numbers], tuple(text)


def read_arrays(path: Path, resident: Residence = "always") -> dict[str, np.ndarray]:
    """Every array of an .npz by its name.

    Args:
        resident: as for `read_npz`; what is mapped is checked against its CRC-32 as what is read is.

    Raises:
        DataError: not an .npz file, or a damaged one.
    """
    try:
        with readable(path), zipfile.ZipFile(path) as archive:
            return {
                info.filename.removesuffix(".npy"): _member(archive, info, path, resident)
                for info in archive.infolist()
            }
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeDecodeError,
    ) as error:
        raise DataError(
            f"{path} must be an .npz file as numpy.savez writes it",
            found=str(error),
            do="save the arrays again",
        ) from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, resident: Residence) -> np.ndarray:
    if not info.filename.endswith(".npy"):
        raise zipfile.BadZipFile(f"{info.filename} is no array")
    if info.file_size > info.compress_size * DEFLATE_AT_BEST + 64:
        raise zipfile.BadZipFile(f"{info.filename} declares {info.file_size:,} bytes, more than it can hold")
    start = None
    if info.compress_type == zipfile.ZIP_STORED:  # the bytes follow a header: APPNOTE.TXT, section 4.3.7
        with path.open("rb") as file:
            file.seek(info.header_offset + 26)
            start = info.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
    with archive.open(info) as member:
        origin = f"{path} ({info.filename.removesuffix('.npy')})"
        array = _read_npy(member, info.file_size, origin, path, start, resident)
    if start is not None and isinstance(array, np.memmap):
        checksum, content = 0, mapped(path, start, (info.file_size,))
        for here in blocks(content):
            checksum = zlib.crc32(content[here].data, checksum)
        if checksum != info.CRC:
            raise zipfile.BadZipFile("Bad CRC-32: a damaged file")
    return array


def _read_npy(
    stream: Stream, size: int, origin: str, path: Path, start: int | None, resident: Residence
) -> np.ndarray:
    """One array in the .npy format, from a stream of `size` bytes.

    Args:
        start: where the bytes of the stream lie in the file at `path`, if they lie there as they are.
    """
    try:
        version = np.lib.format.read_magic(stream)  # type: ignore[arg-type]
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)  # type: ignore[arg-type]
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)  # type: ignore[arg-type]
        if not all(type(one) is int and one >= 0 for one in shape):  # NumPy takes True for 1
            raise ValueError(f"the shape {shape}")
    except _HEADERS as error:
        raise DataError(
            f"{origin} must be an array in the .npy format", found=str(error), do="save it with numpy.save"
        ) from error
    if dtype.hasobject or dtype.names is not None or not dtype.itemsize:
        raise DataError(
            f"{origin} must hold plain numbers or strings",
            found=f"{dtype}: Python objects or records, which are never unpickled here, or nothing",
            do='convert the array, for example array.astype("uint8")',
        )
    before = stream.tell()
    at = None if start is None else (path, start + before)
    array = read_array(
        stream, shape, dtype, origin, most=size - before, at=at, resident=resident, fortran=fortran
    )
    if dtype.kind == "U":
        points = np.frombuffer(array.tobytes(), dtype=dtype.str[0] + "u4")
        if ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any():  # surrogates, or more
            raise DataError(
                f"{origin} must hold text",
                found="numbers that stand for no character",
                do="save the array again",
            )
    return array
