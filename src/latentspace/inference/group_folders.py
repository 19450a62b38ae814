"""Images sorted into folders: linked or copied where they are files, else written as PNG."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from ..core.atomic_files import make_folder, new_folder, refusals, write_bytes
from ..core.output_files import made_folder
from ..core.progress import told
from ..core.types import Int64Array
from ..core.wording import numerals
from ..data.imageset import ImageSet
from .denoise import png_names
from .image_files import picture, png, raster


def write_groups(
    images: ImageSet,
    groups: Int64Array,
    folder: Path,
    source: Path | None,
    *,
    copy: bool = False,
    force: bool = False,
) -> int:
    """A new folder with a folder for each group; how many images are links.

    Args:
        groups: of each image, counted from 0.
        source: the folder that the images' names are relative to, where it is one.
        copy: whether their files are copied.
        force: as `made_folder` takes it.

    Raises:
        OutputError: something is at `folder` already, or it cannot be written.
    """
    places = [f"group-{number}" for number in numerals(int(groups.max()) + 1, 2)]
    rows = np.arange(len(images))
    with made_folder(folder, force=force) as made:
        return _write(images, rows, made, source, lambda row: places[groups[row]], copy=copy)


def copy_images(images: ImageSet, rows: Int64Array, folder: Path, source: Path | None) -> None:
    """A new folder with some of the images: copies of their files, under the same names, or PNG.

    Args:
        source: as `write_groups` takes it.

    Raises:
        OutputError: something is at `folder` already, or it cannot be written.
    """
    with new_folder(folder) as made:
        _write(images, rows, made, source, lambda _: "", copy=True)


def _write(
    images: ImageSet,
    rows: Int64Array,
    made: Path,
    source: Path | None,
    below: Callable[[int], str],
    *,
    copy: bool,
) -> int:
    """An image for each row into the folder `made`, each `below` a folder of it; how many are links."""
    names = tuple(images.names_of(rows))
    files, pngs = _files(names, source), png_names(names)
    linked = 0
    for at in told(range(len(rows)), "images put into folders"):
        row, file = int(rows[at]), files[at]
        place = made / below(row) / (pngs[at] if file is None else names[at])
        make_folder(place.parent)
        with refusals(place):
            if file is None:
                write_bytes(place, png(picture(raster(images.pixels[row : row + 1])[0])))
            elif copy:
                shutil.copyfile(file, place)
            else:
                place.symlink_to(file)
                linked += 1
    return linked


def _files(names: Sequence[str], source: Path | None) -> list[Path | None]:
    """The file of each image, in full; None where it is none below `source`, or has several images."""
    if source is None or not source.is_dir() or len(set(names)) < len(names):
        return [None] * len(names)
    root = source.resolve()
    found = [root / name if _below(PurePosixPath(name)) else None for name in names]
    return [one if one is not None and one.is_file() else None for one in found]


def _below(name: PurePosixPath) -> bool:
    return not name.is_absolute() and ".." not in name.parts
