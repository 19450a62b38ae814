"""MATLAB's cells of images, which may have sizes of their own, with what stands beside them.

`apart_process` and `matlab` hand them over as the numbers of all cells in a row (`name{}`), beside their
shapes (`name{shapes}`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..config import DataConfig
from ..imageset import ImageSet
from .apart_process import CELLS, SHAPES
from .chosen import Stored
from .encoded_hdf5 import images_of_columns
from .raw_images import picture_of
from .reading import Content

_SOURCE: Final = "a MATLAB file of cells"


def images_of_cells(path: Path, arrays: Sequence[Stored], config: DataConfig) -> ImageSet | None:
    """The images in the cells of the file at `path`; None where there are none.

    Raises:
        DataError: labels that do not fit, or several sets of images.
    """
    named = {one.name: one for one in arrays}
    flat = [name for name in named if name.endswith(CELLS)]
    contents = {
        name.removesuffix(CELLS): _pictures(
            named[name].read(), named[name.removesuffix(CELLS) + SHAPES].read()
        )
        for name in flat
        if name.removesuffix(CELLS) + SHAPES in named
    }
    if not contents:
        return None
    beside = [one for one in arrays if not one.name.endswith((CELLS, SHAPES))]
    kind = np.dtype(np.uint8)
    columns = [Stored(name, (len(one),), kind, lambda: np.zeros(0)) for name, one in contents.items()]
    return images_of_columns(path, contents, [*columns, *beside], config, _SOURCE)


def _pictures(values: np.ndarray, shapes: np.ndarray) -> list[Content]:
    ends = np.cumsum(shapes.prod(axis=1))
    pictures: list[Content] = []
    for end, shape in zip(ends.tolist(), shapes.tolist(), strict=True):
        cell = values[end - int(np.prod(shape)) : end].reshape(shape)
        pictures.append(picture_of(cell[..., 0] if shape[2] == 1 else cell) or b"")
    return pictures
