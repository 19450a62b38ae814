"""TIFF files whose values Pillow does not read, or cuts to their upper 8 bits.

Those are whole numbers of 64 bits, signed ones of 8, reals of 16 and 64, and more than 8 bits in several
channels. Strips and tiles are read, plain or deflated.
"""

import math
import struct
import zlib
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ...core.errors import DataError
from .extra_formats import FIRST_FRAME, MOST_CHANNELS, Values

STARTS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 259, 262, 274
_SAMPLES, _ROWS, _PLANAR, _PREDICTOR, _EXTRA, _FORMAT = 277, 278, 284, 317, 338, 339
_STRIPS, _TILES, _TILE_WIDTH, _TILE_HEIGHT = (273, 279), (324, 325), 322, 323
_KINDS: Final = {1: "u", 2: "i", 3: "f"}
_PLAIN, _DEFLATED = 1, (8, 32946)
_GREY_OR_RGB: Final = (0, 1, 2)
_ALPHA: Final = (1, 2)


def is_cut(image: Image.Image) -> bool:
    """Whether Pillow would read this TIFF with other values than it holds, and `read_tiff` reads them."""
    tags: Any = getattr(image, "tag_v2", {})
    try:
        bits, kind = _one(tags, _BITS, 1), _one(tags, _FORMAT, 1)
        if set(_all(tags, _EXTRA)) & set(_ALPHA) or tags.get(_PHOTOMETRIC) not in _GREY_OR_RGB:
            return False
        readable = _one(tags, _COMPRESSION, 1) in (_PLAIN, *_DEFLATED) and tags.get(_PREDICTOR, 1) in (1, 2)
        return readable and ((bits > 8 and tags.get(_SAMPLES, 1) > 1) or (bits, kind) == (8, 2))
    except (ValueError, TypeError):
        return False


def read_tiff(content: bytes | Path, page: int = 0) -> Values:
    """A page, height x width x channels, upright; and what was done to it.

    Raises:
        DataError: a compression or a type that is not read, or a damaged file.
    """
    try:
        with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            tags = _tags(file, page)
            values = _values(file, tags)
            notes = (FIRST_FRAME,) if tags.next else ()
    except (ValueError, TypeError, LookupError, ArithmeticError, SyntaxError, struct.error) as error:
        raise _refusal(f"damaged: {str(error).partition(chr(10))[0]}") from error
    except (OSError, EOFError, MemoryError, zlib.error) as error:
        raise _refusal(f"that cannot be read: {error}") from error
    if tags.get(_PHOTOMETRIC) == 0:
        values = np.invert(values) if values.dtype.kind == "u" else -values
    orientation = _one(tags, _ORIENTATION, 1)
    if orientation in range(2, 9):
        values, notes = _turned(values, orientation), (*notes, "turned as their EXIF data say")
    return Values(np.ascontiguousarray(values), notes)


def _refusal(found: str) -> DataError:
    return DataError(
        "a TIFF must be whole, of numbers in strips or tiles, plain or deflated",
        found=f"TIFF {found}",
        do="save it without compression, or as an array, .npy",
    )


def _tags(file: BytesIO | BufferedReader, page: int) -> ImageFileDirectory_v2:
    head = file.read(8)
    if 43 in head[2:4]:  # BigTIFF
        head += file.read(8)
    tags = ImageFileDirectory_v2(head)
    for _ in range(page + 1):
        file.seek(tags.next)
        tags.load(file)
    return tags


def _all(tags: Any, tag: int) -> tuple[Any, ...]:
    found = tags.get(tag, ())
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)


def _one(tags: Any, tag: int, otherwise: int) -> int:
    """The value of a tag that must be the same for every channel."""
    found = set(_all(tags, tag)) or {otherwise}
    if len(found) > 1:
        raise ValueError(f"tag {tag} differs between channels")
    return int(found.pop())


def _dtype(tags: Any, order: str) -> np.dtype:
    bits, kind = _one(tags, _BITS, 1), _one(tags, _FORMAT, 1)
    if bits not in (8, 16, 32, 64) or kind not in _KINDS or (kind, bits) == (3, 8):
        raise _refusal(f"of {bits} bits and sample format {kind}")
    return np.dtype(f"{order}{_KINDS[kind]}{bits // 8}")


def _values(file: BytesIO | BufferedReader, tags: ImageFileDirectory_v2) -> np.ndarray:
    width, height, samples = int(tags[_WIDTH]), int(tags[_HEIGHT]), int(tags.get(_SAMPLES, 1))
    dtype = _dtype(tags, "<" if tags.prefix == b"II" else ">")
    if tags.get(_PHOTOMETRIC, 1) not in _GREY_OR_RGB or not 0 < samples <= MOST_CHANNELS:
        raise _refusal(f"of {samples} channels and photometric interpretation {tags.get(_PHOTOMETRIC)}")
    if not 0 < width * height <= (Image.MAX_IMAGE_PIXELS or math.inf):
        raise _refusal(f"of {width} x {height} pixels")
    tiled = _TILE_WIDTH in tags
    wide = int(tags[_TILE_WIDTH]) if tiled else width
    tall = int(tags[_TILE_HEIGHT]) if tiled else min(int(tags.get(_ROWS, height)), height)
    planes = samples if tags.get(_PLANAR, 1) == 2 else 1
    deep, across, down = samples // planes, math.ceil(width / wide), math.ceil(height / tall)
    places = list(zip(*(_all(tags, tag) for tag in (_TILES if tiled else _STRIPS)), strict=True))
    if len(places) != planes * across * down:
        raise ValueError(f"{len(places)} strips or tiles of {planes * across * down}")
    result = np.empty((height, width, samples), dtype)
    for number, (offset, length) in enumerate(places):
        plane, place = divmod(number, across * down)
        top, left = place // across * tall, place % across * wide
        shape = (tall if tiled else min(tall, height - top), wide, deep)
        file.seek(offset)
        values = np.frombuffer(_inflated(file.read(length), tags, math.prod(shape) * dtype.itemsize), dtype)
        block = values.reshape(shape)
        if tags.get(_PREDICTOR, 1) == 2:
            block = np.cumsum(block, axis=1, dtype=dtype.newbyteorder("="))
        here = result[top : top + tall, left : left + wide, plane * deep : (plane + 1) * deep]
        here[...] = block[: here.shape[0], : here.shape[1]]
    return result.astype(dtype.newbyteorder("="), copy=False)


def _inflated(data: bytes, tags: Any, size: int) -> bytes:
    compression, predictor = _one(tags, _COMPRESSION, _PLAIN), tags.get(_PREDICTOR, 1)
    if compression in _DEFLATED:
        data = zlib.decompressobj().decompress(data, size)
    elif compression != _PLAIN:
        raise _refusal(f"of a type that Pillow does not read, with compression {compression}")
    if predictor not in (1, 2):
        raise _refusal(f"with predictor {predictor}")
    if len(data) < size:
        raise EOFError("it ends too early")
    return data[:size]


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """The values upright, by the number of EXIF."""
    if orientation >= 5:
        values, orientation = values.transpose(1, 0, 2), {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    return {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
    }[orientation]
