"""Grids of small images with captions, on a page: single images, or several side by side."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from ..core.errors import DataError
from ..inference.image_files import Drawable, picture, png, raster

SIDE: Final = 72  # CSS pixels of an image's longer side
STORED: Final = 2 * SIDE  # pixels that are kept of it, for screens of twice the usual density


@dataclass(frozen=True)
class Tile:
    """One place of a grid: images side by side, with a caption below.

    Args:
        images: PNG files.
        size: width and height of each on the page, in CSS pixels.
        caption: lines; the first names the images.
    """

    images: tuple[bytes, ...] = field(repr=False)
    size: tuple[int, int]
    caption: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple("data:image/png;base64," + base64.b64encode(one).decode("ascii") for one in self.images)


@dataclass(frozen=True)
class Gallery:
    """A grid of tiles; make one with `gallery`.

    Args:
        columns: what the images of a tile are, in their order, for readers who cannot see them.
        sharp: whether images are drawn larger than they are, each pixel as a square.
        note: a sentence above the grid, or nothing.
    """

    columns: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sharp: bool = True
    note: str = ""


def gallery(columns: dict[str, Drawable], captions: Sequence[Sequence[str]], note: str = "") -> Gallery:
    """A grid with a tile for each image.

    Args:
        columns: a name, such as "image" or "reconstruction" -> images of one shape, bytes, or floats in
            0..1; those of one row stand side by side. Large ones are made smaller.
        captions: the lines below each tile; the first names it.
        note: a sentence above the grid.

    Raises:
        DataError: no image, columns or captions of different lengths, or what cannot be drawn.
    """
    lengths = {len(captions), *map(len, columns.values())}
    if len(lengths) != 1:
        raise DataError(
            "a gallery has a caption for each image of each column",
            found=", ".join(map(str, sorted(lengths))),
            do="give as many of each",
        )
    drawn = [raster(images) for images in columns.values()]
    height, width = drawn[0].shape[1:3]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tiles = tuple(
        Tile(tuple(png(_small(picture(images[row]))) for images in drawn), size, tuple(caption))
        for row, caption in enumerate(captions)
    )
    return Gallery(tuple(columns), tiles, max(height, width) < STORED, note)


def _small(image: Image.Image) -> Image.Image:
    """At most `STORED` pixels wide and high."""
    image.thumbnail((STORED, STORED))
    return image
