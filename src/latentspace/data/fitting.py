"""Fitting: an image of any size brought to one size, and the choice of that size for images of many.

`crop` scales an image until its shorter side fits, and cuts the longer one to its middle; `pad` scales it
until its longer side fits, and surrounds it with the colour of its border; `stretch` scales each side by
itself. Scaling averages areas where both sides shrink, and is bilinear (antialiased) elsewhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Shaped
from PIL import Image

from ..core.types import Pixels
from ..core.wording import counted, option
from .imageset import ImageSet
from .memmap import allocate, require_unchanged

Size: TypeAlias = tuple[int, int]  # height and width
Fit: TypeAlias = Literal["crop", "pad", "stretch"]
Raster: TypeAlias = Shaped[np.ndarray, "_height _width channels"]

MOST_HAVE: Final = 0.9  # of the images: the size of so many is the size of all
SIDE: Final = 64  # the longest side of the square that others are brought to
FEW: Final = 0.01  # of the images may be smaller than that square


def fitted(raster: Raster, size: Size, fit: Fit = "crop", *, enlarge: bool = True) -> Raster:
    """`raster` (bytes or other numbers) at `size`.

    Args:
        enlarge: whether an image that is too small is scaled up; else it is surrounded with the colour of its
            border, but by `stretch`.
    """
    here = raster.shape[:2]
    if here == size:
        return raster
    if fit == "stretch":
        return _scaled(raster, size, None)
    ratios = [wanted / side for wanted, side in zip(size, here, strict=True)]
    scale = max(ratios) if fit == "crop" else min(ratios)
    scale = scale if enlarge else min(scale, 1.0)
    part = [min(float(side), wanted / scale) for side, wanted in zip(here, size, strict=True)]
    inner = [max(1, min(wanted, round(side * scale))) for wanted, side in zip(size, part, strict=True)]
    offsets = [(side - kept) / 2 for side, kept in zip(here, part, strict=True)]
    if scale == 1:
        (top, left), (height, width) = map(int, offsets), inner
        scaled = raster[top : top + height, left : left + width]
    else:
        box = offsets[1], offsets[0], offsets[1] + part[1], offsets[0] + part[0]
        scaled = _scaled(raster, (inner[0], inner[1]), box)
    return scaled if scaled.shape[:2] == size else _surrounded(scaled, size, _border_colour(raster))


def _scaled(raster: Raster, size: Size, box: tuple[float, float, float, float] | None) -> Raster:
    """The part of `raster` within `box` (left, top, right, bottom; None: all of it) at `size`."""
    height, width = size
    left, top, right, bottom = box or (0, 0, raster.shape[1], raster.shape[0])
    shrinks = height <= bottom - top and width <= right - left
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR

    def resized(layer: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(layer)).resize((width, height), method, box)
        return np.array(image)

    if raster.dtype == np.uint8 and raster.shape[2] == 3:
        return resized(raster)
    layers = raster if raster.dtype == np.uint8 else raster.astype(np.float32)
    result = np.stack([resized(layers[:, :, number]) for number in range(raster.shape[2])], axis=2)
    if raster.dtype.kind in "iu":
        result = np.rint(result)
    return result.astype(raster.dtype, copy=False)


def _border_colour(raster: Raster) -> Shaped[np.ndarray, " channels"]:
    """The median of the outermost pixels, in each channel."""
    border = np.concatenate([raster[0], raster[-1], raster[:, 0], raster[:, -1]])
    colour: np.ndarray = np.sort(border, axis=0)[len(border) // 2]
    return colour


def _surrounded(raster: Raster, size: Size, colour: Shaped[np.ndarray, " channels"]) -> Raster:
    """`raster` in the middle of an image of `size`, which is `colour` around it."""
    result = np.empty((*size, raster.shape[2]), dtype=raster.dtype)
    result[:] = colour
    top, left = ((wanted - side) // 2 for wanted, side in zip(size, raster.shape[:2], strict=True))
    result[top : top + raster.shape[0], left : left + raster.shape[1]] = raster
    return result


def fitted_set(images: ImageSet, size: Size, fit: Fit) -> ImageSet:
    """`images` brought to `size`; images that change are no longer comparable."""
    if images.size == size:
        return images
    pixels: Pixels = allocate((len(images), images.channels, *size), images.pixels)
    for number, one in enumerate(images.pixels):
        require_unchanged(images.pixels)
        pixels[number] = fitted(one.transpose(1, 2, 0), size, fit).transpose(2, 0, 1)
    words = resize_words(size, fit, [images.size])
    note = f"{counted(len(images))} of {format_size(images.size)} {words}"
    record = images.record.model_copy(update={"conversions": (*images.record.conversions, note)})
    return replace(images, pixels=pixels, record=record, comparable=False)


def common_size(sizes: Mapping[Size, int]) -> Size:
    """The one size that images of these sizes, each so many times, are brought to.

    The most frequent where nine tenths have it; else a square of at most 64, and no larger than the images
    are, but for one in a hundred.

    Raises:
        ValueError: no sizes.
    """
    total = sum(sizes.values())
    size, many = Counter(sizes).most_common(1)[0]
    if many >= MOST_HAVE * total:
        return size
    passed = 0
    for side, many in sorted(((min(size), many) for size, many in sizes.items()), key=lambda one: one[0]):
        passed += many
        if passed > FEW * total:
            return (min(side, SIDE),) * 2
    raise ValueError("no sizes")


def fit_words(sizes: Mapping[Size, int], size: Size, fit: Fit) -> str:
    """What was done to images of many sizes, in a sentence that follows how many were brought to `size`."""
    how = {
        "crop": "scaled and cropped to the middle",
        "pad": "scaled and surrounded with the colour of the border",
        "stretch": "stretched",
    }[fit]
    smallest, *_, largest = sorted(sizes, key=lambda one: (one[0] * one[1], one))
    ends = f"{counted(len(sizes), 'size')} from {format_size(smallest)} to {format_size(largest)}"
    choose = f"{option('resize')} and {option('fit')} choose otherwise"
    return f"{how}, to {format_size(size)}, as the images have {ends}; {choose}"


def resize_words(size: Size, fit: Fit, sizes: Iterable[Size]) -> str:
    """What was done to images of `sizes`, in words that follow how many were brought to `size`."""
    alike = all(height * size[1] == width * size[0] for height, width in sizes)
    how = {"crop": "cropped to the middle", "pad": "surrounded with the colour of the border"}
    return f"resized to {format_size(size)}" + ("" if alike else f", {how.get(fit, 'stretched')}")


def format_size(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
