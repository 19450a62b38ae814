"""Grids of images decoded from codes, with the distribution that the codes were drawn from."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from ..inference.image_files import Drawable
from .mosaic import Shown, Words, check_count, check_positive, draw_mosaic, shown


@dataclass(frozen=True)
class Steps:
    """The values that one dimension of the code takes along a side of the grid."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Decoded images row by row.

    Args:
        images: as drawn.
        columns: how many a row holds.
        drawn_from: the distribution or the plane of the codes, a sentence; it stands over the images.
        across: what changes from column to column, or None where the codes are random.
        down: what changes from row to row, or None.
    """

    images: Shown
    columns: int
    drawn_from: str
    across: Steps | None = None
    down: Steps | None = None


def image_grid(
    images: Drawable,
    *,
    columns: int,
    drawn_from: str,
    across: Steps | None = None,
    down: Steps | None = None,
) -> ImageGrid:
    """The images for a grid, and the values along its sides where it is a walk over two dimensions.

    Raises:
        ConfigurationError: no column.
        DataError: values that do not match the columns or the rows.
    """
    check_positive("column", columns)
    grid = ImageGrid(shown(images), columns, drawn_from, across, down)
    if across is not None:
        check_count("value", len(across.values), columns, "column")
    if down is not None:
        check_count("value", len(down.values), -(-len(images) // columns), "row")
    return grid


def _values(steps: Steps | None) -> tuple[str, ...]:
    return (
        ()
        if steps is None
        else tuple(f"{value:.2g}".replace("-", "\N{MINUS SIGN}") for value in steps.values)
    )


def draw_grid(grid: ImageGrid) -> Figure:
    words = Words(
        heading=grid.drawn_from,
        beside=_values(grid.down),
        below=_values(grid.across),
        foot="" if grid.across is None else grid.across.name,
        side="" if grid.down is None else grid.down.name,
    )
    return draw_mosaic(grid.images, columns=grid.columns, words=words)
