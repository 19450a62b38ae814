"""Maps of codes as tables, a row an image, and read back to place other images on them.

Beside its rows a map keeps how it was made: the method, the seed, the weights that its codes are of, and the
plane where it is linear. CSV has no room for that, so nothing can be placed on such a map.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..core.errors import DataError, RunError
from ..core.types import CodeArray
from ..core.wording import option
from ..runs.directory import Run
from .maps import Linear, Projection
from .tables import CODE, Block, read_table, write_table

FORMATS: Final = (".parquet", ".csv", ".npz")


def write_map(
    path: Path,
    made: Projection,
    codes: CodeArray,
    points: np.ndarray,
    described: Block,
    *,
    force: bool = False,
    **about: Any,
) -> None:
    """Write a row for each of `codes`: what is known of the image, x, y and, but for CSV, the code.

    Args:
        made: the map that the points lie on.
        described: the columns before x and y.
        force: replace a file that is there.
        about: what is kept beside the rows, as JSON takes it.

    Raises:
        OutputError: the file is there, or cannot be written.
    """
    columns = {**described, "x": points[:, 0].astype(np.float32), "y": points[:, 1].astype(np.float32)}
    if path.suffix.casefold() != ".csv":
        columns[CODE] = codes
    if made.linear is not None:
        linear = made.linear
        about["linear"] = {
            "mean": linear.mean.tolist(),
            "axes": linear.axes.tolist(),
            "explained": list(linear.explained),
        }
    write_table(path, [columns], {"map": {"method": made.method, **about}}, force=force)


def read_map(path: Path, run: Run) -> Projection:
    """The map in a file, which codes of `run` can be placed on.

    Raises:
        DataError: no such file, or one that is no map with its codes.
        RunError: a map of other weights than the run's.
    """
    columns, about = read_table(path)
    kept = about.get("map")
    if not isinstance(kept, Mapping) or not {"x", "y", CODE} <= set(columns):
        raise DataError(
            "images are placed on a map that `latentspace map` wrote as .parquet or .npz",
            found=f"{path}, which is none",
            do="name another file, or make the map first",
        )
    if kept["codes_of"] != run.weights_hash:
        raise RunError(
            f"{path} must be a map of codes of {run.path}",
            found="a map of another run's codes",
            do=f"name the run that it was made of, or make a map of this one (without {option('onto')})",
        )
    linear = kept.get("linear")
    return Projection(
        method=str(kept["method"]),
        codes=columns[CODE].astype(np.float32),
        points=np.stack([columns["x"], columns["y"]], axis=1).astype(np.float32),
        linear=None
        if linear is None
        else Linear(np.array(linear["mean"]), np.array(linear["axes"]), tuple(linear["explained"])),
    )
