"""Rows: the same images under each other, before and after a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..core.errors import DataError
from ..inference.image_files import Drawable
from .mosaic import Shown, Words, check_count, check_positive, draw_mosaic, shown
from .text import legible


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Rows of equally many images of one size; a column is one image in its several states.

    Args:
        names: one for each row.
        images: row after row.
        columns: how many images a row has.
        titles: one for each column, over the first row, or none.
        errors: one for each column, printed under it, or none.
        error_name: what the errors are, with their unit.
    """

    names: tuple[str, ...]
    images: Shown
    columns: int
    titles: tuple[str, ...] = ()
    errors: tuple[float, ...] = ()
    error_name: str = ""


def image_rows(
    rows: Mapping[str, Drawable],
    *,
    columns: int = 10,
    titles: Sequence[str] = (),
    errors: Sequence[float] = (),
    error_name: str = "",
) -> ImageRows:
    """The first `columns` images of each row, by the name of the row, in the order given.

    Raises:
        ConfigurationError: no column.
        DataError: no row, rows that do not match, or titles or errors that do not match the images.
    """
    check_positive("column", columns)
    drawn = {name: shown(images) for name, images in rows.items()}
    shapes = {name: images.shape for name, images in drawn.items()}
    if len(set(shapes.values())) != 1:
        raise DataError(
            "the rows of a figure must hold equally many images of one size",
            found=", ".join(f"{name}: {shape}" for name, shape in shapes.items()) or "no row",
            do="give each row the same images in another state",
        )
    images = len(next(iter(drawn.values())))
    if titles:
        check_count("title", len(titles), images, "image of a row")
    if len(errors):
        check_count("error", len(errors), images, "image of a row")
    return ImageRows(
        names=tuple(drawn),
        images=np.concatenate([images[:columns] for images in drawn.values()]),
        columns=min(columns, images),
        titles=tuple(titles[:columns]),
        errors=tuple(float(error) for error in errors[:columns]),
        error_name=error_name,
    )


def _numbers(errors: Sequence[float]) -> tuple[tuple[str, ...], str]:
    """Each short enough for a column, and their unit.

    Thousandths, where one is under a hundredth or all are under a tenth.
    """
    sizes = [abs(error) for error in errors if error]
    thousandths = bool(sizes) and (min(sizes) < 0.01 or max(sizes) < 0.1)
    shown = tuple(_number(1000 * error if thousandths else error) for error in errors)
    return shown, ", in thousandths" if thousandths else ""


def _number(error: float) -> str:
    """Two digits, more where the whole part has more, fewer under a hundredth."""
    if abs(error) >= 10:
        return f"{error:.0f}"
    return f"{error:.2g}" if abs(error) >= 0.01 else f"{error:.2f}"


def draw_rows(rows: ImageRows) -> Figure:
    numbers, unit = _numbers(rows.errors)
    words = Words(
        overhead=rows.titles,
        beside=tuple(legible(name) for name in rows.names),
        below=numbers,
        foot=rows.error_name + unit,
    )
    return draw_mosaic(rows.images, columns=rows.columns, words=words)
