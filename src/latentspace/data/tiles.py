"""Tiles: parts of one size that large images are cut into; the tiles of one image are one group.

The tile that begins at row 0, column 64 of `scan.png` is called `scan.png[0,64]`. What is left at the right
and the lower edge is too small for a tile, and is dropped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..core.config import two_numbers
from ..core.errors import ConfigurationError, DataError
from ..core.wording import counted, option
from .fitting import Raster, Size, format_size
from .imageset import ImageSet

_NAME: Final = re.compile(r"\[\d+,\d+\]$")  # how the name of a tile ends


@dataclass(frozen=True)
class Tiles:
    """The size of tiles, and the step from one to the next, down and across."""

    size: Size
    step: Size

    @classmethod
    def parse(cls, text: str) -> "Tiles":
        """`64x64`, `64x64/32` or `64x64/32x16`; without a step tiles lie side by side.

        Raises:
            ConfigurationError: another text, or a number that is not positive.
        """
        sides, slash, steps = text.partition("/")
        size = two_numbers(sides)
        step = two_numbers(steps if "x" in steps else f"{steps}x{steps}") if slash else size
        if size is None or step is None or min(*size, *step) < 1:
            raise ConfigurationError(
                f"{option('tiles')} takes HEIGHTxWIDTH or HEIGHTxWIDTH/STRIDE, in pixels",
                found=repr(text),
                do=f"write for example {option('tiles', '64x64')} or {option('tiles', '64x64/32')}",
            )
        return cls((int(size[0]), int(size[1])), (int(step[0]), int(step[1])))

    def corners(self, size: Size) -> list[tuple[int, int]]:
        """Row and column at which each tile of an image begins, row by row."""
        down, across = (
            range(0, side - tile + 1, step)
            for side, tile, step in zip(size, self.size, self.step, strict=True)
        )
        return [(row, column) for row in down for column in across]

    def cut(self, raster: Raster, name: str) -> Iterator[tuple[str, Raster]]:
        """Each tile of an image, height x width x channels, with its name."""
        height, width = self.size
        for row, column in self.corners((raster.shape[0], raster.shape[1])):
            yield f"{name}[{row},{column}]", raster[row : row + height, column : column + width]

    def words(self, sizes: dict[Size, int]) -> tuple[str, ...]:
        """What was cut and what was dropped, of so many images of each size."""
        tiles = sum(many * len(self.corners(size)) for size, many in sizes.items())
        whole, cut = counted(sum(sizes.values())), counted(tiles, "tile")
        notes = [f"{whole} cut into {cut} of {format_size(self.size)}"]
        uneven = sum(many for size, many in sizes.items() if self._rest(size))
        if uneven:
            notes.append(f"{counted(uneven)} cut at the right or lower edge, where no whole tile is left")
        small = sum(many for size, many in sizes.items() if not self.corners(size))
        if small:
            notes.append(f"{counted(small)} left out, smaller than a tile")
        return tuple(notes)

    def _rest(self, size: Size) -> bool:
        each = zip(size, self.size, self.step, strict=True)
        return bool(self.corners(size)) and any((side - tile) % step for side, tile, step in each)


def tiled(images: ImageSet, tiles: Tiles) -> ImageSet:
    """The tiles of `images`; those that their reader has cut already are grouped by the image they are of.

    Raises:
        DataError: the images are smaller than a tile.
    """
    if images.size != tiles.size or not _NAME.search(images.names_of(np.zeros(1, dtype=np.int64))[0]):
        return tiled_set(images, tiles)
    if images.groups is not None:
        return images
    wholes = [_NAME.sub("", name) for name in images.names]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(wholes))}
    return replace(images, groups=np.array([numbers[name] for name in wholes], dtype=np.int64))


def tiled_set(images: ImageSet, tiles: Tiles) -> ImageSet:
    """The tiles of `images`, image by image.

    Raises:
        DataError: the images are smaller than a tile.
    """
    corners = tiles.corners(images.size)
    if not corners:
        raise no_tiles(images.source, tiles, images.size)
    height, width = tiles.size
    parts = [images.pixels[:, :, row : row + height, column : column + width] for row, column in corners]
    pixels = np.stack(parts, axis=1).reshape(-1, images.channels, height, width)
    of = np.repeat(np.arange(len(images)), len(corners))
    record = images.record.model_copy(
        update={"conversions": (*images.record.conversions, *tiles.words({images.size: len(images)}))}
    )
    return replace(
        images,
        pixels=pixels,
        labels=None if images.labels is None else images.labels[of],
        groups=of if images.groups is None else images.groups[of],
        parts=None if images.parts is None else images.parts[of],
        files=tuple(f"{name}[{row},{column}]" for name in images.names for row, column in corners),
        rows=None,
        record=record,
        comparable=False,
    )


def no_tiles(origin: str, tiles: Tiles, largest: Size) -> DataError:
    """The error of images that are all smaller than a tile."""
    return DataError(
        f"an image of {origin} must be as large as a tile, {format_size(tiles.size)}",
        found=f"none larger than {format_size(largest)}",
        do="name a smaller tile",
    )
