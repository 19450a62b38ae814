"""Numbers -> the image that they are, where each has a size of its own: raw bytes, cells, lists of lists."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from .axes import MOST_CHANNELS, square_of
from .decode import DecodedImage

# What columns or fields are called that say the size of raw pixels.
HEIGHTS: Final = ("height", "h", "rows", "image_height", "img_height", "nrows")
WIDTHS: Final = ("width", "w", "cols", "columns", "image_width", "img_width", "ncols")
CHANNELS: Final = ("channels", "n_channels", "nchannels", "num_channels", "c", "depth", "bands")
SHAPES: Final = ("shape", "image_shape", "img_shape", "dims")
CONTENTS: Final = ("bytes", "data", "pixels", "values", "image")  # of a struct
_NPY: Final = b"\x93NUMPY"


def picture_of(values: np.ndarray) -> DecodedImage | None:
    """Height x width, with channels last or first, as an image; None where it is none."""
    if values.ndim == 2:
        raster = values[:, :, None]
    elif values.ndim == 3:
        last, first = values.shape[2], values.shape[0]
        usual = last in (1, 3, 4) or (first not in (1, 3, 4) and last <= MOST_CHANNELS)
        raster = values if usual else values.transpose(1, 2, 0)
    else:
        return None
    if min(raster.shape[:2]) < 2 or raster.shape[2] > MOST_CHANNELS or raster.dtype.kind not in "biuf":
        return None
    if raster.dtype.kind == "f" and not np.isfinite(raster).all():
        return None
    if raster.dtype == np.uint8 and raster.shape[2] == 4:
        opacity = raster[..., 3:]
        if 2 * np.isin(opacity, (0, 255)).sum() >= opacity.size:
            return DecodedImage(raster[..., :3], alpha=None if (opacity == 255).all() else opacity)
    return DecodedImage(raster)


def of_bytes(content: bytes, shape: Sequence[int]) -> np.ndarray | None:
    """Raw pixels of a shape: bytes, or numbers of 2, 4 or 8 bytes each; None where they do not fit."""
    size = int(np.prod(shape, dtype=object)) if shape else 0
    if size <= 0 or len(content) % size:
        return None
    kind = {1: "u1", 2: "<u2", 4: "<f4", 8: "<f8"}.get(len(content) // size)
    return None if kind is None else np.frombuffer(content, kind).reshape(tuple(shape))


def squared(content: bytes) -> np.ndarray | None:
    """Raw pixels without a size as a row of numbers, if they can be those of a square."""
    values = np.frombuffer(content, np.uint8)
    return values if square_of(len(values)) else None


def is_npy(content: bytes) -> bool:
    return content.startswith(_NPY)


def of_npy(content: bytes) -> np.ndarray | None:
    """The array in the bytes of an .npy file; None where it is damaged, or has Python objects."""
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError, TypeError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype.kind in "biuf" else None


def shape_in(said: Mapping[str, Any], where: str) -> tuple[int, ...]:
    """The shape that columns of a row say by their names, lower case; none where they say none.

    Raises:
        DataError: numbers that are no sizes.
    """
    whole = next((said[name] for name in SHAPES if isinstance(said.get(name), (list, tuple))), None)
    if whole is None:
        sides = [next((said[name] for name in names if name in said), None) for names in (HEIGHTS, WIDTHS)]
        if None in sides:
            return ()
        channels = next((said[name] for name in CHANNELS if name in said), None)
        whole = [*sides, *([] if channels in (None, 1) else [channels])]
    try:
        shape = tuple(int(one) for one in whole)
    except (TypeError, ValueError, OverflowError):
        shape = (0,)
    if not 1 <= len(shape) <= 3 or min(shape) < 1 or max(shape) > 2**20:
        raise DataError(
            "the size of raw pixels must be height, width and perhaps channels",
            found=f"{whole!r} {where}",
            do="write images as encoded files (png), or mend the size",
        )
    return shape
