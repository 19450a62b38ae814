"""The readers of arrays, which have an axis of images: one file, or a folder of such.

Each imports what it needs when it is asked to know or to read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import DataConfig
    from ..imageset import ImageSet


class Pickle:
    """Reads no pickles, which run code when they are loaded: refuses them, and folders of them, by name."""

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
    """Compressed arrays or Parquet, as the reader of what is within reads them; or a folder of these."""

    words = "arrays in .gz, .bz2, .xz or .zst"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it is inflated already
        from .compressed import compressed_folder, inner_name

        return compressed_folder(path) if path.is_dir() else inner_name(path.name) is not None

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .compressed import read_compressed

        return read_compressed(path, config)


class BinaryVersion:
    """CIFAR and STL-10 as files of bytes with the publisher's names: their folder, or one of them."""

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
    """A folder with files of arrays and no image: images, labels, parts."""

    words = "a folder of arrays"

    def knows(self, path: Path, start: bytes) -> bool:  # noqa: ARG002 - it has none
        from .array_files import array_names

        return path.is_dir() and bool(array_names(path))

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .array_files import read_array_folder

        return read_array_folder(path, config)


class Idx:
    """IDX files, as those of MNIST: images and the labels that go with them, or a folder of these."""

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


class Libsvm:
    """Lines with a label and numbered pixels: a file, or a folder of these."""

    words = "LIBSVM's text"

    def knows(self, path: Path, start: bytes) -> bool:
        from .libsvm import is_libsvm, libsvm_files

        return bool(libsvm_files(path)) if path.is_dir() else is_libsvm(start)

    def read(self, path: Path, config: "DataConfig") -> "ImageSet":
        from .libsvm import read_libsvm

        return read_libsvm(path, config)


NPY = ArrayFile(".npy", (".npy",), b"\x93NUMPY")
NPZ = ArrayFile(".npz", (".npz",))
HDF5 = ArrayFile("HDF5", (".h5", ".hdf5"), b"\x89HDF\r\n\x1a\n")
MATLAB = ArrayFile("MATLAB's .mat", (".mat",), b"MATLAB 5.0", b"MATLAB 7.3")
PICKLE, COMPRESSED, BINARY, ARRAY_FOLDER = Pickle(), Compressed(), BinaryVersion(), ArrayFolder()
IDX, LIBSVM = Idx(), Libsvm()
