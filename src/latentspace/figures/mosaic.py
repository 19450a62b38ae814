"""Many small images on one sheet, pixel for pixel."""

import math
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from ..core.errors import ConfigurationError, DataError
from ..inference.image_files import Drawable, raster
from .style import BODY, DPI, QUIET, SMALL, WIDTH, blank, styled
from .text import DRAWN, legible, text_width, wrapped

_Across: TypeAlias = Literal["left", "center", "right"]
_Down: TypeAlias = Literal["top", "center", "baseline", "center_baseline"]
# What is drawn: red, green and blue.
Shown: TypeAlias = UInt8[np.ndarray, "images shown_height shown_width 3"]

_GAP = round(0.04 * DPI)
_EDGE = round(0.03 * DPI)
_LARGEST = 0.75 * DPI  # no image is drawn larger than this
_SHARP = 3
_FRAME = 201  # grey of the hairline around each image, so that white images do not run into white paper


def shown(images: Drawable) -> Shown:
    """The images as red, green and blue.

    Raises:
        DataError: as `raster`.
    """
    drawn = raster(images)
    return np.repeat(drawn, 3, axis=3) if drawn.shape[3] == 1 else drawn


@dataclass(frozen=True)
class Layout:
    """Where everything is on the sheet, in the sheet's pixels from its upper left corner."""

    width: int
    height: int
    left: int
    top: int
    cell: tuple[int, int]  # height and width of an image as drawn
    step: tuple[int, int]  # from one image to the next: down, across
    rows: int
    columns: int

    def corner(self, index: int) -> tuple[int, int]:
        """The upper left corner of an image, within the block of images."""
        row, column = divmod(index, self.columns)
        return row * self.step[0], column * self.step[1]


def _scale(height: int, width: int, room: float, sharp: int) -> float:
    """How many of the sheet's pixels one pixel of the image gets: a whole number if squares show."""
    scale = min(room / width, _LARGEST / width, _LARGEST / height)
    return float(int(scale)) if scale >= sharp else scale


def _tiled(
    images: Shown, layout: Layout, sharp: int, empty: Container[int]
) -> UInt8[np.ndarray, "sheet_height sheet_width 3"]:
    """The block of images on white, each at the layout's size in a grey hairline."""
    down, across = layout.cell
    height = (layout.rows - 1) * layout.step[0] + down + 2
    width = (layout.columns - 1) * layout.step[1] + across + 2
    sheet = np.full((height, width, 3), 255, dtype=np.uint8)
    squares = down >= sharp * images.shape[1]
    resampling = Image.Resampling.NEAREST if squares else Image.Resampling.LANCZOS
    for index, image in enumerate(images):
        if index in empty:
            continue
        y, x = layout.corner(index)
        drawn = np.asarray(Image.fromarray(image).resize((across, down), resampling))
        sheet[y : y + down + 2, x : x + across + 2] = _FRAME
        sheet[y + 1 : y + 1 + down, x + 1 : x + 1 + across] = drawn
    return sheet


def _line(points: float) -> int:
    """The height of a line of text with its leading, in the sheet's pixels."""
    return round(points / 72 * DPI * 1.3)


@dataclass(frozen=True)
class Words:
    """The text around the images: a heading on top, a foot at the bottom, and lines at the images.

    Args:
        above: one text for each image, over it.
        overhead: one text for each column, over the first row.
        beside: one text for each row, left of it.
        below: one text for each column, under the last row.
        heading: wrapped over the whole width.
        foot: says what `below` is.
        side: says what `beside` is, written upwards.
    """

    above: tuple[str, ...] = ()
    overhead: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    heading: str = ""
    foot: str = ""
    side: str = ""


