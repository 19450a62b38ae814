"""Parquet -> images: as Hugging Face's datasets and others write them, one file or a folder of shards.

The images are a column of encoded files (bytes, or a struct of `bytes` and `path`), of numbers (lists, lists
of lists, tensors), or of paths relative to the file. Beside it count: `label` (the names of classes come from
the metadata), `group`, `split` or `part`. Names of shards say their part: `test-00000-of-00002.parquet`.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from .filenames import files_below, is_junk, readable, shown
from .listed import Again, listed_arrays, listed_images
from .parquet_columns import Columns, columns_of, label_of, values_of
from .reading import File
from .tables import part_number, part_of_name, some

if TYPE_CHECKING:
    from ..config import DataConfig

logger = logging.getLogger(__name__)

_BATCH: Final = 256  # rows read at a time


def parquet_files(folder: Path) -> list[Path]:
    """The .parquet files in a folder, or in the folders below; none where there are images."""
    return files_below(folder, is_parquet_name)


def is_parquet_name(name: str) -> bool:
    return name.casefold().endswith((".parquet", ".pq")) and not is_junk(name)


def read_parquet(paths: Sequence[Path], origin: Path, config: "DataConfig") -> ImageSet:
    """The images of one file, or of the shards of a folder.

    Raises:
        DataError: no Parquet, damaged, no column of images, or images as `collect` refuses them.
    """
    import pyarrow as pa

    source = "a Parquet file" if len(paths) == 1 else f"{counted(len(paths), 'Parquet file')}"
    try:
        with readable(origin):
            opened = [_opened(path) for path in paths]
            columns = [columns_of(file.schema_arrow, path) for file, path in zip(opened, paths, strict=True)]
            differing = [path for path, one in zip(paths, columns, strict=True) if one.all != columns[0].all]
            if differing:
                raise DataError(
                    f"the files of {origin} must have the same columns",
                    found=f"others in {some([path.name for path in differing])}",
                    do="name one of the files, or the folder of those that belong together",
                )
            names = next((one.class_names for one in columns if one.class_names), ())
            if columns[0].kind == "numbers":
                return listed_arrays(
                    _rows(opened, columns, paths, origin), config, names, origin=origin, source=source
                )

            def files() -> Iterator[File]:
                for said, value in _rows(opened, columns, paths, origin):
                    yield _as_file(said, value, columns[0], paths[0].parent)

            images = listed_images(Again(files), config, origin=str(origin), source=source, class_names=names)
    except (pa.ArrowException, OSError, OverflowError, UnicodeDecodeError) as error:
        raise DataError(
            f"{origin} must hold whole Parquet files",
            found=shown(str(error).partition("\n")[0][:200]) or type(error).__name__,
            do="fetch or make it again",
        ) from error
    return images


def _opened(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} must be a whole Parquet file",
            found=shown(str(error).partition("\n")[0][:200]),
            do="fetch or make it again",
        ) from error


def _rows(
    opened: Sequence[Any], columns: Sequence[Columns], paths: Sequence[Path], origin: Path
) -> Iterator[tuple[File, Any]]:
    """Each row as a file without content, and what stands in its column of images.

    It is called by its path, or by its row where that is not its own.
    """
    seen: set[str] = set()
    for file, here, path in zip(opened, columns, paths, strict=True):
        part = part_of_name(path.name) if path != origin else None
        row = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=here.all):
            cells = {name: batch.column(batch.schema.names.index(name)) for name in here.all}
            texts = {name: cells[name].to_pylist() for name in here.all if name != here.image}
            for place, value in enumerate(values_of(cells[here.image], here.kind)):
                where = f"in row {row:,} of {path.name}"
                given = part_number(_text(texts[here.part][place]), where) if here.part else part
                group = _text(texts[here.group][place]) if here.group else None
                label = label_of(texts[here.label][place], here.class_names, where) if here.label else None
                name = _path(value, here.kind) or (texts[here.path][place] if here.path else None)
                name = shown(name).replace("\\", "/") if name else ""
                if not name or name in seen:
                    name = str(row) if len(paths) == 1 else f"{path.name}:{row}"
                seen.add(name)
                yield File(name, b"", label=label, group=group, part=given), value
                row += 1


def _path(value: Any, kind: str) -> str | None:
    """The path that a cell of the column of images brings."""
    if kind == "struct":
        return (value or {}).get("path")
    return value if kind == "path" else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _as_file(file: File, value: Any, columns: Columns, folder: Path) -> File:
    """The encoded image of a row; what is missing is a reason to skip it."""
    content, path = value, None
    if columns.kind == "struct":
        content, path = (value or {}).get("bytes"), (value or {}).get("path")
    elif columns.kind == "path":
        content, path = None, value
    if content:
        return replace(file, content=bytes(content))
    if not path or columns.kind == "bytes":
        return replace(file, reason="no image in this row (null)")
    there = folder / str(path).replace("\\", "/")
    try:
        found = there.is_file()
    except (OSError, ValueError):
        found = False
    return replace(file, content=there, reason="" if found else "no file at this path, and no bytes")
