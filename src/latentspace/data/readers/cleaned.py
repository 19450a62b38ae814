"""A table of which images of a source are kept: written by `latentspace doctor --fix`, read as the images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ...core.csv_text import cell, csv_text
from ...core.errors import DataError
from ...core.output_files import write_file
from ...core.wording import counted
from ..imageset import ImageSet
from .listed import noted
from .tables import Table, read_text, some, table_of

if TYPE_CHECKING:
    from ..config import DataConfig

HEADER: Final = ("name", "keep", "reason", "source")
KEEP, DROP = "keep", "drop"


def write_cleaned(
    path: Path,
    images: ImageSet,
    dropped: np.ndarray,
    reasons: Sequence[str],
    spec: str,
    *,
    force: bool = False,
) -> None:
    """Write a row for each image: its name, keep or drop, why, and the SPEC that it is of.

    Args:
        dropped: bool, one for each image.
        force: replace a file that is there.

    Raises:
        DataError: two images have one name, so that a row would not say which it means.
        OutputError: the file is there, or cannot be written.
    """
    names = tuple(map(cell, images.names))
    if len(set(names)) < len(names):
        raise DataError(
            "a cleaned table names images, so each must have a name of its own",
            found=f"{counted(len(names) - len(set(names)))} with the name of another",
            do="clean each source by itself",
        )
    said = (DROP if one else KEEP for one in dropped)
    table = csv_text([HEADER, *zip(names, said, reasons, [spec] * len(names), strict=True)])
    write_file(path, table, force=force)


def is_cleaned(start: bytes) -> bool:
    """Whether a file that begins so is such a table."""
    return start.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].strip() == ",".join(HEADER).encode()


def read_cleaned(path: Path, config: "DataConfig") -> ImageSet:
    """The images of the source that the table keeps, in the order of the source.

    Raises:
        DataError: the table names several sources, itself, or images that are not there; it keeps none.
    """
    from ..sources import read_source

    table = _table(path)
    sources = sorted({row[3] for row in table.rows})
    if len(sources) != 1 or Path(sources[0]).resolve() == path.resolve():
        raise DataError(
            f"{path} must name one source of images in its column {HEADER[3]!r}",
            found=some(sources),
            do="write it again: latentspace doctor DATA --fix OUT",
        )
    images = read_source(config.model_copy(update={"spec": sources[0]}))
    names = tuple(map(cell, images.names))
    kept = {row[0] for row in table.rows if row[1].strip() == KEEP}
    if lost := sorted({row[0] for row in table.rows} - set(names)):
        raise DataError(
            f"the images that {path} names must be those of {sources[0]}",
            found=f"{counted(len(lost), 'name')} that it does not have: {some(lost)}",
            do="read them as they were for the table, or write it again: latentspace doctor DATA --fix OUT",
        )
    rows = np.array([row for row, name in enumerate(names) if name in kept], dtype=np.int64)
    if not len(rows):
        raise DataError(f"{path} must keep an image", found="none", do=f"write {KEEP!r} where one is to stay")
    left = f"{counted(len(images) - len(rows))} of {len(images):,} left out, as {path.name} says"
    return noted(replace(images.subset(rows), comparable=False), left)


def _table(path: Path) -> Table:
    """Its rows. Raises: DataError: a row cut short, or one that says something else than keep or drop."""
    table = table_of(read_text(path), str(path)).headed()
    table.require_whole()
    if wrong := [row[1] for row in table.rows if row[1].strip() not in (KEEP, DROP)]:
        raise DataError(
            f"the column {HEADER[1]!r} of {path} says {KEEP} or {DROP}",
            found=some(wrong),
            do="mend these cells",
        )
    return table
