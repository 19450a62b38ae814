"""The sizes and the channels of the maps between an image and its code, as functions of the image's size."""

from typing import Final, NamedTuple

from ..layers.im2col import Pair

SMALLEST: Final = 4  # pixels: no side is halved to fewer
NARROWEST: Final = 4  # part of the width that the largest maps have at least


class Scale(NamedTuple):
    """Maps of one size.

    Args:
        channels: of the maps.
        sides: their height and width.
        stride: by which the next larger maps are shrunk to these: 2 or 1 for each side.
    """

    channels: int
    sides: Pair
    stride: Pair


def scales(shape: tuple[int, int, int], width: int) -> tuple[Scale, ...]:
    """The maps from the largest to the smallest; an image of 28x28 has 14x14, 7x7 and 4x4.

    Each side is halved for as long as at least 4 pixels are left, so the last map has 4 to 6 of them on each
    side. The channels double from map to map and end with four times the width: each size costs the same.
    """
    found: list[tuple[Pair, Pair]] = []
    height, wide = shape[1:]
    while True:
        stride = _step(height), _step(wide)
        if stride == (1, 1):
            break
        height, wide = -(-height // stride[0]), -(-wide // stride[1])
        found.append(((height, wide), stride))
    least = max(1, width // NARROWEST)
    return tuple(
        Scale(max(least, 4 * width >> len(found) - number), sides, stride)
        for number, (sides, stride) in enumerate(found, start=1)
    )


def _step(side: int) -> int:
    return 2 if -(-side // 2) >= SMALLEST else 1
