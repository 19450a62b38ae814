"""MATLAB's .mat: the variables of a file of any version, those of structures too.

Versions up to 7 are read by SciPy, 7.3 as the HDF5 file that it is. Only arrays of numbers and text are
looked at. The images often come last there (height x width x channels x images): `axes` tells by shape and
the labels. The ten of SVHN's labels stands for the digit 0, and is renamed where the file is named as SVHN's.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from ..config import DataConfig
from .apart import ApartError, What, read_apart
from .apart_process import cells_of
from .chosen import Stored
from .filenames import readable
from .hdf5 import SIGNATURE, content, datasets, opened

_NUMBERS: Final = {
    "logical": "u1",
    "single": "f4",
    "double": "f8",
    **{f"{sign}int{bits}": f"{sign or 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_SVHN: Final = re.compile(r"(train|test|extra)_32x32\.mat", re.IGNORECASE)


def matlab_arrays(path: Path, config: DataConfig) -> list[Stored]:
    """The variables of the file by name, and the fields of structures as `structure/field`.

    Raises:
        DataError: no .mat file, or a damaged one.
    """
    with readable(path), path.open("rb") as file:
        start = file.read(520)
    newest = start.startswith((b"MATLAB 7.3", SIGNATURE)) or start[512:520] == SIGNATURE
    arrays = _of_hdf5(path, config) if newest else _of_scipy(path)
    if _SVHN.fullmatch(path.name):
        digits = {one.name: replace(one, read=partial(_digits, one)) for one in arrays if one.name == "y"}
        return [digits.get(one.name, one) for one in arrays]
    return arrays


def _digits(labels: Stored) -> np.ndarray:
    return np.asarray(labels.read() % 10)


def _of_hdf5(path: Path, config: DataConfig) -> list[Stored]:
    with opened(path) as file:
        found = []
        for name, one in datasets(file):
            cells = _cells(name, one, file, path, config) if one.attrs.get("MATLAB_class") == b"cell" else []
            found += cells or [_turned(name, one, path, config)]
        return found


def _cells(name: str, one: Any, file: Any, path: Path, config: DataConfig) -> list[Stored]:
    """The cells that references lead to, as `apart_process` has those of older files."""
    import h5py

    if h5py.check_ref_dtype(one.dtype) is None or not one.size:
        return []
    there = [file[reference] for reference in one[...].T.reshape(-1, order="F") if reference]
    if any(not isinstance(inner, h5py.Dataset) or inner.dtype.kind not in "biuf" for inner in there):
        return []
    cells = [content(inner, path, config.resident).T for inner in there]
    if all(inner.attrs.get("MATLAB_class") == b"char" for inner in there):
        texts = np.array(["".join(map(chr, cell.reshape(-1))) for cell in cells])
        return [_of_array(name, texts)]
    if all(cell.size == 1 for cell in cells):
        return [_of_array(name, np.array([cell.reshape(-1)[0] for cell in cells]))]
    return [_of_array(key, values) for key, values in cells_of(name, cells).items()]


def _turned(name: str, one: Any, path: Path, config: DataConfig) -> Stored:
    kind = one.attrs.get("MATLAB_class", b"")
    inner = one.name

    def read() -> np.ndarray:
        with opened(path) as file:
            values = content(file[inner], path, config.resident).T
        if kind == b"char":
            return np.array(["".join(map(chr, row)).rstrip() for row in np.atleast_2d(values)])
        return values

    return Stored(name, tuple(reversed(one.shape)), np.dtype("U1") if kind == b"char" else one.dtype, read)


def _of_scipy(path: Path) -> list[Stored]:
    names, kinds, *shapes = _apart("listed", path)
    listed = list(zip(map(str, names), map(str, kinds), shapes, strict=True))
    found = [
        Stored(name, tuple(shape.tolist()), np.dtype(_NUMBERS[kind]), partial(_variable, path, name))
        for name, kind, shape in listed
        if kind in _NUMBERS
    ]
    others = [name for name, kind, _ in listed if kind in ("char", "struct", "cell")]
    if others:
        fields, *values = _apart("matlab", path, others)
        found += [_of_array(str(name), one) for name, one in zip(fields, values, strict=True)]
    return found


def _of_array(name: str, values: np.ndarray) -> Stored:
    return Stored(name, values.shape, values.dtype, lambda: values)


def _variable(path: Path, name: str) -> np.ndarray:
    _, *values = _apart("matlab", path, [name])
    if len(values) != 1:
        raise _damaged(path, f"{name} is no array of numbers")
    return values[0]


def _apart(what: What, path: Path, names: Sequence[str] = ()) -> list[np.ndarray]:
    with readable(path):
        try:
            return read_apart(what, path, names)
        except ApartError as error:
            raise _damaged(path, str(error)) from error


def _damaged(path: Path, found: str) -> DataError:
    return DataError(f"{path} must be a whole MATLAB file (.mat)", found=found, do="fetch or save it again")
