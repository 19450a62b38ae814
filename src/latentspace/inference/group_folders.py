"""Images sorted into folders: linked or copied where they are files, else written as PNG."""

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from ..core.atomic_files import make_folder, new_folder, refusals, write_bytes
from ..core.progress import told
from ..core.types import Int64Array
from ..data.imageset import ImageSet
from .denoise import png_names
from .image_files import picture, png, raster


def group_names(count: int) -> tuple[str, ...]:
    """group-01, group-02, ...: as many digits as are needed, two at least."""
    digits = max(2, len(str(count)))
    return tuple(f"group-{number:0{digits}}" for number in range(1, count + 1))


def write_groups(
    images: ImageSet, groups: Int64Array, folder: Path, source: Path | None, *, copy: bool = False
) -> int:
    """A new folder with a folder for each group; how many images are links.

    Args:
        groups: of each image, counted from 0.
        source: the folder that the images' names are relative to, where it is one.
        copy: whether their files are copied.

    Raises:
        OutputError: something is at `folder` already, or it cannot be written.
    """
    files = _files(images.names, source)
    pngs = png_names(images.names)
    places = group_names(int(groups.max()) + 1)
    linked = 0
    with new_folder(folder) as made:
        for row in told(range(len(images)), "images put into folders"):
            file = files[row]
            place = made / places[groups[row]] / (pngs[row] if file is None else images.names[row])
            make_folder(place.parent)
            with refusals(place):
                if file is None:
                    write_bytes(place, png(picture(raster(images.pixels[np.array([row])])[0])))
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
