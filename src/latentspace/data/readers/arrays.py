"""NumPy's .npy and .npz: images as an array, labels and names beside it. Nothing is ever unpickled.

In an .npz the images are called `images`, `x`, `data` or `arr_0`; the labels `labels`, `y`, `targets`,
`target` or `arr_1`; `class_names` and `groups` may stand beside them. Parts, as in `x_train` and `y_train`,
or `train_images` and `train_labels`, are joined in the order train, val, test, because latentspace draws its
own splits. A .npy holds images alone.

Images are uint8, or floats in 0..1, which are rounded to 8 bits. Their shape is N x H x W, N x H x W x C
(C 1, 3, or 4 with alpha, which is laid over black) or N x C x H x W (C 1 or 3).
"""

import io
import logging
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array, Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord, sentence
from ..imageset import ImageSet
from ..memmap import Residence, blocks, mapped, room, stays_on_disk
from .decode import flattened
from .filenames import numbered, readable
from .streams import read_exactly

logger = logging.getLogger(__name__)

IMAGE_KEYS = ("images", "x", "data", "arr_0")
LABEL_KEYS = ("labels", "y", "targets", "target", "arr_1")
PARTS = ("train", "val", "valid", "validation", "test")
_DEFLATE_AT_BEST = 1032
# What numpy raises on headers that are none: it reads them as Python literals.
_HEADERS = (ValueError, EOFError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError)
_BLOCK = 4096  # images converted at a time


def read_npy(path: Path, resident: Residence = "always") -> ImageSet:
    """
    Args:
        resident: whether bytes are read or mapped; floats are read in any case, as they are rounded.

    Raises:
        DataError: not an .npy file, cut short, or not images as the module describes them.
    """
    with readable(path), path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        array = _read_array(file, size, str(path), resident, (path, 0))
    pixels, record = as_pixels(array, str(path))
    return ImageSet(pixels, source="a NumPy array (.npy)", record=record)


def read_npz(path: Path, resident: Residence = "always") -> ImageSet:
    """
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
            arrays = {}
            for info in archive.infolist():
                _check_member(info)
                with archive.open(info) as member:
                    name = info.filename.removesuffix(".npy")
                    start = _start_of(path, info) if info.compress_type == zipfile.ZIP_STORED else None
                    arrays[name] = _read_array(
                        member, info.file_size, f"{path} ({name})", resident, start, info.CRC
                    )
            return arrays
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


def _check_member(info: zipfile.ZipInfo) -> None:
    if not info.filename.endswith(".npy"):
        raise zipfile.BadZipFile(f"{info.filename} is no array")
    if info.file_size > info.compress_size * _DEFLATE_AT_BEST + 64:
        raise zipfile.BadZipFile(f"{info.filename} declares {info.file_size:,} bytes, more than it can hold")


def _start_of(path: Path, info: zipfile.ZipInfo) -> tuple[Path, int]:
    """Where the bytes of an uncompressed member begin (section 4.3.7 of APPNOTE.TXT)."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return path, info.header_offset + 30 + name + extra


