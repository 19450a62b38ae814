"""Tables of results, a row an image, as .parquet, .csv, .npz or .npy: whole, or not there.

A table comes in blocks, so that one of any length is written in bounded memory. The one two-dimensional
column is the code: a list in Parquet, the columns c0, c1, ... in CSV, and all that .npy holds.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from ..core.csv_text import csv_text
from ..core.errors import ConfigurationError, DataError
from ..core.output_files import made_file, refuse_file
from ..core.wording import option

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS: Final = (".parquet", ".csv", ".npz", ".npy")
CODE: Final = "code"
ABOUT: Final = "latentspace"  # what is kept beside the rows

# A column: texts, or an array of one dimension, or of two for the code; pictures are bytes and a path.
Column: TypeAlias = Sequence[Any] | np.ndarray
Block: TypeAlias = Mapping[str, Column]


def refuse_table(path: Path, *, force: bool, formats: Sequence[str] = FORMATS) -> None:
    """Refuse a place that a table cannot be written to, before it is computed.

    Raises:
        ConfigurationError: a name with another ending.
        OutputError: there is something, and it may not be replaced.
    """
    if path.suffix.casefold() not in formats:
        raise ConfigurationError(
            f"a table is one of: {', '.join(formats)}",
            found=path.name,
            do=f"write for example {option('out', 'codes' + formats[0])}",
        )
    refuse_file(path, force=force)


def write_table(
    path: Path, blocks: Iterable[Block], about: Mapping[str, Any] | None = None, *, force: bool = False
) -> None:
    """Write the blocks one below the other; all have the same columns.

    Args:
        about: what is kept beside the rows, as JSON takes it; CSV and .npy have no room for it.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there, or cannot be written.
    """
    ending = path.suffix.casefold()
    with made_file(path, force=force) as file:
        if ending == ".parquet":
            _write_parquet(file, blocks, _metadata(about))
        elif ending == ".csv":
            _write_csv(file, blocks)
        else:
            _write_numpy(file, blocks, _metadata(about), alone=ending == ".npy")


def parquet(block: Block) -> bytes:
    """A table as the content of a .parquet."""
    buffer = io.BytesIO()
    _write_parquet(buffer, [block], _metadata(None))
    return buffer.getvalue()


def read_table(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The columns of a .parquet or .npz that `write_table` wrote, and what was kept beside them.

    Columns of other types than texts, numbers and codes are left out.

    Raises:
        DataError: no such file, or one that is no such table.
    """
    ending = path.suffix.casefold()
    try:
        if ending not in (".parquet", ".npz"):
            raise ValueError(f"a file called {path.name}")  # noqa: TRY301
        return _read_parquet(path) if ending == ".parquet" else _read_numpy(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} must be a table as .parquet or .npz",
            found="no such file" if not path.exists() else str(error) or type(error).__name__,
            do="name a table that latentspace wrote",
        ) from error


def _read_parquet(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_fixed_size_list(column.type):
            flat = column.combine_chunks().flatten().to_numpy()
            columns[name] = flat.reshape(-1, column.type.list_size)
        elif not pa.types.is_struct(column.type):
            columns[name] = column.to_numpy()
    return columns, json.loads((table.schema.metadata or {}).get(ABOUT.encode(), b"{}"))


def _read_numpy(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with np.load(path) as kept:
        return {name: kept[name] for name in kept if name != ABOUT}, json.loads(str(kept[ABOUT]))


def _metadata(about: Mapping[str, Any] | None) -> str:
    return json.dumps(about or {}, allow_nan=False)


def _write_parquet(file: IO[bytes] | io.BytesIO, blocks: Iterable[Block], about: str) -> None:
    import pyarrow.parquet as pq

    tables = (_arrow(block).replace_schema_metadata({ABOUT: about}) for block in blocks)
    first = next(tables)
    with pq.ParquetWriter(file, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _write_csv(file: IO[bytes], blocks: Iterable[Block]) -> None:
    """Numbers are the shortest text that is read back as the same; quotes stand where they are needed."""
    import pyarrow as pa

    for number, block in enumerate(blocks):
        flat = {name: column for part in map(_flat, block.items()) for name, column in part}
        if number == 0:
            file.write(csv_text([flat]).encode())
        columns = (one.cast(pa.string()).to_pylist() for one in _arrow(flat))
        file.write(csv_text(zip(*columns, strict=True)).encode())


def _flat(item: tuple[str, Column]) -> Iterator[tuple[str, Column]]:
    name, column = item
    if isinstance(column, np.ndarray) and column.ndim == 2:
        yield from ((f"{name[0]}{number}", column[:, number]) for number in range(column.shape[1]))
    else:
        yield name, column


def _write_numpy(file: IO[bytes], blocks: Iterable[Block], about: str, *, alone: bool) -> None:
    found: dict[str, list[np.ndarray]] = {}
    for block in blocks:
        for name, column in block.items():
            if not alone or name == CODE:
                found.setdefault(name, []).append(_plain(column))
    columns = {name: np.concatenate(parts) for name, parts in found.items()}
    if alone:
        np.save(file, columns[CODE])
    else:
        np.savez(file, **{**columns, ABOUT: np.array(about)})  # type: ignore[arg-type]


def _plain(column: Column) -> np.ndarray:
    """An array that is read back without a pickle; a missing text is an empty one."""
    if isinstance(column, np.ndarray):
        return column
    return np.array(["" if one is None else one for one in column], dtype=np.str_)


def _arrow(block: Block) -> "pa.Table":
    import pyarrow as pa

    return pa.table({name: _arrow_column(column) for name, column in block.items()})


def _arrow_column(column: Column) -> Any:
    import pyarrow as pa

    if not isinstance(column, np.ndarray):
        if column and not isinstance(column[0], str | None):
            return pa.array(column)
        texts = pa.lib.StringBuilder()
        texts.append_values(column)
        return texts.finish()
    if column.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(_arrow_column(column.reshape(-1)), column.shape[1])
    return _arrow_numbers(column) if column.dtype.kind in "biuf" else pa.array(column)


def _arrow_numbers(column: np.ndarray) -> Any:
    """As pa.array, which takes half a second to import pandas where that is installed, gives them."""
    import pyarrow as pa

    packed = np.packbits(column, bitorder="little") if column.dtype == bool else np.ascontiguousarray(column)
    return pa.Array.from_buffers(pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(packed)])
