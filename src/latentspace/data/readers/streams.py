"""Bytes from an open file or a member of an archive."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from ...core.errors import DataError


@runtime_checkable
class Stream(Protocol):
    """What bytes are read from: an open file, or a member of an archive."""

    def read(self, size: int, /) -> bytes: ...


def read_exactly(stream: Stream, size: int) -> UInt8[np.ndarray, " _bytes"]:
    """Up to `size` bytes, in steps: only what is there comes to take memory, whatever was declared.

    The room is asked for at once. Room that grew with the bytes left up to half as much again behind it.

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
    filled = 0
    while filled < size:
        step = stream.read(min(2**20, size - filled))
        if not step:
            break
        content[filled : filled + len(step)] = np.frombuffer(step, dtype=np.uint8)
        filled += len(step)
    return content[:filled]
