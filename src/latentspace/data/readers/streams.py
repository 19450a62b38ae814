"""Bytes and arrays from an open file or a member of an archive: no more than are there."""

import bz2
import gzip
import io
import lzma
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from ...core.errors import DataError
from ..memmap import Residence, mapped, stays_on_disk
from .filenames import readable, undamaged

FIRST: Final = 512  # bytes of a file that a reader is shown
DEFLATE_AT_BEST: Final = 1032  # no deflate stream grows by more than this factor


@runtime_checkable
class Stream(Protocol):
    """What bytes are read from: an open file, or a member of an archive."""

    def read(self, size: int, /) -> bytes: ...

    def tell(self) -> int: ...


# How a compressed file begins.
_GZIP, _BZIP2, _XZ, _ZSTANDARD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"


def is_compressed(start: bytes) -> bool:
    """Whether a file that begins so is gzip, bzip2, xz or Zstandard."""
    return start.startswith((_GZIP, _BZIP2, _XZ, _ZSTANDARD))


COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst")  # what the names of such files end in
_DAMAGED: Final = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)


@contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """The bytes of a file, inflated where it is compressed.

    Raises:
        DataError: it cannot be read, or is damaged.
    """
    must, do = "must be whole, and compressed as it begins", "fetch or make the file again"
    with (
        readable(path),
        path.open("rb") as file,
        undamaged(path, _DAMAGED, must, do),
        inflating(file) as stream,
    ):
        yield stream


@contextmanager
def inflating(file: IO[bytes] | io.BytesIO) -> Iterator[Stream]:
    """The bytes of `file`, inflated where the first ones say so."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file, mode="rb") as inflated:
            yield inflated
    elif start.startswith(_BZIP2):
        with bz2.BZ2File(file) as bzipped:
            yield bzipped
    elif start.startswith(_XZ):
        with lzma.LZMAFile(file) as xz:
            yield xz
    elif start.startswith(_ZSTANDARD):
        from pyarrow import CompressedInputStream

        with CompressedInputStream(file, "zstd") as zstandard:
            yield cast("Stream", zstandard)
    else:
        yield file


def start_of(path: Path) -> bytes:
    """The first bytes of a file, inflated where it is compressed; as they are where that is damaged.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(FIRST)
        if not is_compressed(start):
            return start
        file.seek(0)
        try:
            with inflating(file) as stream:
                return bytes(stream.read(FIRST))
        except (OSError, EOFError, zlib.error, lzma.LZMAError, DataError):
            return start


def read_exactly(stream: Stream, size: int) -> UInt8[np.ndarray, " _bytes"]:
    """Up to `size` bytes, in steps: only what is there comes to take memory, whatever was declared.

    The memory is asked for at once. Memory that grew with the bytes left up to half as much again behind it.

    Raises:
        DataError: more than the system would ever give.
    """
    try:
        content = np.empty(size, dtype=np.uint8)
    except (MemoryError, ValueError) as error:
        raise DataError(
            "an array must fit into memory",
            found=f"{size:,} bytes declared",
            do="use fewer or smaller images",
        ) from error
    into: Callable[[memoryview], int] = getattr(stream, "readinto", None) or partial(_copied, stream)
    view, filled = content.data, 0
    while filled < size and (got := into(view[filled : filled + 2**20])):
        filled += got
    return content[:filled]


def _copied(stream: Stream, view: memoryview) -> int:
    step = stream.read(len(view))
    view[: len(step)] = step
    return len(step)


def read_array(
    stream: Stream,
    shape: Sequence[int],
    dtype: np.dtype,
    origin: str,
    *,
    most: int,
    at: tuple[Path, int] | None = None,
    resident: Residence = "always",
    fortran: bool = False,
) -> np.ndarray:
    """The array that is all that is left of `stream`, read or mapped.

    Args:
        origin: names the stream in errors.
        most: bytes that can be left; where `at` is given, exactly these are.
        at: the file, and the offset in it, where the same bytes lie; bytes alone are mapped.

    Raises:
        DataError: more or fewer bytes than `shape` declares.
    """
    declared = math.prod(shape) * dtype.itemsize
    whole = f"shape {tuple(shape)} of {dtype} declares {declared:,}"
    if declared > most:
        raise wrong_length(origin, f"{most:,} bytes where {whole}: more than the file can hold")
    if at and dtype == np.uint8 and 0 < declared == most and stays_on_disk(declared, resident):
        return mapped(*at, shape, fortran=fortran)
    content = read_exactly(stream, declared)
    if len(content) < declared:
        raise wrong_length(origin, f"{len(content):,} bytes where {whole}: cut short")
    if stream.read(1):
        raise wrong_length(
            origin, f"more than the {declared:,} bytes that shape {tuple(shape)} of {dtype} declares"
        )
    return content.view(dtype).reshape(shape, order="F" if fortran else "C")


def wrong_length(origin: str, found: str) -> DataError:
    return DataError(
        f"{origin} must hold exactly the bytes that its header declares",
        found=found,
        do="fetch or make it again",
    )
