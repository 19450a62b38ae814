"""Parquet, Feather and Arrow -> images: as Hugging Face's datasets and others write them, a file or shards.

The images are a column of encoded files (bytes, or a struct of `bytes` and `path`), of numbers (lists, lists
of lists, tensors), or of paths relative to the file. Beside it count: `label` (the names of classes come from
the metadata), `group`, `split` or `part`. Names of shards, `test-00000-of-00002.parquet`, or of their folders
say their part.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..imageset import ImageSet
from .column_files import PARQUET, Batch, ColumnFile, is_column_name, opened_columns
from .file_sets import files_below
from .filenames import readable, shown, undamaged
from .listed import Again, listed_arrays, listed_images
from .parquet_columns import Columns, columns_of, label_of, values_of
from .parquet_raw import array_of, of_base64, settled
from .reading import File
from .rows import Column, Row
from .tables import LABEL_NAMES, column_named, part_number, part_of_name, plain, some

if TYPE_CHECKING:
    from ..config import DataConfig


def parquet_files(folder: Path) -> list[Path]:
    """The files of columns in a folder, or in the folders below; none where there are images."""
    return files_below(folder, is_column_name)


def read_parquet(paths: Sequence[Path], origin: Path, config: "DataConfig") -> ImageSet:
    """The images of one file, or of the shards of a folder.

    Raises:
        DataError: no such file, damaged, no column of images, or images as `collect` refuses them.
    """
    import pyarrow as pa

    kind = "Parquet" if all(path.name.casefold().endswith(PARQUET) for path in paths) else "Arrow"
    source = (
        f"{'an' if kind == 'Arrow' else 'a'} {kind} file"
        if len(paths) == 1
        else counted(len(paths), f"{kind} file")
    )
    damages = pa.ArrowException, OverflowError, UnicodeDecodeError
    with (
        readable(origin),
        undamaged(origin, damages, f"must hold whole {kind} files", "fetch or make it again"),
    ):
        opened = [opened_columns(path) for path in paths]
        columns = [
            columns_of(file.schema, path, config.label) for file, path in zip(opened, paths, strict=True)
        ]
        differing = [path for path, one in zip(paths, columns, strict=True) if one.all != columns[0].all]
        if differing:
            raise DataError(
                f"the files of {origin} must have the same columns",
                found=f"others in {some([path.name for path in differing])}",
                do="name one of the files, or the folder of those that belong together",
            )
        columns = settled(opened, columns)
        names = next((one.class_names for one in columns if one.class_names), ())
        if columns[0].kind in ("numbers", "raw"):
            return listed_arrays(
                _rows(opened, columns, paths, origin), config, names, origin=origin, source=source
            )

        images_at = Column(columns[0].image, columns[0].kind, os.fspath(paths[0].parent.absolute()))
        encoded = None if images_at.kind in ("path", "base64") else images_at

        def files() -> Iterator[File]:
            for said, value in _rows(opened, columns, paths, origin, encoded):
                placed = isinstance(value, Row)
                if images_at.kind == "base64":
                    content = of_base64(value)
                    yield said._replace(content=content, reason="" if content else "no image in this row")
                    continue
                yield said._replace(content=value) if placed else images_at.filled(said, value)

        images = listed_images(Again(files), config, origin=str(origin), source=source, class_names=names)
    return images


def _rows(
    opened: Sequence[ColumnFile],
    columns: Sequence[Columns],
    paths: Sequence[Path],
    origin: Path,
    encoded: Column | None = None,
) -> Iterator[tuple[File, Any]]:
    """Each row as a file without content, and what stands in its column of images, or where that lies.

    It is called by its path, or by its row where that is not its own.

    Args:
        encoded: the column of images that are encoded.
    """
    seen: set[str] = set()
    for file, here, path in zip(opened, columns, paths, strict=True):
        part, folder = _part(path, origin), _in_folders(path, origin)
        row = 0
        for batch in file.batches(here.all, encoded):
            beside = [name for name in here.all if name != here.image and name not in here.pixels]
            texts = {name: batch.cells[name].to_pylist() for name in beside}
            for place, value in enumerate(_values(batch, here)):
                where = f"in row {row:,} of {path.name}"
                given = part_number(_text(texts[here.part][place]), where) if here.part else part
                group = _text(texts[here.group][place]) if here.group else None
                said = texts[here.label][place] if here.label else folder
                label = label_of(said, here.class_names, where)
                name = _path(value, here.kind) or (_text(texts[here.path][place]) if here.path else None)
                name = shown(name).replace("\\", "/") if name else ""
                if not name or name in seen:
                    name = str(row) if len(paths) == 1 else f"{path.name}:{row}"
                seen.add(name)
                there = batch.places[place] if batch.places else value
                if here.kind == "raw" or (here.sizes and value is not None):
                    sizes = {plain(one): texts[one][place] for one in here.sizes}
                    there = array_of(value, sizes, where)
                yield File(name, b"", label=label, group=group, part=given), there
                row += 1


def _values(batch: Batch, columns: Columns) -> Iterator[Any]:
    """What was read of the column of images, or of those of their pixels."""
    if columns.image not in batch.cells:
        return repeat(None, batch.count)
    if not columns.pixels:
        return values_of(batch.cells[columns.image], columns.kind)
    return iter(
        np.stack([batch.cells[name].to_numpy(zero_copy_only=False) for name in columns.pixels], axis=1)
    )


def _part(path: Path, origin: Path) -> int | None:
    """The part that the name of a shard says, or else that of its folder in `origin`."""
    if path == origin:
        return None
    named = [part_of_name(name) for name in (path.name, *reversed(path.parent.relative_to(origin).parts))]
    return next((part for part in named if part is not None), None)


def _in_folders(path: Path, origin: Path) -> str | None:
    """The label that the folders of a file say, as `label=cat` does in data that are partitioned so."""
    if path == origin:
        return None
    pairs = [one.partition("=") for one in path.parent.relative_to(origin).parts]
    said = {unquote(name): value for name, equals, value in pairs if equals}
    at = column_named(said, LABEL_NAMES)
    return None if at is None else unquote(list(said.values())[at])


def _path(value: Any, kind: str) -> str | None:
    """The path that a cell of the column of images brings."""
    if isinstance(value, dict):
        return _text((value or {}).get("path"))
    return _text(value) if kind == "path" else None


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):  # a column of bytes may hold text
        return os.fsdecode(value)
    return None if value is None else str(value)
