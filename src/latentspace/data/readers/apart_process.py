"""A process that reads what may end its reader: variables of a .mat file, texts and files of an HDF5 file.

SciPy ends with some damaged .mat files, by a signal, and HDF5's library never comes back from some damaged
texts. `apart` begins this process, and gives it a line of JSON for each file:

    {"what": "matlab", "path": FILE, "names": [...], "to": FILE}

It writes an .npz to `to` and answers with a line: nothing, or what was wrong.
"""

import json
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

DEEPEST: Final = 4  # structures in structures
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
