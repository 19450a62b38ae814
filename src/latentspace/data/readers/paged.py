"""The reader of one file of several pages, which loads what it needs when it is asked."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..imageset import ImageSet


class Pages:
    """One TIFF or GIF file whose pages or frames are the images."""

    words = "a file of several pages or frames (TIFF, GIF)"

    def knows(self, path: Path, start: bytes) -> bool:
        from .pages import has_pages

        return path.is_file() and has_pages(path, start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .pages import read_pages

        return read_pages(path, config)


PAGES = Pages()
