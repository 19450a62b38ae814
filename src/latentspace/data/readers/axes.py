"""The axes of an array of images: in whatever order they are stored -> images x channels x height x width.

- Three axes are images x height x width; four have the channels behind the images or at the end, and the
  images at the end where MATLAB wrote them so (height x width x channels x images), or channels x height x
  width x images, where that is sure.
- As many images as labels are preferred, then one or three channels (or four at the end, which may be colour
  and alpha), then square images. More channels are kept, up to 32.
- Two axes are flattened images: 784 numbers are 28 x 28; 3,072 are 3 x 32 x 32 or 32 x 32 x 3, whichever
  makes neighbours alike.

Where two readings are left, nobody guesses: that is an error.
"""

from math import isqrt
from typing import Final, NamedTuple

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted

MOST_CHANNELS: Final = 32
MOST_USUAL: Final = 4  # channels, in grey or colour, with alpha or without
LARGEST_SIDE: Final = 4096  # no image of a pile of small ones is larger
SMALLEST_SQUARE: Final = 8  # of images in doubt: the networks need 8 x 8
CLEAR: Final = 0.8  # the variation of flattened colour images in the right order, of that in the other one


class Axes(NamedTuple):
    """Where the axes of images are; `channels` is None where there is no such axis."""

    images: int
    channels: int | None
    height: int
    width: int


CHANNELS_FIRST: Final = Axes(0, 1, 2, 3)
CHANNELS_LAST: Final = Axes(0, 3, 1, 2)
IMAGES_LAST: Final = Axes(3, 2, 0, 1)
IMAGES_AFTER_ALL: Final = Axes(3, 0, 1, 2)
GREY: Final = Axes(0, None, 1, 2)
GREY_IMAGES_LAST: Final = Axes(2, None, 0, 1)


class Arranged(NamedTuple):
    """Images x channels x height x width, a view where that is possible, and what is to be said of it."""

    array: np.ndarray
    notes: tuple[str, ...]
    alpha: bool  # whether the last of four channels may be alpha


def arranged(
    array: np.ndarray, origin: str, *, count: int | None = None, images_last: bool = False
) -> Arranged:
    """`array` with its axes in order, of the type that it has.

    Args:
        count: as many labels as there are, which tells the axis of the images.
        images_last: whether what wrote it puts the images last, where the shape can be read in two ways.

    Raises:
        DataError: no such images, or a shape that can be read in two ways.
    """
    if array.ndim == 2:
        return _unflattened(array, origin, count=count, images_last=images_last)
    found = possible_axes(array.shape, count=count, images_last=images_last)
    if len(found) != 1 or 0 in array.shape:
        raise _unclear(array.shape, origin, many=len(found) > 1 and 0 not in array.shape)
    axes = found[0]
    if axes.channels is None:
        ordered = array.transpose(axes.images, axes.height, axes.width)[:, None]
    else:
        ordered = array.transpose(axes.images, axes.channels, axes.height, axes.width)
    notes = []
    if axes.images:
        order = "channels x height x width" if axes == IMAGES_AFTER_ALL else "height x width x ..."
        notes.append(f"the axes {array.shape} taken as {order} x images")
    channels = ordered.shape[1]
    alpha = channels == 4 and axes == CHANNELS_LAST
    if channels not in (1, 3) and not alpha:
        notes.append(f"{counted(len(ordered))} of {channels} channels, all of them kept")
    return Arranged(ordered, tuple(notes), alpha)


def possible_axes(
    shape: tuple[int, ...], *, count: int | None = None, images_last: bool = False
) -> list[Axes]:
    """The readings of a shape of three or four axes that the module's preferences leave."""
    if len(shape) == 3:
        return _grey(shape, count, images_last)
    if len(shape) != 4:
        return []
    if _surely_after_all(shape, count):
        return [IMAGES_AFTER_ALL]
    left = [axes for axes in (CHANNELS_FIRST, CHANNELS_LAST, IMAGES_LAST) if _fits(shape, axes)]
    if not images_last and count != shape[3]:
        left = [axes for axes in left if axes != IMAGES_LAST or _surely_last(shape)]
    if shape[1] == shape[2] != shape[3] and shape[1] > MOST_USUAL and count != shape[3]:
        left = [axes for axes in left if axes != CHANNELS_FIRST]  # N x 16 x 16 x 40: rather too many channels
    counted_right = [axes for axes in left if shape[axes.images] == count]
    usual = [axes for axes in counted_right or left if _usual(shape, axes)]
    left = usual or counted_right or left
    large = [axes for axes in left if min(shape[axes.height], shape[axes.width]) >= SMALLEST_SQUARE]
    left = large or left
    square = [axes for axes in left if shape[axes.height] == shape[axes.width]]
    left = square or left
    return [IMAGES_LAST] if images_last and IMAGES_LAST in left else left


def _fits(shape: tuple[int, ...], axes: Axes) -> bool:
    channels = 1 if axes.channels is None else shape[axes.channels]
    return channels <= MOST_CHANNELS and max(shape[axes.height], shape[axes.width]) <= LARGEST_SIDE


def _surely_last(shape: tuple[int, ...]) -> bool:
    height, width, channels, images = shape
    return height == width >= SMALLEST_SQUARE and (channels in (1, 3) or images > MOST_CHANNELS)


