"""Images that stay on disk: when they do, and how a file becomes an array without being read.

A mapped array is read-only, and its pages are the file's: the system drops them when memory is short, and
reads them again when they are asked for. What walks all pixels walks them in `blocks`.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias

import numpy as np
from jaxtyping import UInt8

from ..files import refusals
from ..types import Pixels, Whole
from .places import cache_directory

Residence: TypeAlias = Literal["auto", "always", "never"]
SHARE: Final = 4  # of the free memory; what needs more than one part in so many stays on disk
BLOCK: Final = 8 << 20  # bytes walked at a time

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
    file: BinaryIO | Path, offset: int, shape: Sequence[int], *, fortran: bool = False
) -> UInt8[np.ndarray, "..."]:
    """The bytes of `file` from `offset` on, as a read-only array that is not in memory."""
    order: Literal["F", "C"] = "F" if fortran else "C"
    return np.memmap(file, np.uint8, mode="r", offset=offset, shape=tuple(shape), order=order)


def room(shape: Sequence[int], beside: np.ndarray) -> UInt8[np.ndarray, "..."]:
    """An array of bytes to be filled: in memory, or on disk where the array `beside` it is on disk.

    On disk it is a file without a name in the cache directory, which ends with the array.

    Raises:
        OutputError: there is no room for it on disk.
    """
    return scratch(shape) if isinstance(beside, np.memmap) else np.empty(tuple(shape), dtype=np.uint8)


def scratch(shape: Sequence[int]) -> UInt8[np.ndarray, "..."]:
    """As `room`, on disk."""
    folder = cache_directory()
    with refusals(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is an error here, not a signal later
                os.posix_fallocate(file.fileno(), 0, int(np.prod(shape, dtype=np.int64)))
            return np.memmap(file, np.uint8, mode="w+", shape=tuple(shape))


def blocks(pixels: np.ndarray) -> Iterator[slice]:
    """Slices of the first axis that cover it, each of some MB."""
    step = max(1, BLOCK // max(1, pixels[:1].nbytes))
    for start in range(0, len(pixels), step):
        yield slice(start, min(start + step, len(pixels)))


def chosen(pixels: Pixels, indices: Whole) -> Pixels:
    """`pixels[indices]`, on disk where `pixels` are."""
    if not isinstance(pixels, np.memmap):
        taken: Pixels = pixels[indices]
        return taken
    result: Pixels = room((len(indices), *pixels.shape[1:]), pixels)
    for here in blocks(result):
        result[here] = pixels[indices[here]]
    return result
