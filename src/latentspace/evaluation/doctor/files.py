"""What the files of a set say of themselves: size, type, bytes, day; read from their headers alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from ...core.progress import told
from ...core.types import Int64Array
from ...data.imageset import ImageSet

TRIED: Final = 20  # files that must be there, else the set does not lie in files


@dataclass(frozen=True, eq=False)
class FileFacts:
    """One number for each image, in the order of the set.

    Args:
        heights, widths: in pixels, before images were brought to one size.
        sizes: in bytes.
        days: of the last change, counted from 1970.
        types: indices of `type_names`.
    """

    heights: Int64Array
    widths: Int64Array
    sizes: Int64Array
    days: Int64Array
    types: Int64Array
    type_names: tuple[str, ...]


def file_facts(spec: str, images: ImageSet) -> FileFacts | None:
    """Of a folder of image files, or of a table that lies beside them; None of other sets."""
    try:
        folder = Path(spec)
        folder = folder if folder.is_dir() else folder.parent
        if images.files is None or not all((folder / one).is_file() for one in _some(images)):
            return None
    except (OSError, ValueError):
        return None
    names: dict[str, int] = {}
    rows = np.zeros((len(images), 5), dtype=np.int64)
    for row, name in enumerate(told(images.names, "headers read")):
        path = folder / name
        try:
            about = path.stat()
            with Image.open(path) as header:
                (width, height), kind = header.size, f"{header.format} {header.mode}"
        except Exception:  # noqa: BLE001 - Pillow raises many kinds; the image itself was read by another way
            return None
        day = int(about.st_mtime // 86_400)
        rows[row] = height, width, about.st_size, day, names.setdefault(kind, len(names))
    heights, widths, sizes, days, types = np.ascontiguousarray(rows.T)
    return FileFacts(heights, widths, sizes, days, types, tuple(names))


def _some(images: ImageSet) -> tuple[str, ...]:
    places = np.unique(np.linspace(0, len(images) - 1, TRIED).astype(np.int64))
    return images.names_of(places)