def _surely_after_all(shape: tuple[int, ...], count: int | None) -> bool:
    channels, height, width, images = shape
    return (
        channels in (1, 3)
        and LARGEST_SIDE >= height == width >= SMALLEST_SQUARE
        and width != images
        and channels != count
        and (images == count or images > MOST_CHANNELS)
    )


def _usual(shape: tuple[int, ...], axes: Axes) -> bool:
    channels = 1 if axes.channels is None else shape[axes.channels]
    return channels in (1, 3) or (channels == 4 and axes != CHANNELS_FIRST)


def _grey(shape: tuple[int, ...], count: int | None, images_last: bool) -> list[Axes]:
    if count in (shape[0], shape[2]) and shape[0] != shape[2]:
        return [GREY if count == shape[0] else GREY_IMAGES_LAST]
    if shape[2] > LARGEST_SIDE >= max(shape[:2]):
        return [GREY_IMAGES_LAST]
    if images_last:
        square = shape[0] == shape[1], shape[1] == shape[2]
        last = square[0] if square[0] != square[1] else shape[2] > shape[0]
        return [GREY_IMAGES_LAST if last else GREY]
    if shape[0] == shape[1] != shape[2] > 4 and shape[0] >= SMALLEST_SQUARE:
        return [GREY_IMAGES_LAST]
    if shape[2] in (3, 4) and min(shape[:2]) >= 8:  # one image in colour, height x width x channels?
        return [GREY, CHANNELS_LAST]
    return [GREY] if _fits(shape, GREY) else []


def _unclear(shape: tuple[int, ...], origin: str, *, many: bool) -> DataError:
    if many:
        return DataError(
            f"the shape of the images of {origin} must say where the channels are",
            found=f"{shape}: the last axis can be channels, or that many columns of pixels",
            do="give more columns, or put the axes in order: images[None] makes a set of one image H x W x C",
        )
    if 0 in shape:
        return DataError(
            f"there must be an image in {origin}, and a pixel in each",
            found=f"an array of shape {shape}",
            do="give one or more images",
        )
    return DataError(
        f"the images of {origin} must be N x H x W, N x H x W x C or N x C x H x W, "
        f"C being {MOST_CHANNELS} or fewer",
        found=f"shape {shape}",
        do="reshape the array, for example images.reshape(-1, 28, 28)",
    )


def square_of(size: int) -> tuple[int, int] | None:
    """Channels and side of the square images that `size` numbers can be, or None."""
    for channels in (1, 3):
        side = isqrt(size // channels)
        if side * side * channels == size and SMALLEST_SQUARE <= side <= LARGEST_SIDE:
            return channels, side
    return None


def _unflattened(array: np.ndarray, origin: str, *, count: int | None, images_last: bool) -> Arranged:
    fitting = [axis for axis in (1, 0) if square_of(array.shape[axis])]
    if len(fitting) == 2 and count in array.shape and array.shape[0] != array.shape[1]:
        fitting = [axis for axis in fitting if array.shape[1 - axis] == count]
    if not fitting or array.shape[0] == array.shape[1] or 0 in array.shape:
        raise DataError(
            f"the images of {origin} must be N x H x W, N x H x W x C, N x C x H x W, or N rows of a square",
            found=f"shape {array.shape}",
            do="reshape the array, for example images.reshape(-1, 28, 28)",
        )
    axis = fitting[-1] if images_last else fitting[0]
    return squares(array if axis == 1 else array.T, origin)


def squares(rows: np.ndarray, origin: str) -> Arranged:
    """Rows of numbers, each of which is a square image, in grey or in three channels.

    Raises:
        DataError: rows of another length, or colours that lie in an order that nothing shows.
    """
    found = square_of(rows.shape[1])
    if found is None:
        raise DataError(
            f"each row of {origin} must have the pixels of a square, in grey or in three channels",
            found=f"{counted(rows.shape[1], 'number')} in a row",
            do="save the images as an array of N x H x W: numpy.save('images.npy', rows.reshape(-1, H, W))",
        )
    channels, side = found
    flat = f"{counted(len(rows))} of {counted(rows.shape[1], 'number')}"
    if channels == 1:
        words = f"{flat} taken as {side}x{side}, row by row"
        return Arranged(rows.reshape(-1, 1, side, side), (words,), alpha=False)
    planes = rows.reshape(-1, 3, side, side)
    points = rows.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    as_planes, as_points = _variation(planes), _variation(points)
    if not min(as_planes, as_points) < CLEAR * max(as_planes, as_points):
        raise DataError(
            f"{flat} in {origin} must show whether they are colour by colour",
            found=f"as 3 x {side} x {side} neighbours are as alike as in {side} x {side} x 3",
            do=f"reshape the array: images.reshape(-1, 3, {side}, {side}), or (-1, {side}, {side}, 3)",
        )
    in_planes = as_planes < as_points
    order = f"3 x {side} x {side}" if in_planes else f"{side} x {side} x 3"
    words = f"{flat} taken as {order}: neighbours are alike in that order"
    return Arranged(planes if in_planes else points, (words,), alpha=False)


def _variation(images: np.ndarray) -> float:
    """The mean difference between pixels that are neighbours, of up to 200 images over the whole set."""
    some = images[:: max(1, len(images) // 200)].astype(np.float64)
    down, across = np.abs(np.diff(some, axis=2)), np.abs(np.diff(some, axis=3))
    return float(down.mean() + across.mean())
