"""Rows of Parquet that hold an encoded image: where each lies, so that it is read where it is decoded.

Rows lie in groups, of which a process reads the column of images from the first to the last that it needs.
Groups of more than `GROUP` bytes would be read too often by processes that share out their rows.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...core.errors import DataError
from .filenames import readable, shown
from .parquet_columns import values_of
from .places import Source

if TYPE_CHECKING:
    import pyarrow as pa

    from .reading import File

GROUP: Final = 2**27  # bytes
BATCH: Final = 256  # rows read at a time
BUFFER: Final = 2**20  # bytes read at a time

_thread = threading.local()  # with a `_Cursor`


class Column(NamedTuple):
    """The column of images of a source, of encoded ones, and the folder that paths in it begin in."""

    image: str
    kind: str  # "bytes" or "struct"
    folder: str

    def filled(self, file: "File", value: Any) -> "File":
        """A file with the encoded image of its row; what is missing is a reason to skip it."""
        content, path = value, None
        if self.kind == "struct":
            content, path = (value or {}).get("bytes"), (value or {}).get("path")
        elif self.kind == "path":
            content, path = None, value
        if content:
            return file._replace(content=bytes(content))
        if not path or self.kind == "bytes":
            return file._replace(reason="no image in this row (null)")
        there = Path(self.folder) / str(path).replace("\\", "/")
        try:
            found = there.is_file()
        except (OSError, ValueError):
            found = False
        reason = "" if found else "no file at this path, and no bytes"
        return file._replace(content=os.fspath(there), reason=reason)


class Group(NamedTuple):
    """A group of rows."""

    source: Source
    number: int
    column: Column


class Row(NamedTuple):
    """A row of a group: a `Place`."""

    group: Group
    row: int
    size: int

    def taken(self, file: "File") -> "File":
        return self.group.column.filled(file, _cursor(self.group).value(self.row))


class _Cursor:
    """The images of a group, read forwards."""

    def __init__(self, group: Group) -> None:
        from pyarrow import parquet

        self.group = group
        with _unchanged(group.source):
            self._file = parquet.ParquetFile(group.source.path, pre_buffer=False, buffer_size=BUFFER)
        self._begin()

    def turn(self, group: Group) -> None:
        """Go to the beginning of another group of the same file."""
        self.group = group
        self._begin()

    def _begin(self) -> None:
        with _unchanged(self.group.source):  # it reads the first page
            self._batches: Iterator[pa.RecordBatch] = self._file.iter_batches(
                BATCH, [self.group.number], [self.group.column.image], use_threads=False
            )
        self._first, self._images = 0, None

    def value(self, row: int) -> Any:
        """What stands in a row. Raises: DataError: the file is another one, or damaged."""
        if row < self._first:
            self._begin()
        while self._images is None or row >= self._first + len(self._images):
            self._advance()
        (value,) = values_of(self._images.slice(row - self._first, 1), self.group.column.kind)
        return value

    def _advance(self) -> None:
        with _unchanged(self.group.source):
            batch = next(self._batches, None)
            if batch is None:
                raise EOFError("rows are missing")
        self._first += 0 if self._images is None else len(self._images)
        self._images = batch.column(0)


def _cursor(group: Group) -> _Cursor:
    """The one of this thread, at that group; it stays where it is until another is asked for."""
    cursor: _Cursor | None = getattr(_thread, "cursor", None)
    if cursor is None or cursor.group.source != group.source:
        forget()
        cursor = _thread.cursor = _Cursor(group)
    elif cursor.group != group:
        cursor.turn(group)
    return cursor


def forget() -> None:
    """Free what this thread keeps."""
    _thread.cursor = None


@contextmanager
def _unchanged(source: Source) -> Iterator[None]:
    """Turn what is raised of a file that is damaged, or another one, into a DataError."""
    import pyarrow as pa

    trouble, path = None, Path(source.path)
    try:
        yield
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError, EOFError) as error:
        trouble = error
    with readable(path):
        source.require(path.stat())
    if trouble is not None:
        raise damaged(path, trouble) from trouble


def damaged(path: Path, error: Exception) -> DataError:
    """That a file of columns is damaged, as its library says."""
    return DataError(
        f"{path} must be a whole Parquet or Arrow file",
        found=shown(str(error).partition("\n")[0][:200]) or type(error).__name__,
        do="fetch or make it again",
    )
