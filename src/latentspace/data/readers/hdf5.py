"""HDF5: the datasets of a file, in all its groups. Links to other files are not followed.

`MATLAB 7.3` files are HDF5 too; their axes are in the other order, and `matlab` turns them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from ..cleaning import sentence
from ..config import DataConfig
from ..memmap import Residence, allocate_on_disk, mapped, stays_on_disk
from .apart import ApartError, read_apart
from .chosen import Stored
from .filenames import readable
from .streams import DEFLATE_AT_BEST

logger = logging.getLogger(__name__)

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
DEEPEST: Final = 8  # groups in groups
MOST: Final = 10_000  # datasets
_STEP: Final = 64 << 20  # bytes read at a time
# What h5py raises on files that are damaged.
_BROKEN = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError)


def hdf5_arrays(path: Path, config: DataConfig) -> list[Stored]:
    """The datasets of the file by their paths, of which nothing is read yet.

    Raises:
        DataError: no HDF5 file, a damaged one, or h5py is not installed.
    """
    with opened(path) as file:
        if elsewhere := _elsewhere(file):
            logger.warning("not read, as it lies in another file: %s of %s", sentence(elsewhere), path)
        return [_stored(name, one, path, config.resident) for name, one in datasets(file)]


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file, open to be read; what is wrong inside the block is an error that names it."""
    try:
        import h5py
    except ImportError as error:
        raise DataError(
            f"to read {path}, h5py must be installed",
            found="an HDF5 file, and no h5py",
            do="pip install 'latentspace[hdf5]', or save numpy.savez(path, images=..., labels=...) with it",
        ) from error
    with readable(path), path.open("rb"):
        pass
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(
            f"{path} must be a whole HDF5 file",
            found=f"{str(error) or type(error).__name__}; {path.stat().st_size:,} bytes",
            do="fetch or save it again: it is damaged, or not all of it is there",
        ) from error


def datasets(group: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The datasets in a group and those below it by their names, without links to other places and files."""
    import h5py

    if depth > DEEPEST:
        return
    for number, name in enumerate(group):
        if number >= MOST:
            return
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        one = group[name]
        if isinstance(one, h5py.Group) and name != "#refs#":
            yield from datasets(one, f"{prefix}{name}/", depth + 1)
        elif isinstance(one, h5py.Dataset) and one.shape is not None and not (one.external or one.is_virtual):
            yield f"{prefix}{name}", one


def _elsewhere(group: Any) -> list[str]:
    """The names at the top of a file whose values lie in other files."""
    import h5py

    links = {name: group.get(name, getlink=True) for name in islice(group, MOST)}
    own = {name: group[name] for name, link in links.items() if isinstance(link, h5py.HardLink)}
    arrays = {name: one for name, one in own.items() if isinstance(one, h5py.Dataset)}
    virtual = [name for name, one in arrays.items() if one.external or one.is_virtual]
    return virtual + [name for name, link in links.items() if isinstance(link, h5py.ExternalLink)]


def _stored(name: str, one: Any, path: Path, resident: Residence) -> Stored:
    """A dataset, read when it is wanted; text of any length becomes NumPy's."""
    import h5py

    text = h5py.check_string_dtype(one.dtype) is not None
    inner = one.name

    def read() -> np.ndarray:
        with opened(path) as file:
            return content(file[inner], path, resident)

    return Stored(name, tuple(one.shape), np.dtype("U1") if text else one.dtype, read)


def content(one: Any, path: Path, resident: Residence) -> np.ndarray:
    """All values of a dataset; bytes may stay on disk.

    Raises:
        DataError: it declares more than the file can hold.
    """
    import h5py

    size = int(np.prod(one.shape, dtype=object)) * one.dtype.itemsize
    if size > one.id.get_storage_size() * DEFLATE_AT_BEST + 4096 or 0 in one.shape:
        raise DataError(
            f"{path} ({one.name}) must hold the values that it declares",
            found=f"{size:,} bytes declared, {one.id.get_storage_size():,} there",
            do="fetch or save it again",
        )
    if h5py.check_string_dtype(one.dtype) is not None:
        try:
            return read_apart("texts", path, [one.name])[1]
        except ApartError as error:
            raise OSError(str(error)) from error
    if one.dtype != np.uint8 or not one.ndim or not stays_on_disk(size, resident):
        return np.asarray(one[...])
    if one.id.get_offset() is not None and not one.chunks:
        return mapped(path, one.id.get_offset(), one.shape)
    whole = allocate_on_disk(one.shape)
    step = max(1, _STEP // max(1, size // one.shape[0]))
    for start in range(0, one.shape[0], step):
        whole[start : start + step] = one[start : start + step]
    return whole