def _planned(images: Shown, columns: int, words: Words, sharp: int) -> tuple[Layout, str, str]:
    """The layout, and the heading and the foot as they break over its width."""
    _, height, width, _ = images.shape
    rows = -(-len(images) // columns)
    left = _EDGE + (_line(SMALL) if words.side else 0)
    if words.beside:
        left += round(max(text_width(name, SMALL) for name in words.beside) * DPI * DRAWN) + _GAP
    room = (WIDTH * DPI - left - _EDGE - (columns - 1) * _GAP) / columns
    scale = _scale(height, width, room, sharp)
    cell = max(1, round(height * scale)), max(1, round(width * scale))
    step = cell[0] + _GAP + (_line(SMALL) if words.above else 0), cell[1] + _GAP
    block = (columns - 1) * step[1] + cell[1] + 2
    # a narrow sheet grows for its words, up to a point; beyond it they break
    heading_needs = 2 * _EDGE + min(text_width(words.heading, BODY) * DRAWN, 3.0) * DPI
    foot_needs = left + _EDGE + min(text_width(words.foot, SMALL) * DRAWN, 3.0) * DPI
    sheet = math.ceil(max(left + block + _EDGE, heading_needs, foot_needs))
    heading = wrapped(words.heading, (sheet - 2 * _EDGE) / DPI, BODY)
    foot = wrapped(words.foot, (sheet - left - _EDGE) / DPI, SMALL)
    top = _EDGE + (_line(SMALL) if words.above or words.overhead else 0)
    top += len(heading.splitlines()) * _line(BODY) + (_GAP if heading else 0)
    under = (_line(SMALL) if words.below else 0) + len(foot.splitlines()) * _line(SMALL)
    total = top + (rows - 1) * step[0] + cell[0] + 2 + under + (_GAP // 2 if under else 0) + _EDGE
    return Layout(sheet, total, left, top, cell, step, rows, columns), heading, foot


def _write(figure: Figure, layout: Layout, words: Words, heading: str, foot: str) -> None:
    """The words, each at its place; where a text is wider than its column, it is cut short."""
    down, across = layout.cell
    bottom = layout.top + (layout.rows - 1) * layout.step[0] + down + 2 + _GAP // 2

    def put(
        x: int | float, y: int | float, text: str, *, ha: _Across, va: _Down, size: float = SMALL
    ) -> Text:
        spot = x / layout.width, 1 - y / layout.height
        return figure.text(*spot, text, size=size, ha=ha, va=va, linespacing=1.15)

    put(_EDGE, _EDGE, heading, ha="left", va="top", size=BODY)
    for index, text in enumerate(words.above or words.overhead):
        y, x = layout.corner(index)
        baseline = layout.top + y - 0.3 * _line(SMALL)
        line = _fitting(text, layout.step[1] / DPI)
        put(layout.left + x + across / 2, baseline, line, ha="center", va="baseline")
    for row, text in enumerate(words.beside):
        middle = layout.top + row * layout.step[0] + down / 2
        put(layout.left - _GAP, middle, text, ha="right", va="center_baseline")
    for column, text in enumerate(words.below):
        centre = layout.left + column * layout.step[1] + across / 2
        put(centre, bottom, _fitting(text, layout.step[1] / DPI), ha="center", va="top")
    foot_top = bottom + (_line(SMALL) if words.below else 0)
    put(layout.left, foot_top, foot, ha="left", va="top").set_color(QUIET)
    side = put(_EDGE, (layout.top + bottom) / 2, words.side, ha="left", va="center")
    side.set(rotation=90, color=QUIET)


def _fitting(text: str, width: float) -> str:
    """The text, cut until it fits into `width` inches."""
    limit = len(text)
    line = legible(text, limit=max(limit, 1))
    while limit > 2 and text_width(line, SMALL) > width:
        limit -= 1
        line = legible(text, limit=limit)
    return line


def draw_mosaic(
    images: Shown, *, columns: int, words: Words, sharp: int = _SHARP, empty: Container[int] = ()
) -> Figure:
    """All images, row by row; the sheet is as wide as it needs to be, up to a column of print.

    Args:
        sharp: from so many of the sheet's pixels for one of the image's, pixels are drawn as squares.
        empty: the places that hold no image.
    """
    with styled():
        layout, heading, foot = _planned(images, columns, words, sharp)
        figure = blank(layout.width / DPI, layout.height / DPI)
        block = _tiled(images, layout, sharp, empty)
        box = (
            layout.left / layout.width,
            1 - (layout.top + block.shape[0]) / layout.height,
            block.shape[1] / layout.width,
            block.shape[0] / layout.height,
        )
        axes = figure.add_axes(box)
        axes.imshow(block, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        _write(figure, layout, words, heading, foot)
    return figure


def check_positive(what: str, number: int) -> None:
    """Raise a ConfigurationError unless a figure of images has at least one of `what`."""
    if number < 1:
        raise ConfigurationError(
            f"a figure of images has at least one {what}", found=f"{number}", do="ask for one or more"
        )


def check_count(what: str, found: int, wanted: int, of: str) -> None:
    """Raise a DataError unless as many were found as are wanted: one `what` for each `of`."""
    if found != wanted:
        raise DataError(
            f"there must be one {what} for each {of}",
            found=f"{found} for {wanted}",
            do="give as many of one as of the other",
        )
