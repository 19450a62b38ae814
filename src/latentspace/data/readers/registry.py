"""The registry of readers: what knows a kind of file or folder, and makes an ImageSet of it.

Each imports what it needs when it is asked to know or to read.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ...core.registry import Registry

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..imageset import ImageSet

WORTH_FILES = 1_000  # a folder of fewer is read as fast as it is recalled
WORTH_BYTES = 2**22
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", *(f".tar.{end}" for end in ("gz", "bz2", "xz", "zst")))


@runtime_checkable
class Reader(Protocol):
    """What knows and reads one format."""

    @property
    def words(self) -> str:
        """What it reads, for a person: ".npy"."""

    def knows(self, path: Path, start: bytes) -> bool:
        """Whether this reader takes what lies at `path`. The first that does reads it.

        Args:
            start: the first 512 bytes of a file, inflated where they are compressed; none of a folder.
        """

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        """The images, before they are resized.

        Raises:
            DataError: they cannot be read; names the file and what to do.
        """


class Pickle:
    words = ""  # it reads none: what is one is refused by name

    def knows(self, path: Path, start: bytes) -> bool:
        from .pickles import folder_of_pickles, is_pickle

        if path.is_dir():
            return folder_of_pickles(path) is not None
        return is_pickle(path.name, start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":  # noqa: ARG002 - none is read
        from .file_sets import files_in
        from .pickles import folder_of_pickles, refused

        folder = folder_of_pickles(path) if path.is_dir() else None
        raise refused(path, files_in(folder).names if folder else (path.name,))


class ArrayFile:
    """A file of arrays, known by its ending or its first bytes."""

    def __init__(self, words: str, suffixes: tuple[str, ...], *starts: bytes) -> None:
        self.words = words
        self.suffixes = suffixes
        self.starts = starts

    def knows(self, path: Path, start: bytes) -> bool:
        named = path.is_file() and path.name.casefold().endswith(self.suffixes)
        return named or (bool(self.starts) and start.startswith(self.starts))

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .array_files import read_array_file

        return read_array_file(path, config, self.suffixes[0])


class Compressed:
    words = "arrays in .gz, .bz2, .xz or .zst"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it is inflated already
        from .compressed import compressed_folder, inner_name

        return compressed_folder(path) if path.is_dir() else inner_name(path.name) is not None

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .compressed import read_compressed

        return read_compressed(path, config)


class BinaryVersion:
    words = "the binary versions of CIFAR and STL-10"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it has no mark
        from .cifar import cifar_folder
        from .stl10 import stl10_folder

        return (cifar_folder(path) or stl10_folder(path)) is not None

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .cifar import cifar_folder, read_cifar
        from .stl10 import read_stl10

        return read_cifar(path, config.label) if cifar_folder(path) else read_stl10(path, config)


class ArrayFolder:
    words = "a folder of arrays"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it has none
        from .array_files import array_names

        return path.is_dir() and bool(array_names(path))

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .array_files import read_array_folder

        return read_array_folder(path, config)


class WebDataset:
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


class Idx:
    words = "IDX files, plain or compressed"

    def knows(self, path: Path, start: bytes) -> bool:
        from .idx import is_idx_header, is_idx_name
        from .idx_sets import idx_folder

        if path.is_dir():
            return idx_folder(path) is not None
        return is_idx_name(path.name.casefold()) or is_idx_header(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .idx_sets import read_idx_files

        return read_idx_files(path, config)


class Parquet:
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


class Libsvm:
    words = "LIBSVM's text"

    def knows(self, path: Path, start: bytes) -> bool:
        from .libsvm import is_libsvm, libsvm_files

        return bool(libsvm_files(path)) if path.is_dir() else is_libsvm(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .libsvm import read_libsvm

        return read_libsvm(path, config)


class Cleaned:
    words = ""  # it reads what another reader does, without what the table drops

    def knows(self, path: Path, start: bytes) -> bool:
        from .cleaned import is_cleaned

        return path.is_file() and is_cleaned(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .cleaned import read_cleaned

        return read_cleaned(path, config)


class TextTable:
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


class Folder:
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


NPY = ArrayFile(".npy", (".npy",), b"\x93NUMPY")
NPZ = ArrayFile(".npz", (".npz",))
HDF5 = ArrayFile("HDF5", (".h5", ".hdf5"), b"\x89HDF\r\n\x1a\n")
MATLAB = ArrayFile("MATLAB's .mat", (".mat",), b"MATLAB 5.0", b"MATLAB 7.3")
PICKLE, COMPRESSED, BINARY, ARRAY_FOLDER = Pickle(), Compressed(), BinaryVersion(), ArrayFolder()
WEBDATASET, ARCHIVE, IDX, FOLDER = WebDataset(), Archive(), Idx(), Folder()
PARQUET, LIBSVM, CLEANED, TEXT_TABLE = Parquet(), Libsvm(), Cleaned(), TextTable()

READERS: Registry[Reader] = Registry(
    "reader",
    {
        "pickle": f"{__name__}:PICKLE",
        "compressed": f"{__name__}:COMPRESSED",
        "npy": f"{__name__}:NPY",
        "npz": f"{__name__}:NPZ",
        "hdf5": f"{__name__}:HDF5",
        "matlab": f"{__name__}:MATLAB",
        "binary": f"{__name__}:BINARY",
        "webdataset": f"{__name__}:WEBDATASET",
        "archive": f"{__name__}:ARCHIVE",
        "idx": f"{__name__}:IDX",
        "array_folder": f"{__name__}:ARRAY_FOLDER",
        "parquet": f"{__name__}:PARQUET",
        "libsvm": f"{__name__}:LIBSVM",
        "cleaned": f"{__name__}:CLEANED",
        "table": f"{__name__}:TEXT_TABLE",
        "pages": f"{__package__}.paged:PAGES",
        "folder": f"{__name__}:FOLDER",
    },
)


def reader_of(path: Path) -> Reader | None:
    """The first reader that knows the file or the folder.

    Raises:
        DataError: it cannot be opened.
    """
    from .file_sets import listed_once
    from .filenames import readable
    from .streams import start_of

    with readable(path), listed_once():
        start = b"" if path.is_dir() else start_of(path)
        return next((reader for reader in READERS.values() if reader.knows(path, start)), None)
