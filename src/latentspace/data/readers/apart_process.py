"""A process that reads what may end its reader: variables of a .mat file, texts and files of an HDF5 file.

SciPy ends with some damaged .mat files, by a signal, and HDF5's library never comes back from some damaged
texts. `apart` begins this process, and gives it a line of JSON for each file:

    {"what": "matlab", "path": FILE, "names": [...], "to": FILE}

It writes an .npz to `to` and answers with a line: nothing, or what was wrong.
"""

import json
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

DEEPEST: Final = 4  # structures in structures
CELLS: Final = "{}"  # after the name of a cell array: the numbers of all its images, in a row
SHAPES: Final = "{shapes}"  # and height, width and channels of each
PATIENCE: Final = 20  # seconds of the processor that a small file may take
BYTES_A_SECOND: Final = 10 << 20  # a file has a second more for each of these


def listed(path: Path, names: list[str], stream: BinaryIO) -> None:  # noqa: ARG001 - as the others
    """The variables of a .mat file: their names, their kinds, then the shape of each."""
    import scipy.io

    found = scipy.io.whosmat(path)
    shapes = [np.array(shape, dtype=np.int64) for _, shape, _ in found]
    texts = (np.array([one[place] for one in found], dtype=np.str_) for place in (0, 2))
    np.savez(stream, *texts, *shapes)


def matlab(path: Path, names: list[str], stream: BinaryIO) -> None:
    """Names, then the array of each: of the variables, and of structures' fields as `structure/field`."""
    import scipy.io

    values = scipy.io.loadmat(path, variable_names=names)
    arrays = {key: one for name in names for key, one in _flat(name, np.asarray(values[name])).items()}
    np.savez(stream, np.array(list(arrays), dtype=np.str_), *arrays.values())


def _flat(name: str, value: np.ndarray, depth: int = 0) -> dict[str, np.ndarray]:
    """The arrays in a structure, or in an array of them; a cell of texts or numbers as an array of them."""
    if value.dtype.names and value.size and depth < DEEPEST:
        rows = value.reshape(-1, order="F")
        return {
            key: one
            for field in value.dtype.names
            for key, one in _flat(
                f"{name}/{field}",
                np.asarray(rows[0][field]) if rows.size == 1 else rows[field],
                depth + 1,
            ).items()
        }
    if value.dtype.kind == "O" and value.size:
        cells = [np.asarray(one) for one in value.reshape(-1, order="F")]
        if all(map(_is_text, cells)):
            value = np.array([str(one.reshape(-1)[0]) for one in cells])
        elif all(one.dtype.kind in "biuf" and one.size == 1 for one in cells):
            value = np.array([one.reshape(-1)[0] for one in cells])
        elif found := cells_of(name, cells):
            return found
    return {name: value} if value.dtype.kind in "biufU" else {}


def cells_of(name: str, cells: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The images in cells as one row of numbers, and their shapes; nothing where they are none."""
    if not all(one.dtype.kind in "biuf" and one.ndim in (2, 3) and min(one.shape) > 0 for one in cells):
        return {}
    shapes = np.array([(*one.shape, 1)[:3] for one in cells], dtype=np.int64)
    if int(shapes[:, :2].min()) < 2:
        return {}
    return {f"{name}{CELLS}": np.concatenate([one.reshape(-1) for one in cells]), f"{name}{SHAPES}": shapes}


def _is_text(array: np.ndarray) -> bool:
    return array.dtype.kind == "U" and array.size == 1


def texts(path: Path, names: list[str], stream: BinaryIO) -> None:
    """Names, then the texts of each dataset of an HDF5 file."""
    import h5py

    with h5py.File(path, "r") as file:
        found = [np.asarray(file[name].asstr(errors="backslashreplace")[...]).astype(str) for name in names]
    np.savez(stream, np.array(names, dtype=np.str_), *found)


def files(path: Path, names: list[str], stream: BinaryIO) -> None:
    """The bytes of all values of each dataset of an HDF5 file, in a row, then how many each has."""
    import h5py

    found: list[np.ndarray] = []
    with h5py.File(path, "r") as file:
        for name in names:
            values = [np.asarray(one).tobytes() for one in file[name][...]]
            found += [np.frombuffer(b"".join(values), np.uint8), np.array(list(map(len, values)), np.int64)]
    np.savez(stream, *found)


READERS: Final[Mapping[str, Callable[[Path, list[str], BinaryIO], None]]] = {
    "listed": listed,
    "matlab": matlab,
    "texts": texts,
    "files": files,
}


def limit_time(size: int) -> None:
    """Let the system end this process where a file of this size takes far too long; not on Windows."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used.ru_utime + used.ru_stime) + PATIENCE + size // BYTES_A_SECOND
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def main() -> None:
    """Read and answer until there is no further line."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        asked = json.loads(line)
        path = Path(asked["path"])
        try:
            limit_time(path.stat().st_size)
            with Path(asked["to"]).open("wb") as stream:
                READERS[asked["what"]](path, asked["names"], stream)
        except Exception as error:  # noqa: BLE001 - SciPy raises anything at a damaged file
            said = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            said = ""
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
