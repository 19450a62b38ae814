"""The readers of places with many images, each of its own: folders, archives, tars, tables and Parquet.

Each imports what it needs when it is asked to know or to read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from .registry import ARCHIVES, WORTH_BYTES, WORTH_FILES

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..imageset import ImageSet


class WebDataset:
    """Tars whose members of one name are an image and its label: one, or a folder of shards."""

    words = "WebDataset tars"

    def knows(self, path: Path, start: bytes) -> bool:
        from .webdataset import is_tar_name, is_webdataset, shards_in

        if path.is_dir():
            return bool(shards_in(path))
        return (start[257:262] == b"ustar" or is_tar_name(path.name)) and is_webdataset(path)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .webdataset import read_webdataset, shards_in

        return read_webdataset(shards_in(path) if path.is_dir() else [path], path, config)


class Archive:
    """A zip or a tar: images in folders, or arrays and tables, with the labels beside it."""

    words = "a zip, or a tar (plain, .gz, .bz2, .xz or .zst)"

    def knows(self, path: Path, start: bytes) -> bool:
        from zipfile import is_zipfile

        from .idx import is_idx_name
        from .streams import is_compressed

        name = path.name.casefold()
        if path.is_dir() or is_idx_name(name):
            return False
        damaged = is_compressed(start)  # else it would be inflated
        zipped = start[:2] == b"PK" or (start[:2] == b"MZ" and is_zipfile(path))  # which unpacks itself
        return name.endswith(ARCHIVES) or zipped or start[257:262] == b"ustar" or damaged

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from ..kept import kept_images
        from .filenames import readable
        from .places import stamp_of
        from .sidecar import with_beside

        with readable(path):
            about = path.stat()
        images = kept_images(
            path,
            stamp_of(about),
            config,
            lambda: self._read(path, config),
            worth=about.st_size >= WORTH_BYTES,
            again=lambda: stamp_of(path.stat()),
        )
        return with_beside(path, images, config.label)

    def _read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from ..catalog import notmnist
        from .archives import read_archive
        from .folders import set_of
        from .inside import read_inside
        from .members_beside import with_members

        identity = notmnist.identity_of(path)
        if (size := notmnist.published(identity)) is not None:
            return notmnist.load_archive(path, size, config.resident)
        if (inside := read_inside(path, config)) is not None:
            return inside
        if (images := notmnist.remembered(identity, config.resident)) is not None:
            return images
        found = read_archive(path, config)
        return with_members(path, set_of(found, identity=identity, what="an archive"), found.beside, config)


class Parquet:
    """Rows with an image each: a file of Parquet or Arrow, or a folder of shards."""

    words = "Parquet or Arrow (Feather), a file or a folder of shards"

    def knows(self, path: Path, start: bytes) -> bool:
        from .column_files import is_column_file, is_column_name
        from .parquet import parquet_files

        if path.is_dir():
            return bool(parquet_files(path))
        return is_column_file(start) or is_column_name(path.name)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .parquet import parquet_files, read_parquet

        return read_parquet(parquet_files(path) if path.is_dir() else [path], path, config)


class Cleaned:
    """A table of which images of a source are kept, as `doctor --fix` writes it: those of that source."""

    words = ""  # it reads what another reader does, without what the table drops

    def knows(self, path: Path, start: bytes) -> bool:
        from .cleaned import is_cleaned

        return path.is_file() and is_cleaned(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .cleaned import read_cleaned

        return read_cleaned(path, config)


class TextTable:
    """Text with a row for each image: its pixels or its path; or a folder of tables of pixels."""

    words = "a table of pixels or of paths (CSV, TSV, JSON Lines), a text file of paths"

    def knows(self, path: Path, start: bytes) -> bool:
        from .pixel_layout import is_numbers, pixel_tables
        from .tables import LISTS, TABLES

        if path.is_dir():
            return bool(pixel_tables(path))
        return path.name.casefold().endswith((*TABLES, *LISTS, ".json")) or is_numbers(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .file_tables import read_file_table, read_list
        from .pixel_layout import layout_of, pixel_tables
        from .pixel_tables import read_pixel_table, read_pixel_tables
        from .tables import LISTS

        if path.is_dir():
            return read_pixel_tables(path, pixel_tables(path), config)
        if layout_of(path, config.label):
            return read_pixel_table(path, config)
        return (read_list if path.name.casefold().endswith(LISTS) else read_file_table)(path, config)


class Pages:
    """One TIFF or GIF file whose pages or frames are the images."""

    words = "a file of several pages or frames (TIFF, GIF)"

    def knows(self, path: Path, start: bytes) -> bool:
        from .pages import has_pages

        return path.is_file() and has_pages(path, start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .pages import read_pages

        return read_pages(path, config)


class Folder:
    """A folder of image files, flat or with class folders, with the tables and lists beside them."""

    words = "a folder of images or of class folders"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it has none
        return path.is_dir()

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from ..catalog import notmnist
        from ..kept import kept_images
        from .folders import list_folder, read_listing, set_of
        from .lists_beside import beside_tables, with_what_is_beside
        from .sidecar import with_sidecar

        listing = list_folder(path)
        images = notmnist.remembered(listing.identity, config.resident) or kept_images(
            path,
            listing.identity,
            config,
            lambda: set_of(read_listing(listing, config), identity=listing.identity, what="a folder"),
            worth=len(listing) >= WORTH_FILES,
            again=lambda: list_folder(path).identity,
        )
        beside = (listing.root, listing.passed_over)
        images, used = with_sidecar(images, *beside, config.label)
        images, others = with_what_is_beside(images, *beside, config)
        listing.tell((*used, *others))
        return beside_tables(images, *beside)


WEBDATASET, ARCHIVE, PARQUET = WebDataset(), Archive(), Parquet()
CLEANED, TEXT_TABLE, PAGES, FOLDER = Cleaned(), TextTable(), Pages(), Folder()
