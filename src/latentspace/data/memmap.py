"""Images that stay on disk: when they do, and how a file becomes an array without being read.

A mapped array is read-only, and its pages are the file's: the system drops them when memory is short, and
reads them again when they are asked for. What walks all pixels walks them in `blocks`.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import UInt8

from ..core.atomic_files import refusals
from ..core.errors import DataError
from ..core.types import Int64Array, Pixels
from ..core.wording import option
from .paths import cache_directory

Residence: TypeAlias = Literal["auto", "always", "never"]
SHARE: Final = 4  # of the free memory; what needs more than one part in so many stays on disk
BLOCK: Final = 8 << 20  # bytes walked at a time

# The file of each map, and what it looked like when it was mapped.
_FILES: "WeakKeyDictionary[mmap.mmap, tuple[Path, tuple[int, ...] | None]]" = WeakKeyDictionary()
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def stays_on_disk(size: int, resident: Residence) -> bool:
    """Whether `size` bytes of pixels are mapped rather than read.

    `auto`: where they are more than a quarter of the free memory; where that is unknown, they are read.
    """
    if resident != "auto":
        return resident == "never"
    free = free_memory()
    return free is not None and size * SHARE > free


def free_memory() -> int | None:
    """Bytes that could be had without swapping, or None where the system does not say.

    Linux's MemAvailable, or less where a control group allows less; elsewhere the pages that are free.
    """
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return _free_pages()
    allowed = _allowed()
    return available if allowed is None else min(available, allowed)


def _allowed() -> int | None:
    """What a control group (version 2) still allows, or None where there is no limit."""
    try:
        most = int((_CGROUP / "memory.max").read_text(encoding="ascii"))  # or the word "max"
        return max(most - int((_CGROUP / "memory.current").read_text(encoding="ascii")), 0)
    except (OSError, ValueError):
        return None


def _free_pages() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def mapped(
    path: Path, offset: int, shape: Sequence[int], *, fortran: bool = False
) -> UInt8[np.ndarray, "..."]:
    """The bytes of the file from `offset` on, as a read-only array that is not in memory.

    Raises:
        DataError: the file has become shorter than that.
    """
    order: Literal["F", "C"] = "F" if fortran else "C"
    seen = _look(path)
    try:
        pixels = np.memmap(path, np.uint8, mode="r", offset=offset, shape=tuple(shape), order=order)
    except ValueError as error:
        raise _changed(path) from error
    _FILES[pixels._mmap] = path.absolute(), seen  # type: ignore[attr-defined]
    return pixels


def require_unchanged(pixels: np.ndarray) -> None:
    """Held before mapped pixels are read: where a file was cut, reading them would end the process.

    Nothing for what is in memory, or in a file without a name.

    Raises:
        DataError: the file is no longer as it was when it was mapped: another size, time or file.
    """
    path, seen = _file_of(pixels)
    if path is not None and _look(path) != seen:
        raise _changed(path)


def _file_of(pixels: np.ndarray) -> tuple[Path | None, tuple[int, ...] | None]:
    """The file that pixels are mapped from, and what it looked like then; None twice where there is none."""
    held = getattr(pixels, "_mmap", None)  # what a mapped array and all its views read from
    return (None, None) if held is None else _FILES.get(held, (None, None))


class Place(NamedTuple):
    """Where mapped pixels lie: what another process, or another machine that sees the file, maps them by.

    Args:
        size: of the file, in bytes.
        modified: when, in nanoseconds.
        offset: of the first byte.
        strides: bytes from one value to the next, along each axis.
    """

    path: Path
    size: int
    modified: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def mapped(self) -> Pixels | None:
        """The pixels, read-only; None where there is no such file here, or it is another one."""
        seen = _look(self.path)
        if seen is None or seen[2:] != (self.size, self.modified):
            return None
        with self.path.open("rb") as file:
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.ndarray(self.shape, np.uint8, held, self.offset, self.strides)


def place_of(pixels: Pixels) -> Place | None:
    """Where they lie, if they are mapped from a file that has a name, or a view of such."""
    path, seen = _file_of(pixels)
    if path is None or seen is None or not isinstance(pixels, np.memmap):
        return None
    first = pixels.offset - pixels.offset % mmap.ALLOCATIONGRANULARITY  # the byte that the map begins at
    whole = np.frombuffer(pixels._mmap, np.uint8)  # type: ignore[attr-defined]
    inside = pixels.ctypes.data - whole.ctypes.data
    size, modified = seen[2:]
    return Place(path, size, modified, first + inside, pixels.shape, pixels.strides)


def _look(path: Path) -> tuple[int, ...] | None:
    """What changes with a file's content; None where there is no file."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns


def _changed(path: Path) -> DataError:
    return DataError(
        f"{path} must stay as it is while images are read from it",
        found="it was cut, overwritten, replaced or removed meanwhile",
        do="bring it back, and do this again (a training goes on: latentspace train --resume RUN); with "
        f"{option('data.resident', 'always')} all images are read at the start",
    )


def allocate(shape: Sequence[int], like: np.ndarray) -> UInt8[np.ndarray, "..."]:
    """An array of bytes to be filled: on disk where `like` is on disk, else in memory.

    On disk it is a file without a name in the cache directory, which ends with the array.

    Raises:
        OutputError: the disk has no space for it.
    """
    return allocate_on_disk(shape) if isinstance(like, np.memmap) else np.empty(tuple(shape), dtype=np.uint8)


def allocate_on_disk(shape: Sequence[int]) -> UInt8[np.ndarray, "..."]:
    """An array of bytes to be filled, in a file without a name; raises OutputError as `allocate`."""
    folder = cache_directory()
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is an error here, not a signal later
                os.posix_fallocate(file.fileno(), 0, int(np.prod(shape, dtype=np.int64)))
            return np.memmap(file, np.uint8, mode="w+", shape=tuple(shape))


def blocks(pixels: np.ndarray) -> Iterator[slice]:
    """Slices of the first axis that cover it, each of some MB.

    Raises:
        DataError: as `require_unchanged`, before each of them.
    """
    require_unchanged(pixels)
    step = max(1, BLOCK // max(1, pixels[:1].nbytes))
    for start in range(0, len(pixels), step):
        require_unchanged(pixels)
        yield slice(start, min(start + step, len(pixels)))


def chosen(pixels: Pixels, indices: Int64Array) -> Pixels:
    """`pixels[indices]`, on disk where `pixels` are."""
    if not isinstance(pixels, np.memmap):
        taken: Pixels = pixels[indices]
        return taken
    result: Pixels = allocate((len(indices), *pixels.shape[1:]), pixels)
    for here in blocks(result):
        require_unchanged(pixels)
        result[here] = pixels[indices[here]]
    return result
