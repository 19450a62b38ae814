"""What Python hands over as images -> pixels: arrays, tensors, pictures, lists of these.

Taken where the meaning is clear: one image or many; channels first or last where the shape says which. A
set has the levels that `levels` describes; for a run, images are bytes, whole numbers in 0..255 or floats in
0..1, so that an image means the same whatever is given with it. All else is refused in one line.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from jaxtyping import Float32
from PIL import Image

from ..core.errors import DataError
from ..core.types import Pixels
from ..core.wording import brief, counted
from .imageset import ImageSet
from .levels import Levels, to_bytes
from .readers.axes import arranged
from .readers.decode import decode, decoding, raster_of
from .readers.pixels_of import as_bytes
from .transparency import Opacity, flattened

logger = logging.getLogger(__name__)

ORIGIN = "what was given"
FURTHEST: Final = 1e9  # of 0, in codes: float32 still holds its square
PICTURES = (Image.Image, str, os.PathLike)

Given: TypeAlias = Any  # all of this; what it is is looked at here, so that a mistake is told in our words


def given_set(given: Given, levels: str = "auto") -> ImageSet:
    """An ImageSet of images that nobody has described.

    Args:
        levels: which values become black and white, as `DataConfig.levels`.

    Raises:
        DataError: they are no images, or their shape does not say where the channels are.
    """
    if isinstance(given, ImageSet):
        return given
    found = arranged(as_array(given), ORIGIN)
    pixels, record = as_bytes(found.array, levels, ORIGIN, alpha=found.alpha)
    return ImageSet(pixels, source=f"images given as {brief(given)}", record=record.after(*found.notes))


def given_pixels(given: Given, shape: tuple[int, int, int]) -> Pixels | None:
    """Images of `shape` (channels, height, width); None where they have another.

    Raises:
        DataError: they are no images, or numbers that are no pixels.
    """
    if isinstance(given, ImageSet):
        return given.pixels if given.shape == shape else None
    array = as_array(given)
    channels, height, width = shape
    last = (height, width, channels)
    if array.shape in (shape, last) or (array.shape == (height, width) and channels == 1):
        array = array[None]  # a single image
    if array.ndim == 3 and array.shape[1:] == (height, width) and channels == 1:
        array = array[:, None]
    if array.shape[1:] == last:
        array = array.transpose(0, 3, 1, 2)
    if array.ndim == 4 and array.shape[1:3] == (height, width) and array.shape[3] in (1, 3, 4):
        raise DataError(
            f"images must have {channels} channel{'s' * (channels > 1)}, and channels first are wanted",
            found=f"shape {array.shape}: {array.shape[3]} channels, and channels last were given",
            do="make them grey, for example images.mean(axis=3)" if channels == 1 else "make them colour",
        )
    return None if array.shape[1:] != shape or not len(array) else _bytes(array)


def _bytes(array: np.ndarray) -> Pixels:
    """Bytes of numbers that mean the same in every set; 0 and 1 alone are black and white."""
    floats = array.dtype.kind == "f"
    low, high = array.min(), array.max()
    if low < 0 or high > (1 if floats else 255):  # NaN is said by `to_bytes`
        whole = "divide them by 255; or" if floats and low >= 0 and high <= 255 else "or"
        as_images = "bring them to bytes as the run's images were: latentspace.load_data(images, levels=...)"
        raise DataError(
            f"the pixels of {ORIGIN} must be bytes, whole numbers in 0..255, or floats in 0..1",
            found=f"{array.dtype} from {float(low):g} to {float(high):g}",
            do=f"{whole} {as_images}".removeprefix("or "),
        )
    if floats:
        return to_bytes(array, Levels("full"), ORIGIN)[0]
    return to_bytes(array.astype(np.uint8), Levels(), ORIGIN)[0]


def as_array(given: Given) -> np.ndarray:
    """The numbers of an array, a tensor on any device, a picture or the file of one, or a list of these.

    Raises:
        DataError: it holds no numbers.
    """
    if isinstance(given, np.ndarray):
        if given.dtype.hasobject or given.dtype.kind not in "biuf":
            raise _refused(given)
        return given
    if isinstance(given, PICTURES):
        return _pictures([given])[0]
    if hasattr(given, "detach"):  # a tensor of PyTorch's
        tensor: Any = given.detach().cpu()
        return as_array(tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy())
    if isinstance(given, list | tuple) and given:
        return _stacked(given)
    raise _refused(given)


def as_codes(given: Given, what: str = "codes") -> Float32[np.ndarray, "..."]:
    """Codes, or places on a map of codes, from an array, a tensor or a list.

    Raises:
        DataError: these are no finite numbers, or some are larger than `FURTHEST`.
    """
    do = f"give what the methods of this run returned, or {what} between such"
    try:
        numbers = as_array(given)
    except DataError:
        numbers = np.array(np.nan)
    if not np.isfinite(numbers).all() or np.iscomplexobj(numbers):
        raise DataError(f"{what} must be an array of finite numbers", found=brief(given), do=do)
    furthest = float(np.abs(numbers).max(initial=0))
    if furthest > FURTHEST:
        raise DataError(
            f"{what} must be numbers in -{FURTHEST:g}..{FURTHEST:g}",
            found=f"{furthest:g}",
            do=do,
        )
    return numbers.astype(np.float32, copy=False)


def _stacked(given: Sequence[Any]) -> np.ndarray:
    if all(isinstance(one, int | float) for one in given):
        return np.array(given)
    pictures = all(isinstance(one, PICTURES) for one in given)
    parts = _pictures(given) if pictures else [as_array(one) for one in given]
    grey = [part.ndim == 3 and part.shape[2] == 1 for part in parts]
    if any(grey) and {part.shape[2:] for part in parts} == {(1,), (3,)}:  # pictures, some of them in colour
        parts = [np.repeat(part, 3, axis=2) if one else part for part, one in zip(parts, grey, strict=True)]
    shapes = dict.fromkeys(part.shape for part in parts)
    if len(shapes) > 1:
        raise DataError(
            "images that are given together must have one size",
            found=f"{len(shapes):,} shapes, among them {' and '.join(map(str, list(shapes)[:2]))}",
            do="bring them to one size first",
        )
    return np.stack(parts)


def _pictures(given: Sequence[Any]) -> list[np.ndarray]:
    """The pixels of pictures or of their files; what is transparent lies on one ground for all of them."""
    with decoding():
        decoded = [raster_of(one) if isinstance(one, Image.Image) else decode(Path(one)) for one in given]
    seen = Opacity()
    for one in decoded:
        if one.alpha is not None and one.pixels.dtype == np.uint8:
            seen.add(one.pixels, one.alpha)
    if seen.images:
        logger.info("%s %s", counted(seen.images), seen.words)
    return [
        flattened(one.pixels, one.alpha, seen.ground)
        if one.alpha is not None and one.pixels.dtype == np.uint8
        else one.pixels
        for one in decoded
    ]


def _refused(given: object) -> DataError:
    return DataError(
        "images must be an ImageSet, an array, a tensor, a Pillow image, or a list of these",
        found=brief(given),
        do="give them as one of these, or name a file or folder: latentspace.load_data(path)",
    )
