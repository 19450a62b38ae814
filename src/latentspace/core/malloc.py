"""Where memory ends, and giving freed memory back to the system; glibc alone can be asked to."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from .errors import LatentspaceError

NO_MEMORY: Final = (  # how PyTorch's allocators and the libraries below them say it
    "out of memory",
    "can't allocate",
    "cannot allocate",
    "not enough memory",
    "alloc_failed",
    "bad_alloc",
    "overflow",  # of a size that no machine has
)


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


def give_back() -> None:
    """Free what only cycles hold (a network and its optimiser), and return freed memory to the system."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
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
