"""MATLAB's .mat: the variables of a file of any version, those of structures too.

Versions up to 7 are read by SciPy, 7.3 as the HDF5 file that it is. Only arrays of numbers and text are
looked at. The images often come last there (height x width x channels x images): `axes` tells by shape and
the labels. The ten of SVHN's labels stands for the digit 0, and is renamed where the file is named as SVHN's.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from ..config import DataConfig
from .filenames import readable
from .hdf5 import SIGNATURE, content, datasets, opened
from .stored import Stored

_NUMBERS: Final = {
    "logical": "u1",
    "single": "f4",
    "double": "f8",
    **{f"{sign}int{bits}": f"{sign or 'i'}{bits // 8}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_SVHN: Final = re.compile(r"(train|test|extra)_32x32\.mat", re.IGNORECASE)
DEEPEST: Final = 4  # structures in structures


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
        return [_turned(name, one, path, config) for name, one in datasets(file)]


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
    import scipy.io

    with _sound(path):
        listed = scipy.io.whosmat(path)
        found = []
        for name, shape, kind in listed:
            if kind in _NUMBERS or kind == "char":
                dtype = np.dtype(_NUMBERS.get(kind, "U1"))
                found.append(Stored(name, tuple(shape), dtype, partial(_variable, path, name)))
            elif kind in ("struct", "cell"):
                found += _flat(name, _variable(path, name))
        return found


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        with readable(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path} must be a whole MATLAB file (.mat)",
            found=f"{type(error).__name__}: {error}",
            do="fetch or save it again",
        ) from error


def _variable(path: Path, name: str) -> np.ndarray:
    import scipy.io

    with _sound(path):
        return np.asarray(scipy.io.loadmat(path, variable_names=[name])[name])


def _flat(name: str, value: np.ndarray, depth: int = 0) -> list[Stored]:
    """The arrays in a structure, and a cell of texts as an array of them."""
    if value.dtype.names and value.size == 1 and depth < DEEPEST:
        fields = value.reshape(-1)[0]
        return [
            one
            for field in value.dtype.names
            for one in _flat(f"{name}/{field}", np.asarray(fields[field]), depth + 1)
        ]
    if value.dtype.kind == "O" and value.size and all(_is_text(one) for one in value.reshape(-1)):
        value = np.array([str(np.asarray(one).reshape(-1)[0]) for one in value.reshape(-1)])
    if value.dtype.kind in "biufU":
        return [Stored(name, value.shape, value.dtype, lambda: value)]
    return []


def _is_text(one: object) -> bool:
    array = np.asarray(one)
    return array.dtype.kind == "U" and array.size == 1
