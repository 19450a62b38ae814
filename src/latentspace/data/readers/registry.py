"""The registry of readers: what knows a kind of file or folder, and makes an ImageSet of it."""

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


READERS: Registry[Reader] = Registry(
    "reader",
    {
        "pickle": f"{__package__}.array_readers:PICKLE",
        "compressed": f"{__package__}.array_readers:COMPRESSED",
        "npy": f"{__package__}.array_readers:NPY",
        "npz": f"{__package__}.array_readers:NPZ",
        "hdf5": f"{__package__}.array_readers:HDF5",
        "matlab": f"{__package__}.array_readers:MATLAB",
        "binary": f"{__package__}.array_readers:BINARY",
        "webdataset": f"{__package__}.image_readers:WEBDATASET",
        "archive": f"{__package__}.image_readers:ARCHIVE",
        "idx": f"{__package__}.array_readers:IDX",
        "array_folder": f"{__package__}.array_readers:ARRAY_FOLDER",
        "parquet": f"{__package__}.image_readers:PARQUET",
        "libsvm": f"{__package__}.array_readers:LIBSVM",
        "cleaned": f"{__package__}.image_readers:CLEANED",
        "table": f"{__package__}.image_readers:TEXT_TABLE",
        "pages": f"{__package__}.image_readers:PAGES",
        "folder": f"{__package__}.image_readers:FOLDER",
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
