"""Files of columns, Parquet and Arrow (Feather, IPC) -> their schema, and their rows some at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ...core.errors import DataError
from .filenames import is_junk
from .parquet_columns import values_of
from .places import Source
from .rows import BATCH, BUFFER, GROUP, Column, Group, Row, damaged

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET: Final = (".parquet", ".pq")
ARROW: Final = (".feather", ".arrow", ".arrows", ".ipc")
_ARROW_FILE: Final = b"ARROW1"  # else the same as a stream, as Hugging Face's datasets keeps it
_FEATHER_1: Final = b"FEA1"


@dataclass(frozen=True)
class Batch:
    """Some rows: the cells of each column, and the places of the images whose bytes were not read."""

    count: int
    cells: Mapping[str, "pa.Array"]
    places: Sequence[Row] = ()

    @classmethod
    def of(cls, batch: "pa.RecordBatch") -> "Batch":
        return cls(batch.num_rows, dict(zip(batch.schema.names, batch.columns, strict=True)))


@runtime_checkable
class ColumnFile(Protocol):
    """A file of columns that is open."""

    @property
    def schema(self) -> "pa.Schema": ...

    def batches(self, columns: Sequence[str], images: Column | None = None) -> "Iterator[Batch]":
        """Its rows, some at a time, of these columns; of `images` the places alone, where that will do."""


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
        if start.startswith(_FEATHER_1):
            raise DataError(
                f"{path} must be Feather of version 2, which is Arrow",
                found="version 1",
                do="read it with pandas.read_feather, and write it with to_parquet",
            )
        parquet = start.startswith(b"PAR1") or path.name.casefold().endswith(PARQUET)
        return _Parquet(path) if parquet else _Arrow(path, stream=start != _ARROW_FILE)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error


class _Parquet:
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._source = Source.of(path, path.stat())
        self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER)
        self.schema: pa.Schema = self._file.schema_arrow
        leaves = self._file.schema
        self._encoded: bool | None = None  # whether it begins with an image
        self._leaves = [leaves.column(number).path for number in range(len(leaves))]

    def batches(self, columns: Sequence[str], images: Column | None = None) -> Iterator[Batch]:
        if images is None:
            yield from map(Batch.of, self._file.iter_batches(BATCH, columns=list(columns)))
            return
        for number in range(self._file.num_row_groups):
            size = self._size(number, images)
            if size is None:
                yield from map(Batch.of, self._file.iter_batches(BATCH, [number], list(columns)))
            else:
                yield from self._around(Group(self._source, number, images), size, columns)

    def _size(self, number: int, images: Column) -> int | None:
        """About how many bytes a row of a group has; None where rows are read here.

        Of a damaged file no more than this can be asked: pyarrow would end the process.
        """
        about = self._file.metadata.row_group(number)
        size: int = about.total_byte_size
        return size // max(1, about.num_rows) if 0 <= size <= GROUP and self._begins(images) else None

    def _begins(self, images: Column) -> bool:
        """Whether the first row has an image in it, and not the path to one."""
        if self._encoded is None:
            first = next(self._file.iter_batches(1, [0], [images.image]), None)
            value = None if not first else next(values_of(first.column(0), images.kind))
            self._encoded = bool(value.get("bytes") if isinstance(value, dict) else value)
        return self._encoded

    def _around(self, group: Group, size: int, columns: Sequence[str]) -> Iterator[Batch]:
        """A group of rows without the bytes of its images."""
        image, path = group.column.image, f"{group.column.image}.path"
        beside = [one for one in columns if one != image] + [path] * (path in self._leaves)
        if beside:
            read: Iterable[Batch] = map(Batch.of, self._file.iter_batches(BATCH, [group.number], beside))
        else:
            rows = self._file.metadata.row_group(group.number).num_rows
            read = (Batch(min(BATCH, rows - first), {}) for first in range(0, rows, BATCH))
        first = 0
        for batch in read:
            places = [Row(group, first + row, size) for row in range(batch.count)]
            yield replace(batch, places=places)
            first += batch.count


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

    def batches(self, columns: Sequence[str], images: Column | None = None) -> Iterator[Batch]:  # noqa: ARG002
        """All of their columns: a batch has as many rows as its writer liked, and each is read whole."""
        with self._opened() as reader:
            for whole in reader if self._stream else map(reader.get_batch, range(reader.num_record_batches)):
                batch = whole.select(list(columns))
                batch.validate(full=True)
                for first in range(0, len(batch), BATCH):
                    yield Batch.of(batch.slice(first, BATCH))
