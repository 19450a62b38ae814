"""Files of columns, Parquet and Arrow (Feather, IPC) -> their schema, and their rows some at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ...core.errors import DataError
from .filenames import is_junk, shown

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET: Final = (".parquet", ".pq")
ARROW: Final = (".feather", ".arrow", ".arrows", ".ipc")
_ARROW_FILE: Final = b"ARROW1"  # else the same as a stream, as Hugging Face's datasets keeps it
_BATCH: Final = 256  # rows given at a time


@runtime_checkable
class ColumnFile(Protocol):
    """A file of columns that is open."""

    @property
    def schema(self) -> "pa.Schema": ...

    def batches(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Its rows, some at a time, of these columns."""


def is_column_name(name: str) -> bool:
    """Whether a name ends as those of files of columns do."""
    return name.casefold().endswith((*PARQUET, *ARROW)) and not is_junk(name)


def is_column_file(start: bytes) -> bool:
    """Whether a file begins as Parquet and Arrow do."""
    return start.startswith((b"PAR1", _ARROW_FILE))


def opened_columns(path: Path) -> ColumnFile:
    """The file at `path`.

    Raises:
        DataError: neither of the two, or damaged.
    """
    import pyarrow as pa

    try:
        with path.open("rb") as file:
            start = file.read(len(_ARROW_FILE))
        parquet = start.startswith(b"PAR1") or path.name.casefold().endswith(PARQUET)
        return _Parquet(path) if parquet else _Arrow(path, stream=start != _ARROW_FILE)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} must be a whole Parquet or Arrow file",
            found=shown(str(error).partition("\n")[0][:200]),
            do="fetch or make it again",
        ) from error


class _Parquet:
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(path)
        self.schema: pa.Schema = self._file.schema_arrow

    def batches(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        yield from self._file.iter_batches(batch_size=_BATCH, columns=list(columns))


class _Arrow:
    """Arrow's own form, as a file or as a stream; its places are checked, which reading alone does not."""

    def __init__(self, path: Path, *, stream: bool) -> None:
        self._path, self._stream = path, stream
        with self._opened() as reader:
            self.schema: pa.Schema = reader.schema

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import pyarrow as pa

        with pa.OSFile(str(self._path)) as file:
            yield (pa.ipc.open_stream if self._stream else pa.ipc.open_file)(file)

    def batches(self, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        with self._opened() as reader:
            for whole in reader if self._stream else map(reader.get_batch, range(reader.num_record_batches)):
                batch = whole.select(list(columns))
                batch.validate(full=True)
                for first in range(0, len(batch), _BATCH):
                    yield batch.slice(first, _BATCH)
