"""Files of named arrays (.npy, .npz, HDF5, MATLAB), alone or several in a folder.

In a folder the arrays are those of all files: `X_train.npy` beside `y_train.npy`, `train.npz` beside
`test.npz`, `..._train_x.h5` beside `..._train_y.h5`. Where no name says what is in them, each file is a
class, named by the file (`full_numpy_bitmap_cat.npy` is Quick Draw's cat), or an image, where each holds one.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .array_names import taken_apart
from .arrays import npy_arrays, npz_arrays
from .chosen import Stored
from .class_arrays import each_by_its_name, is_image, one_class_each, one_image_each, parts_in
from .file_sets import files_in, sets_below
from .filenames import is_named_as_image, natural_order
from .hdf5 import hdf5_arrays
from .matlab import matlab_arrays
from .matlab_cells import images_of_cells
from .stored import images_of

logger = logging.getLogger(__name__)

_QUICK_DRAW: Final = "full_numpy_bitmap_"
_READ: Final[dict[str, tuple[str, Callable[[Path, DataConfig], list[Stored]]]]] = {
    ".npy": ("a NumPy array (.npy)", lambda path, config: npy_arrays(path, "images", config.resident)),
    ".npz": ("NumPy arrays (.npz)", lambda path, config: npz_arrays(path, config.resident)),
    ".h5": ("an HDF5 file", hdf5_arrays),
    ".hdf5": ("an HDF5 file", hdf5_arrays),
    ".mat": ("a MATLAB file", matlab_arrays),
}
_DEEPEST: Final = 100  # folders in folders
LOOKED_AT: Final = 5_000  # files, before a folder without arrays is taken for one of images


def array_names(folder: Path) -> list[str]:
    """The files of arrays in `folder` and below it, in natural order; none where there is an image too."""
    names: list[str] = []
    for seen, one in enumerate(_files_below(folder)):
        if (not names and seen > LOOKED_AT) or (is_named_as_image(one.name) and not _suffix(one.name)):
            return []
        if _suffix(one.name):
            names.append(one.relative_to(folder).as_posix())
    return [names[number] for number in natural_order(names)]


def _files_below(folder: Path) -> Iterator[Path]:
    for there in sets_below(folder, _DEEPEST):
        yield from (there.folder / one for one in there.names)


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.casefold()
    return suffix if suffix in _READ else ""


def arrays_of(path: Path, config: DataConfig) -> list[Stored]:
    """The arrays in one file, by the ending of its name; raises DataError: a damaged one."""
    return _READ[_suffix(path.name)][1](path, config)


def read_array_file(path: Path, config: DataConfig, suffix: str) -> ImageSet:
    """The images in one file, with the labels in it, or in the file beside it that is named like it.

    Args:
        suffix: the format, whatever the file is called.

    Raises:
        DataError: a damaged file, no images that can be told, or arrays that do not fit.
    """
    source, read = _READ[suffix]
    arrays = read(path, config)
    if read is hdf5_arrays:
        from .encoded_hdf5 import read_encoded

        encoded = read_encoded(path, arrays, config)
        if encoded is not None:
            return encoded
    if suffix == ".mat" and (of_cells := images_of_cells(path, arrays, config)) is not None:
        return of_cells
    named = taken_apart(path.stem)
    if named.role == "images" and len(arrays) == 1:
        arrays = [replace(arrays[0], name=path.stem)]
        for name in files_in(path.parent).names:
            beside = taken_apart(Path(name).stem)
            fits = (beside.prefix, beside.part) == (named.prefix, named.part)
            if beside.role in ("labels", "groups") and fits and _suffix(name) == suffix:
                arrays += _renamed(name, read(path.parent / name, config))
    return images_of(arrays, source=source, origin=str(path), config=config, images_last=suffix == ".mat")


def read_array_folder(folder: Path, config: DataConfig) -> ImageSet:
    """The images in the files of arrays in `folder`.

    Raises:
        DataError: as `read_array_file`, and files of several sets.
    """
    names = array_names(folder)
    if len(names) == 1:
        return read_array_file(folder / names[0], config, _suffix(names[0]))
    of_files = {name: _READ[_suffix(name)][1](folder / name, config) for name in names}
    arrays = [one for name in names for one in _renamed(name, of_files[name])]
    sets = None
    if all(map(_is_whole_set, names, of_files.values())):
        sets = _whole_sets(folder, names, config)
    if (whole := sets or images_of_cells(folder, arrays, config)) is not None:
        return whole
    if any(taken_apart(one.name).role == "images" for one in arrays):
        suffixes = {_suffix(name) for name in names}
        return images_of(
            arrays,
            source=f"a folder of {counted(len(names), 'file')} of arrays",
            origin=str(folder),
            config=config,
            images_last=suffixes == {".mat"},
        )
    if any(len(one) != 1 or not one[0].numeric for one in of_files.values()):
        each = each_by_its_name(
            arrays,
            origin=str(folder),
            source=f"a folder of {counted(len(names), 'file')} of arrays",
            config=config,
            images_last={_suffix(name) for name in names} == {".mat"},
        )
        if each is not None:
            return each
        raise DataError(
            f"{folder} must hold arrays under names such as X_train and y_train, or one array a file",
            found=sentence(names),
            do="name one of the files",
        )
    single = [one[0] for one in of_files.values()]
    if all(map(is_image, single)):
        return one_image_each(str(folder), names, single, config)
    return one_class_each(
        str(folder),
        names,
        single,
        config,
        classes=[Path(_unquoted(Path(name).stem)).name.removeprefix(_QUICK_DRAW) for name in names],
        parts=parts_in(names),
        source=f"a folder of arrays, a class each ({counted(len(names), 'file')})",
        images_last={_suffix(name) for name in names} == {".mat"},
    )


def _renamed(name: str, arrays: Sequence[Stored]) -> list[Stored]:
    """The arrays of a file under names that tell the file as well."""
    stem = name.removesuffix(Path(name).suffix)
    if len(arrays) == 1 and (_suffix(name) == ".npy" or taken_apart(Path(stem).name).role):
        return [replace(arrays[0], name=stem)]
    return [replace(one, name=f"{stem}/{one.name}") for one in arrays]


def _is_whole_set(name: str, arrays: Sequence[Stored]) -> bool:
    """Whether a file of several arrays has images of no part, by their names and by its own."""
    named = taken_apart(Path(name).stem)
    images = [one for one in arrays if taken_apart(one.name).role == "images"]
    parted = named.part is not None or any(taken_apart(one.name).part is not None for one in images)
    return len(images) == 1 and not parted and not named.role and _suffix(name) != ".npy"


def _whole_sets(folder: Path, names: Sequence[str], config: DataConfig) -> ImageSet | None:
    """The images of files that are sets: a class each, or shards (`part_0.npz`) with labels; else None."""
    from ..joined import joined as joined_sets

    sets = [read_array_file(folder / name, config, _suffix(name)) for name in names]
    if any(one.shape != sets[0].shape for one in sets):
        return None
    stems = [Path(name).stem for name in names]
    labelled = [one.labelled for one in sets]
    if not any(labelled):
        logger.info("each file is a class: %s", sentence(stems))
        pairs = zip(sets, stems, strict=True)
        sets = [replace(one, labels=np.zeros(len(one), np.int64), class_names=(stem,)) for one, stem in pairs]
    elif not all(labelled) or len({re.sub(r"\d+", "", stem) for stem in stems}) > 1:
        return None
    source = f"a folder of {counted(len(names), 'file')} of arrays"
    return replace(joined_sets(sets, names), source=source)


def _unquoted(stem: str) -> str:
    """A name as its address had it: `full%2Fnumpy_bitmap%2Fthe%20moon`, as wget keeps it."""
    return unquote(stem) if "%2F" in stem or "%20" in stem else stem
