"""Arrays of images -> bytes: parts joined, levels and transparency dealt with by all of a set."""

from collections.abc import Sequence

import numpy as np

from ...core.errors import DataError
from ...core.types import Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord
from ..levels import Levels, to_bytes
from ..memmap import allocate, blocks
from ..transparency import Opacity, flattened


def joined(arrays: Sequence[np.ndarray], origin: str) -> np.ndarray:
    """One array of parts that have one shape and one type; on disk where one of them is.

    Raises:
        DataError: they have not.
    """
    if len(arrays) == 1:
        return arrays[0]
    if len({(one.shape[1:], one.dtype.newbyteorder("=")) for one in arrays}) > 1:
        raise DataError(
            f"the parts of {origin} must have one shape and one kind of numbers",
            found=", ".join(f"{one.dtype} {one.shape}" for one in arrays),
            do="save each part in a file of its own, and name that",
        )
    mapped = next((one for one in arrays if isinstance(one, np.memmap)), None)
    if mapped is None or mapped.dtype != np.uint8:
        return np.concatenate(arrays)
    whole, start = allocate((sum(map(len, arrays)), *mapped.shape[1:]), mapped), 0
    for one in arrays:
        for here in blocks(one):
            whole[start + here.start : start + here.stop] = one[here]
        start += len(one)
    return whole


def as_bytes(
    array: np.ndarray, levels: str, origin: str, *, alpha: bool = False
) -> tuple[Pixels, CleaningRecord]:
    """Images x channels x height x width of any numbers -> bytes; and what was done to them.

    Args:
        alpha: whether the last of four channels is alpha, where most of its values are 0 or 255.
    """
    pixels, record = to_bytes(array, Levels.parse(levels), origin)
    if alpha and pixels.shape[1] == 4:
        opacity = pixels[:, 3:]
        if 2 * np.isin(opacity, (0, 255)).sum() >= opacity.size:
            seen, shows = Opacity(), (opacity != 255).any(axis=(1, 2, 3))
            last = pixels[shows].transpose(0, 2, 3, 1)
            seen.add(last[..., :3], last[..., 3:], int(shows.sum()))
            pixels = flattened(pixels[:, :3], opacity, seen.ground)
            if seen.images:
                record = record.then(f"{counted(seen.images)} {seen.words}")
        else:
            record = record.then("images of 4 channels, all of them kept: the fourth is no alpha")
    return pixels if isinstance(pixels, np.memmap) else np.ascontiguousarray(pixels), record
