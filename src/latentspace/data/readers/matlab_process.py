"""A process that reads texts and structures of a .mat file: SciPy ends with a damaged one, by a signal.

`python -m latentspace.data.readers.matlab_process FILE VARIABLE ...` writes an .npz to its output.
"""

import sys
import warnings
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

DEEPEST: Final = 4  # structures in structures


def write_arrays(path: Path, names: list[str], stream: BinaryIO) -> None:
    """Names, then the array of each: of the variables, and of structures' fields as `structure/field`."""
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = scipy.io.loadmat(path, variable_names=names)
    arrays = {key: one for name in names for key, one in _flat(name, np.asarray(values[name])).items()}
    np.savez(stream, np.array(list(arrays), dtype=np.str_), *arrays.values())


def _flat(name: str, value: np.ndarray, depth: int = 0) -> dict[str, np.ndarray]:
    """The arrays in a structure, and a cell of texts as an array of them."""
    if value.dtype.names and value.size == 1 and depth < DEEPEST:
        fields = value.reshape(-1)[0]
        return {
            key: one
            for field in value.dtype.names
            for key, one in _flat(f"{name}/{field}", np.asarray(fields[field]), depth + 1).items()
        }
    if value.dtype.kind == "O" and value.size and all(_is_text(one) for one in value.reshape(-1)):
        value = np.array([str(np.asarray(one).reshape(-1)[0]) for one in value.reshape(-1)])
    return {name: value} if value.dtype.kind in "biufU" else {}


def _is_text(one: object) -> bool:
    array = np.asarray(one)
    return array.dtype.kind == "U" and array.size == 1


if __name__ == "__main__":
    write_arrays(Path(sys.argv[1]), sys.argv[2:], sys.stdout.buffer)
