"""Arrays of three axes, one of which has all pixels of an image: USPS' 256 x 1100 x 10, a class a slice.

Neighbours tell: along the rows and columns of such an axis they are alike, and along the two other axes no
more than any two are. Where the pixels stand beside the channels (N x 3 x 1024, N x 784 x 1), that is known.
"""

from math import isqrt
from typing import Final, NamedTuple

import numpy as np

from ...core.errors import DataError
from ...core.types import Pixels
from .axes import CHANNELS_FIRST, CHANNELS_LAST, GREY, LARGEST_SIDE, Arranged, Axes, possible_axes, squares

SMOOTH: Final = 0.8  # the difference of neighbours, of that of any two: below it they may be of one image
ROUGH: Final = 0.6  # below it they are: the sides of real images have 0.4 and less
LEAST: Final = 64  # pixels of such an image: 8 x 8
_MOST: Final = 2**20  # numbers that are looked at


class Sliced(NamedTuple):
    """The images, and the number of the slice of each, which is its class; None where there are none."""

    found: Arranged
    slices: np.ndarray | None


def in_order(pixels: Pixels, form: str) -> np.ndarray:
    """The pixels in an order of axes that their shape alone says when they are read back.

    Raises:
        DataError: there is none, as of 9 channels of 12 x 10, which could be 10 channels of 9 x 12.
    """
    orders: list[tuple[Axes, np.ndarray]] = [(GREY, pixels[:, 0])] if pixels.shape[1] == 1 else []
    orders.append((CHANNELS_FIRST, pixels))
    if pixels.shape[1] != 4:  # the last of them could be alpha
        orders.append((CHANNELS_LAST, pixels.transpose(0, 2, 3, 1)))
    for axes, one in orders:
        if possible_axes(one.shape) == [axes] and not may_be_flat(one.shape):
            return one
    raise DataError(
        f"images in {form} must have a shape that says where their channels are",
        found=f"{pixels.shape[1]} channels of {pixels.shape[2]}x{pixels.shape[3]}",
        do="write an .npz, which says the order of the axes",
    )


def may_be_flat(shape: tuple[int, ...]) -> bool:
    """Whether an axis of three can have all pixels of an image, and the others are not its sides."""
    return len(shape) == 3 and bool(_candidates(shape)) and 0 not in shape


def flat(array: np.ndarray, origin: str, *, matlab: bool, labelled: bool) -> Sliced | None:
    """The images of `array`, if one of its three axes has all pixels of each; else None.

    Args:
        matlab: whether MATLAB wrote it, which has no usual place for the axis of the images.
        labelled: whether labels beside it tell the classes, so that no axis has them.

    Raises:
        DataError: MATLAB's array of numbers that do not show which axes are which.
    """
    if matlab and not labelled and array.ndim == 3 and (last := _of_sides(array)) is not None:
        return Sliced(last, None)
    if not may_be_flat(array.shape):
        return None
    if (beside := _beside_channels(array, origin)) is not None:
        return Sliced(beside, None)
    if labelled or array.shape[2] == 3:  # of the latter, `arranged` speaks
        return None
    found = [axis for axis in _candidates(array.shape) if _has_pixels(array, axis)]
    if len(found) != 1:
        if matlab and not found and not _has_sides(array):
            raise _unclear(array.shape, origin)
        return None
    classes = _classes_of(array, found[0])
    images = next(axis for axis in range(3) if axis not in (found[0], classes))
    ordered = array.transpose(classes, images, found[0])
    arranged = squares(ordered.reshape(-1, array.shape[found[0]]), origin)
    many, each = ordered.shape[:2]
    note = f"the axes {array.shape} taken as {many} classes of {each:,} images: neighbours are alike so"
    slices = np.repeat(np.arange(many, dtype=np.int64), each)
    return Sliced(arranged._replace(notes=(note, *arranged.notes)), slices)


def _of_sides(array: np.ndarray) -> Arranged | None:
    """Images of two unequal sides, first or last, where neighbours are alike along the other two axes."""
    if 0 in array.shape or len(set(array.shape)) < 3:
        return None
    alike = [_likeness(_sample(np.moveaxis(array, axis, 0)), 0) for axis in range(3)]
    rough = [axis for axis in (0, 2) if alike[axis] > SMOOTH]
    if len(rough) != 1 or sum(one < ROUGH for one in alike) != 2:
        return None
    note = f"the axes {array.shape} taken as height x width x images: neighbours are alike so"
    ordered = np.moveaxis(array, rough[0], 0)[:, None]
    return Arranged(ordered, (note,) if rough[0] else (), alpha=False)