def _read_array(
    stream: Any,
    size: int,
    origin: str,
    resident: Residence = "always",
    start: tuple[Path, int] | None = None,
    checksum: int | None = None,
) -> np.ndarray:
    """One array in the .npy format, from a stream of `size` bytes.

    Args:
        start: the file and the offset at which the stream's bytes lie there as they are, if they do.
        checksum: the CRC-32 of the stream, where it is known.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    except _HEADERS as error:
        raise DataError(
            f"{origin} must be an array in the .npy format", found=str(error), do="save it with numpy.save"
        ) from error
    if not all(type(one) is int for one in shape):  # NumPy takes True for 1
        raise DataError(
            f"{origin} must be an array in the .npy format",
            found=f"the shape {shape}",
            do="save it with numpy.save",
        )
    if dtype.hasobject or dtype.names is not None or not dtype.itemsize:
        raise DataError(
            f"{origin} must hold plain numbers or strings",
            found=f"{dtype}: Python objects or records, which are never unpickled here, or nothing",
            do='convert the array, for example array.astype("uint8")',
        )
    declared = -1 if min(shape, default=0) < 0 else math.prod(shape) * dtype.itemsize
    left = size - stream.tell()
    if start and dtype == np.uint8 and 0 < declared == left and stays_on_disk(declared, resident):
        if checksum is not None:
            _check_sum(start, size, checksum)
        return mapped(start[0], start[1] + stream.tell(), shape, fortran=fortran)
    content = read_exactly(stream, declared) if declared == left else b""
    if declared != left or len(content) != declared:
        raise DataError(
            f"{origin} must hold exactly the bytes that its header declares",
            found=f"{left:,} bytes where shape {shape} of {dtype} declares {declared:,}",
            do="the file is cut short or damaged: save the array again",
        )
    if dtype.kind == "U" and _is_no_text(np.frombuffer(content, dtype=dtype.str[0] + "u4")):
        raise DataError(
            f"{origin} must hold text", found="numbers that stand for no character", do="save the array again"
        )
    return np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _is_no_text(points: np.ndarray) -> bool:
    """Whether code points lie outside Unicode or among its surrogates."""
    return bool(((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any())


def _check_sum(start: tuple[Path, int], size: int, checksum: int) -> None:
    content, found = mapped(*start, (size,)), 0
    for here in blocks(content):
        found = zlib.crc32(content[here].data, found)
    if found != checksum:
        raise zipfile.BadZipFile("Bad CRC-32: a damaged file")


def as_pixels(array: np.ndarray, origin: str) -> tuple[Pixels, CleaningRecord]:
    """uint8, images x channels x height x width, from any array of images that the module describes.

    Raises:
        DataError: another dtype or shape, NaN, or floats outside 0..1.
    """
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise DataError(
            f"the images of {origin} must be uint8, or floats in 0..1",
            found=f"{array.dtype}",
            do='convert them: images.astype("uint8") where they hold 0..255',
        )
    first = _channels_first(array.shape, origin)
    if array.dtype == np.uint8:
        return to_channels_first(array, origin, channels_first=first)
    pixels, record = to_channels_first(_rounded(array, origin), origin, channels_first=first)
    note = f"{counted(len(pixels))} rounded from {array.dtype} in 0..1 to 8 bits"
    return pixels, CleaningRecord(conversions=(note, *record.conversions))


def _channels_first(shape: tuple[int, ...], origin: str) -> bool:
    """Where the channels of images are; nobody guesses where the shape can be read in two ways.

    Raises:
        DataError: it can.
    """
    single = len(shape) == 3 and min(shape[:2]) >= 8  # one image in colour, H x W x C?
    first = len(shape) == 4 and shape[1] in (1, 3)
    last = shape[-1:] in ((3,), (4,)) or (len(shape) == 4 and shape[3] == 1)
    if (first or single) and last:
        raise DataError(
            f"the shape of the images of {origin} must say where the channels are",
            found=f"{shape}: the last axis can be channels, or that many columns of pixels",
            do="give more columns, or put the axes in order: images[None] makes a set of one image H x W x C",
        )
    return first


def _rounded(array: np.ndarray, origin: str) -> np.ndarray:
    result = room(array.shape, array)
    for start in range(0, len(array) if array.ndim else 0, _BLOCK):
        block = array[start : start + _BLOCK]
        if block.size and not (block.min() >= 0 and block.max() <= 1):  # NaN fails both
            found = (
                f"NaN in image {start + int(np.argwhere(np.isnan(block))[0][0]):,}"
                if np.isnan(block).any()
                else ""
            )
            raise DataError(
                f"the images of {origin} must be uint8, or floats in 0..1",
                found=found or f"values from {block.min():g} to {block.max():g}",
                do="replace NaN, and divide by 255 where the floats hold 0..255",
            )
        result[start : start + _BLOCK] = np.rint(block.astype(np.float64) * 255)
    return result


def to_channels_first(
    array: np.ndarray, origin: str, *, channels_first: bool
) -> tuple[Pixels, CleaningRecord]:
    """uint8 images of rank 3, or of rank 4 with the channels where `channels_first` says.

    Raises:
        DataError: another rank, a size of 0, or a number of channels other than 1, 3 and (last) 4.
    """
    shape = array.shape
    if array.ndim == 3:
        array, channels_first = array[:, None], True
    channels = array.shape[1 if channels_first else 3] if array.ndim == 4 else 0
    if 0 in array.shape or channels not in ((1, 3) if channels_first else (1, 3, 4)):
        raise DataError(
            f"the images of {origin} must be N x H x W, N x H x W x C or N x C x H x W, C being 1 or 3",
            found=f"shape {shape}",
            do="reshape the array, for example images.reshape(-1, 28, 28)",
        )
    record = CleaningRecord()
    if channels == 4:
        transparent = int((array[..., 3] != 255).any(axis=(1, 2)).sum())
        array = flattened(array[..., :3], array[..., 3:])
        if transparent:
            record = CleaningRecord(conversions=(f"{counted(transparent)} with alpha laid over black",))
    pixels = array if channels_first else array.transpose(0, 3, 1, 2)
    return pixels if isinstance(pixels, np.memmap) else np.ascontiguousarray(pixels), record
