"""What the C library does with freed memory: kept for the next step, or given back.

A training step frees and asks again for the same tens of MB. By default glibc hands pieces that large back
to the system at once, and each comes back page by page, zeroed: 16,000 page faults a step of the
autoencoder, a fifth of its time (benchmarks/results). Both functions do nothing where there is no glibc.

That is a matter of the whole process: the command line asks for it, and a script may; no other function does.
Where memory ends, `within_memory` says so in our words.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from .errors import LatentspaceError

TRIM_THRESHOLD: Final = -1  # mallopt(3)
MMAP_THRESHOLD: Final = -3
LARGEST_KEPT: Final = 256 << 20  # bytes; a larger piece is a data set: it comes from the system, and returns
NO_MEMORY: Final = (  # how PyTorch's allocators and the libraries below them say it
    "out of memory",
    "can't allocate",
    "cannot allocate",
    "not enough memory",
    "alloc_failed",
    "bad_alloc",
    "overflow",  # of a size that no machine has
)
KEPT_IN_ALL: Final = 2**31 - 1  # bytes, the largest that mallopt takes


@contextmanager
def within_memory(kind: type[LatentspaceError], must: str, do: str) -> Iterator[None]:
    """Turn what Python and PyTorch say when memory ends inside the block into an error of `kind`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out(error):
            raise
        said = str(error).strip() or "no memory is left"
        raise kind(must, found=said.splitlines()[0], do=do) from error


def keep_freed() -> None:
    """From now on, freed memory stays with this process for its next step."""
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(TRIM_THRESHOLD, KEPT_IN_ALL)


def give_back() -> None:
    """Free what only cycles hold (a network and its optimiser), and return freed memory to the system."""
    gc.collect()
    trim = _glibc("malloc_trim")  # glibc has it, musl has not
    if trim is not None:
        trim(0)


def ran_out(error: BaseException) -> bool:
    """Whether the error says that there was no memory for something, on the CPU or on another device.

    PyTorch has a type of its own for other devices alone; its allocators of the CPU raise RuntimeError.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in NO_MEMORY)


def _glibc(name: str) -> "ctypes._NamedFuncPointer | None":
    if sys.platform != "linux":
        return None
    function: ctypes._NamedFuncPointer | None = getattr(ctypes.CDLL(None), name, None)
    return function
