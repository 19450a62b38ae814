"""Python pickles, which are refused: to load one is to run what it says.

Known by their names and first bytes: the Python version of CIFAR, `mnist.pkl.gz`, PyTorch's .pt, joblib's.
"""

import re
from pathlib import Path
from typing import Final

from ...core.errors import DataError
from .file_sets import folder_that_holds
from .filenames import is_named_as_image
from .idx import is_idx_name

_ENDINGS: Final = re.compile(r"\.(pkl|pickle|pck|pt|pth|joblib)(\.(gz|bz2|xz))?$", re.IGNORECASE)
_CIFAR: Final = re.compile(r"(data_batch_[0-9]+|test_batch|batches\.meta)")
_CIFAR_100: Final = ("meta", "test", "train")
_HUNDRED_ALONE: Final = tuple((name,) for name in _CIFAR_100)  # named itself
_OTHERS: Final = (".npy", ".npz", ".h5", ".hdf5", ".mat", ".bin", ".csv", ".parquet")
BINARY: Final = "fetch the binary version, which is read: cifar-10-binary.tar.gz, or cifar-100-binary.tar.gz"
SAVE: Final = (
    "if you trust it, open it in Python and save the arrays: numpy.savez(path, images=..., labels=...)"
)


def is_pickle(name: str, start: bytes) -> bool:
    """Whether a file of this name, or one that begins so, is a pickle (protocols 2 to 5)."""
    marked = len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5
    return marked or bool(_ENDINGS.search(name) or _CIFAR.fullmatch(name))


def are_pickles(names: tuple[str, ...]) -> bool:
    """Whether files of these names are pickles and nothing else that can be read."""
    if any(is_named_as_image(one) or is_idx_name(one) or one.endswith(_OTHERS) for one in names):
        return False
    cifar = any(map(_CIFAR.fullmatch, names)) or all(one in names for one in _CIFAR_100)
    return cifar or any(map(_ENDINGS.search, names))


def folder_of_pickles(folder: Path) -> Path | None:
    """`folder`, or the one below it that holds pickles and nothing that can be read; else None."""
    return folder_that_holds(folder, lambda files: are_pickles(files.names))


def refused(path: Path, names: tuple[str, ...]) -> DataError:
    """The error for what lies at `path`, which has these names in it."""
    cifar = any(map(_CIFAR.fullmatch, names)) or {*names} >= {*_CIFAR_100} or names[:1] in _HUNDRED_ALONE
    return DataError(
        f"{path} must hold images without Python pickles",
        found=f"{'the Python version of CIFAR: ' if cifar else ''}a pickle, which runs code when loaded "
        f"({', '.join(names[:3])})",
        do=BINARY if cifar else SAVE,
    )
