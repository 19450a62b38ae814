"""NumPy's .npy and .npz: images as an array, labels and names beside it. Nothing is ever unpickled.

What the arrays are their names say (`stored`); a .npy holds images alone. Of an .npz only the arrays that are
needed are read, so that Python objects beside them, which would have to be unpickled, do no harm.
"""

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ..memmap import Residence, blocks, mapped
from .chosen import Stored
from .filenames import readable, undamaged
from .records import fields_of, is_deep, within
from .streams import DEFLATE_AT_BEST, Stream, read_array

_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
)
# What numpy raises on headers that are none: it reads them as Python literals.
_HEADERS = (ValueError, EOFError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError)


def npy_arrays(path: Path, name: str, resident: Residence) -> list[Stored]:
    """The array in an .npy file, to be read or mapped; of records, each of their fields.

    Raises:
        DataError: not an .npy file, or Python objects.
    """
    with readable(path), path.open("rb") as file:
        shape, _, dtype = _header(file, str(path))

    def read() -> np.ndarray:
        with readable(path), path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return _read_npy(file, size, str(path), path, 0, resident)

    _require_plain(dtype, str(path))
    return fields_of(Stored(name, shape, dtype, read))


def read_arrays(path: Path, resident: Residence = "always") -> dict[str, np.ndarray]:
    """Every array of an .npz by its name.

    Args:
        resident: whether arrays of bytes that are stored uncompressed are read or mapped; what is mapped is
            checked against its CRC-32 as what is read is.

    Raises:
        DataError: not an .npz file, or a damaged one.
    """
    return {one.name: one.read() for one in npz_arrays(path, resident)}


def npz_arrays(path: Path, resident: Residence) -> list[Stored]:
    """The arrays of an .npz, of which nothing but the headers is read yet.

    Raises:
        DataError: not an .npz file, or a damaged one.
    """
    with _sound(path), zipfile.ZipFile(path) as archive:
        stored = [_stored(archive, info, path, resident) for info in archive.infolist()]
        return [field for one in stored for field in within(one)]


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    must, do = "must be an .npz file as numpy.savez writes it", "save the arrays again"
    with readable(path), undamaged(path, _DAMAGED, must, do):
        yield


def _stored(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, resident: Residence) -> Stored:
    if not info.filename.endswith(".npy"):
        raise zipfile.BadZipFile(f"{info.filename} is no array")
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as member:
        shape, _, dtype = _header(member, f"{path} ({name})")

    def read() -> np.ndarray:
        with _sound(path), zipfile.ZipFile(path) as opened:
            return _member(opened, info, path, resident)

    return Stored(name, shape, dtype, read)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, resident: Residence) -> np.ndarray:
    if info.file_size > info.compress_size * DEFLATE_AT_BEST + 64:
        raise zipfile.BadZipFile(f"{info.filename} declares {info.file_size:,} bytes, more than it can hold")
    start = None
    if info.compress_type == zipfile.ZIP_STORED:  # the bytes follow a header: APPNOTE.TXT, section 4.3.7
        with path.open("rb") as file:
            file.seek(info.header_offset + 26)
            start = info.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
    origin = f"{path} ({info.filename.removesuffix('.npy')})"
    if start is None:
        with archive.open(info) as member:
            return _read_npy(member, info.file_size, origin, path, start, resident)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        plain = _Plain(file, info.file_size)
        array = _read_npy(plain, info.file_size, origin, path, start, resident)
    checksum = plain.checksum
    if isinstance(array, np.memmap):
        checksum, content = 0, mapped(path, start, (info.file_size,))
        for here in blocks(content):
            checksum = zlib.crc32(content[here].data, checksum)
    if checksum != info.CRC:
        raise zipfile.BadZipFile("Bad CRC-32: a damaged file")
    return array


class _Plain:
    """The bytes of a member that is stored as it is, from the file itself; `checksum` is of those read."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        self._file = file
        self._size = size
        self._done = 0
        self.checksum = 0

    def readinto(self, view: memoryview) -> int:
        got = self._file.readinto(view[: self._size - self._done]) or 0
        self.checksum = zlib.crc32(view[:got], self.checksum)
        self._done += got
        return got

    def read(self, size: int, /) -> bytes:
        content = bytearray(max(0, min(size, self._size - self._done)))
        return bytes(content[: self.readinto(memoryview(content))])

    def tell(self) -> int:
        return self._done


def _read_npy(
    stream: Stream, size: int, origin: str, path: Path, start: int | None, resident: Residence
) -> np.ndarray:
    """One array in the .npy format, from a stream of `size` bytes.

    Args:
        start: where the bytes of the stream lie in the file at `path`, if they lie there as they are.
    """
    shape, fortran, dtype = _header(stream, origin)
    _require_plain(dtype, origin)
    before = stream.tell()
    at = None if start is None else (path, start + before)
    array = read_array(
        stream, shape, dtype, origin, most=size - before, at=at, resident=resident, fortran=fortran
    )
    texts = [name for name in dtype.names or () if dtype[name].base.kind == "U"]
    for text in [array[name] for name in texts] if dtype.names else [array] * (dtype.kind == "U"):
        points = np.frombuffer(text.tobytes(), dtype=text.dtype.str[0] + "u4")
        if ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any():  # surrogates, or more
            raise DataError(
                f"{origin} must hold text",
                found="numbers that stand for no character",
                do="save the array again",
            )
    return array


def _header(stream: Stream, origin: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran's order, and type of what follows in the .npy format."""
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
    return shape, fortran, dtype


def _require_plain(dtype: np.dtype, origin: str) -> None:
    if dtype.hasobject or is_deep(dtype) or not dtype.itemsize:
        raise DataError(
            f"{origin} must hold plain numbers or strings, or records of them",
            found=f"{dtype}: Python objects, which are never unpickled here, records in records, or nothing",
            do='convert the array, for example array.astype("uint8")',
        )