def _candidates(shape: tuple[int, ...]) -> list[int]:
    """The axes that can have all pixels of an image: squares, beside two that differ."""
    found = []
    for axis in range(3):
        one, other = (shape[rest] for rest in range(3) if rest != axis)
        if _side(shape[axis]) and (one != other or 1 in (one, other)):
            found.append(axis)
    return found


def _side(size: int) -> int:
    side = isqrt(size)
    return side if side * side == size >= LEAST and side <= LARGEST_SIDE else 0


def _beside_channels(array: np.ndarray, origin: str) -> Arranged | None:
    """N x 1 x pixels, N x pixels x 1, N x 3 x pixels: images that no network could take otherwise."""
    images, middle, last = array.shape
    if images == 1:
        return None
    if middle == 1 and _side(last):
        return squares(array[:, 0], origin)
    if last == 1 and _side(middle):
        return squares(array[..., 0], origin)
    if middle == 3 and _side(last):
        side = _side(last)
        note = f"the axes {array.shape} taken as images of 3 x {side} x {side}"
        return Arranged(array.reshape(images, 3, side, side), (note,), alpha=False)
    if last == 3 and _side(middle) and _has_pixels(array[..., 1:2], 1):
        side = _side(middle)
        note = f"the axes {array.shape} taken as images of {side} x {side} x 3: neighbours are alike so"
        return Arranged(array.reshape(images, side, side, 3).transpose(0, 3, 1, 2), (note,), alpha=False)
    return None


def _has_pixels(array: np.ndarray, axis: int) -> bool:
    """Whether neighbours are alike in the rows and columns of the images in an axis, and nowhere else."""
    side = _side(array.shape[axis])
    some = _sample(np.moveaxis(array, axis, -1))
    images = some.reshape(-1, side, side)
    inner = max(_likeness(images, 1), _likeness(images, 2))
    return inner < SMOOTH and min(_likeness(some, 0), _likeness(some, 1)) > ROUGH


def _has_sides(array: np.ndarray) -> bool:
    """Whether neighbours are alike along two of the axes, which are then the sides of images."""
    some = [_sample(np.moveaxis(array, axis, 0)) for axis in range(3)]
    return sum(_likeness(one, 0) < SMOOTH for one in some) >= 2


def _sample(array: np.ndarray) -> np.ndarray:
    """The first rows and columns of the axes, whole in the last one, as floats."""
    most = max(2, isqrt(max(1, _MOST // array.shape[-1])))
    first = min(array.shape[0], most)
    second = min(array.shape[1], max(2, _MOST // (array.shape[-1] * first)))
    return array[:first, :second].astype(np.float32)


def _likeness(array: np.ndarray, axis: int) -> float:
    """The mean difference of neighbours along an axis, of that of any two there; 1 where there is none."""
    rows = np.moveaxis(array, axis, 0)
    others = rows[np.random.default_rng(0).permutation(len(rows))]
    neighbours = float(np.abs(np.diff(rows, axis=0)).mean()) if len(rows) > 1 else 0.0
    moved = (others != rows).any(axis=tuple(range(1, rows.ndim)))
    any_two = float(np.abs(others[moved] - rows[moved]).mean()) if moved.any() else 0.0
    return neighbours / any_two if any_two and np.isfinite(neighbours) else 1.0


def _classes_of(array: np.ndarray, pixels: int) -> int:
    """The axis of the classes: the means of its slices differ more than those of the other axis.

    Where neither does, the shorter one, and of two equal ones the last.
    """
    one, other = (axis for axis in range(3) if axis != pixels)
    spread = {
        axis: float(array.mean(axis=beside, dtype=np.float64).var(axis=0 if axis < pixels else -1).mean())
        * array.shape[beside]
        for axis, beside in ((one, other), (other, one))
    }
    if spread[one] != spread[other] and max(spread.values()) > 1.5 * min(spread.values()):
        return max(spread, key=lambda axis: spread[axis])
    return one if array.shape[one] < array.shape[other] else other


def _unclear(shape: tuple[int, ...], origin: str) -> DataError:
    return DataError(
        f"the array of {origin} must show which of its axes are the sides of the images",
        found=f"shape {shape}: one axis can have all pixels of an image, or the images may not be square",
        do="save it as images x height x width, or as a row of pixels for each image, with labels beside it",
    )
