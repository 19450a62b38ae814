"""Columns of Parquet whose images are no encoded files: raw pixels with their size, .npy files, base64.

What a column of bytes or text holds its first row says. The size of raw pixels stands in columns (`height`,
`width`, `channels`; `shape`) or in fields of the same struct; without it they are squares. Spark's image
struct keeps blue first.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from . import raw_images
from .column_files import ColumnFile
from .decode import decode, decoding
from .parquet_columns import Columns, values_of
from .tables import plain

_SIZES: Final = (*raw_images.HEIGHTS, *raw_images.WIDTHS, *raw_images.CHANNELS, *raw_images.SHAPES)
# How base64 of PNG, JPEG, GIF, WebP and BMP begins.
_BASE64: Final = ("iVBOR", "/9j/", "R0lGO", "UklGR", "Qk0", "Qk1")


def settled(opened: Sequence[ColumnFile], columns: Sequence[Columns]) -> list[Columns]:
    """The columns as the first row with an image says that they are: `raw` or `base64` where it is so."""
    first = columns[0]
    sizes = tuple(name for name in opened[0].schema.names if plain(name) in _SIZES and name not in first.all)
    there = None
    for file in () if first.pixels else opened:
        there = next(_rows(file, first, sizes), None)
        if there is not None:
            break
    if there is None:
        return list(columns)
    value, said = there
    kind = _kind(value, said, first.kind)
    if kind == first.kind and not (kind == "numbers" and value.ndim == 1 and raw_images.shape_in(said, "")):
        return list(columns)
    sizes = () if kind == "base64" else sizes
    return [replace(one, kind=kind, sizes=sizes) for one in columns]


def _rows(file: ColumnFile, columns: Columns, sizes: Sequence[str]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The values of some of the first rows that have an image, with what says their size."""
    for batch in file.batches([columns.image, *sizes]):
        beside = {plain(name): batch.cells[name].to_pylist() for name in sizes}
        for row, value in enumerate(values_of(batch.cells[columns.image], columns.kind)):
            if value is not None:
                yield value, {name: cells[row] for name, cells in beside.items()}


def _kind(value: Any, said: Mapping[str, Any], kind: str) -> str:
    if kind == "path":
        return "base64" if _is_base64(value) else kind
    content = _content(value) if kind in ("struct", "bytes", "fields") else None
    if content is None or (isinstance(content, bytes) and not content):
        return kind
    if kind == "fields" or not isinstance(content, bytes) or raw_images.is_npy(content):
        return "raw"
    try:
        with decoding():
            decode(content)
    except DataError:
        return kind if array_of(value, said, "in the first row") is None else "raw"
    return kind


def _content(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return next((value[name] for name in raw_images.CONTENTS if value.get(name) is not None), None)


def _is_base64(text: Any) -> bool:
    return isinstance(text, str) and len(text) > 64 and _unprefixed(text).startswith(_BASE64)


def _unprefixed(text: str) -> str:
    return text.partition(",")[2] if text.startswith("data:image/") else text


def of_base64(text: Any) -> bytes:
    """The bytes of a text; none where it is damaged."""
    try:
        return base64.b64decode(_unprefixed(text)) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""


def array_of(value: Any, said: Mapping[str, Any], where: str) -> np.ndarray | None:
    """The image of a row, as numbers; None where there is none.

    Raises:
        DataError: a size that is none.
    """
    if isinstance(value, dict):
        said = {**said, **{plain(name): one for name, one in value.items()}}
    content = _content(value)
    if content is None:
        return None
    shape = raw_images.shape_in(said, where)
    if isinstance(content, bytes):
        if raw_images.is_npy(content):
            return raw_images.of_npy(content)
        array = raw_images.of_bytes(content, shape) if shape else raw_images.squared(content)
        if (
            array is not None
            and array.ndim == 3
            and array.shape[2] in (3, 4)
            and {"origin", "mode"} <= {*said}
        ):
            return np.ascontiguousarray(array[..., np.array([2, 1, 0, 3][: array.shape[2]])])
        return array
    try:
        array = np.asarray(content)
        return array.reshape(shape) if shape else array
    except ValueError:
        return np.zeros(0)
