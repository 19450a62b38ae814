"""Arrays as images: any array that stands for images -> uint8, images x channels x height x width.

Images are uint8, or floats in 0..1, which are rounded to 8 bits. Their shape is N x H x W, N x H x W x C
(C 1, 3, or 4 with alpha, which is laid over black) or N x C x H x W (C 1 or 3).
"""

import numpy as np

from ...core.errors import DataError
from ...core.types import Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord
from ..memmap import allocate
from ..transparency import flattened

_BLOCK = 4096  # images converted at a time


def as_pixels(array: np.ndarray, origin: str) -> tuple[Pixels, CleaningRecord]:
    """uint8, images x channels x height x width, from any array of images that the module describes.

    Raises:
        DataError: another dtype or shape, NaN, or floats outside 0..1.
    """
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise DataError(
            f"the images of {origin} must be uint8, or floats in 0..1",
            found=f"{array.dtype}",
            do='convert them: images.astype("uint8") where they hold 0..255',
        )
    first = _channels_first(array.shape, origin)
    if array.dtype == np.uint8:
        return to_channels_first(array, origin, channels_first=first)
    pixels, record = to_channels_first(_rounded(array, origin), origin, channels_first=first)
    note = f"{counted(len(pixels))} rounded from {array.dtype} in 0..1 to 8 bits"
    return pixels, CleaningRecord(conversions=(note, *record.conversions))


def _channels_first(shape: tuple[int, ...], origin: str) -> bool:
    """Where the channels of images are; nobody guesses where the shape can be read in two ways.

    Raises:
        DataError: it can.
    """
    single = len(shape) == 3 and min(shape[:2]) >= 8  # one image in colour, H x W x C?
    first = len(shape) == 4 and shape[1] in (1, 3)
    last = shape[-1:] in ((3,), (4,)) or (len(shape) == 4 and shape[3] == 1)
    if (first or single) and last:
        raise DataError(
            f"the shape of the images of {origin} must say where the channels are",
            found=f"{shape}: the last axis can be channels, or that many columns of pixels",
            do="give more columns, or put the axes in order: images[None] makes a set of one image H x W x C",
        )
    return first


def _rounded(array: np.ndarray, origin: str) -> np.ndarray:
    result = allocate(array.shape, array)
    for start in range(0, len(array) if array.ndim else 0, _BLOCK):
        block = array[start : start + _BLOCK]
        if block.size and not (block.min() >= 0 and block.max() <= 1):  # NaN fails both
            found = (
                f"NaN in image {start + int(np.argwhere(np.isnan(block))[0][0]):,}"
                if np.isnan(block).any()
                else ""
            )
            raise DataError(
                f"the images of {origin} must be uint8, or floats in 0..1",
                found=found or f"values from {block.min():g} to {block.max():g}",
                do="replace NaN, and divide by 255 where the floats hold 0..255",
            )
        result[start : start + _BLOCK] = np.rint(block.astype(np.float64) * 255)
    return result


def to_channels_first(
    array: np.ndarray, origin: str, *, channels_first: bool
) -> tuple[Pixels, CleaningRecord]:
    """uint8 images of rank 3, or of rank 4 with the channels where `channels_first` says.

    Raises:
        DataError: another rank, a size of 0, or a number of channels other than 1, 3 and (last) 4.
    """
    shape = array.shape
    if array.ndim == 3:
        array, channels_first = array[:, None], True
    channels = array.shape[1 if channels_first else 3] if array.ndim == 4 else 0
    if 0 in array.shape or channels not in ((1, 3) if channels_first else (1, 3, 4)):
        raise DataError(
            f"the images of {origin} must be N x H x W, N x H x W x C or N x C x H x W, C being 1 or 3",
            found=f"shape {shape}",
            do="reshape the array, for example images.reshape(-1, 28, 28)",
        )
    record = CleaningRecord()
    if channels == 4:
        transparent = int((array[..., 3] != 255).any(axis=(1, 2)).sum())
        array = flattened(array[..., :3], array[..., 3:])
        if transparent:
            record = CleaningRecord(conversions=(f"{counted(transparent)} with alpha laid over black",))
    pixels = array if channels_first else array.transpose(0, 3, 1, 2)
    return pixels if isinstance(pixels, np.memmap) else np.ascontiguousarray(pixels), record
