"""The columns of a Parquet or Arrow file: which are images, labels, groups, parts, and what is in them."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import sentence
from .axes import square_of
from .filenames import shown
from .label_columns import asked_column
from .raw_images import CONTENTS, HEIGHTS, SHAPES, WIDTHS
from .tables import GROUP_NAMES, LABEL_NAMES, MISSING, PART_NAMES, PATH_NAMES, column_named, plain

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

IMAGE_NAMES: Final = (
    *("image", "img", "images", "picture", "photo", "pixels"),
    *("png", "jpg", "jpeg", "webp", "data", "x"),
)


@dataclass(frozen=True)
class Columns:
    """The names of the columns that count, and the names of the classes, where the file has them."""

    image: str
    kind: str  # "bytes", "struct", "numbers" or "path"; "fields" of a struct with a size; "raw", "base64"
    label: str | None
    group: str | None
    part: str | None
    path: str | None
    class_names: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()  # where the height, width and channels of raw pixels stand
    pixels: tuple[str, ...] = ()  # where each pixel has a column of its own; `image` is the first of them

    @property
    def all(self) -> list[str]:
        beside = [name for name in (self.label, self.group, self.part, self.path) if name]
        return [*(self.pixels or (self.image,)), *beside, *(one for one in self.sizes if one not in beside)]


def columns_of(schema: "pa.Schema", path: Path, asked: str | None = None) -> Columns:
    """The columns of a schema.

    Args:
        asked: the column that has the labels, where a person says so.

    Raises:
        DataError: no column of images, or not the one that is asked for.
    """
    names = [name for name in schema.names if schema.names.count(name) == 1]
    kinds = {name: _kind(schema.field(name).type) for name in names}
    at = column_named(names, IMAGE_NAMES)
    image = names[at] if at is not None and kinds[names[at]] else None
    for kind in ("struct", "fields", "bytes", "numbers"):
        image = image or next((one for one in names if kinds[one] == kind), None)
    if image is None:
        at = column_named(names, PATH_NAMES)
        image = names[at] if at is not None and kinds[names[at]] == "path" else None
    others = [name for name in names if name == asked]
    pixels = _pixel_columns(schema, names, others) if image is None else ()
    if pixels:
        image, kinds[pixels[0]] = pixels[0], "numbers"
    if image is None:
        listed = [f"{shown(one.name)} ({one.type})" for one in schema]
        raise DataError(
            f"{path} must have a column of images: bytes, a struct of bytes and path, numbers, or paths",
            found=f"columns {sentence(listed, most=6) or 'none'}",
            do="call the column `image`, or write it so: datasets.Image, or png bytes",
        )
    features = _features(schema)
    classes = [name for name in names if features.get(name, {}).get("_type") == "ClassLabel"]

    def named(known: Sequence[str]) -> str | None:
        at = column_named(names, known)
        return None if at is None or names[at] == image else names[at]

    single = [one for one in LABEL_NAMES if not _is_nested(schema, named((one,)))]
    rest = [name for name in names if name not in (image, *pixels) and not _is_nested(schema, name)]
    at = asked_column(rest, asked, path)
    label = (
        rest[at] if at is not None else named(single) or next((one for one in classes if one != image), None)
    )
    several = named(LABEL_NAMES) if label is None else None
    if several:
        logger.warning("%s: %s left out: several labels an image", path, shown(several))
    path_column = named(PATH_NAMES)
    given = features.get(label or "", {}).get("names")
    valid = isinstance(given, list) and len(set(map(str, given))) == len(given)
    return Columns(
        image=image,
        kind=kinds[image],
        label=label,
        group=named(GROUP_NAMES),
        part=named(PART_NAMES),
        path=path_column if path_column and kinds[path_column] == "path" else None,
        class_names=tuple(map(str, given)) if valid else (),
        pixels=pixels,
    )


def _pixel_columns(schema: "pa.Schema", names: Sequence[str], but: Sequence[str]) -> tuple[str, ...]:
    """The columns of numbers that are called nothing else, if they can be the pixels of a square."""
    from pyarrow import types

    others = (*LABEL_NAMES, *GROUP_NAMES, *PART_NAMES, *PATH_NAMES, "index", "__index_level_0__")
    numbers = [
        name
        for name in names
        if (types.is_integer(schema.field(name).type) or types.is_floating(schema.field(name).type))
        and column_named([name], others) is None
        and name not in but
        and not plain(name).endswith("_label")
    ]
    return tuple(numbers) if square_of(len(numbers)) else ()


def _is_nested(schema: "pa.Schema", name: str | None) -> bool:
    from pyarrow import types

    return name is not None and types.is_nested(schema.field(name).type)


def _kind(kind: "pa.DataType") -> str:
    """What a column of this type can be: `struct`, `bytes`, `numbers`, `path`, or nothing."""
    from pyarrow import types

    if isinstance(kind, _extension()):
        kind = kind.storage_type
    if types.is_struct(kind):
        names = {plain(kind.field(place).name) for place in range(kind.num_fields)}
        sized = names & {*CONTENTS} and ({*SHAPES} & names or ({*HEIGHTS} & names and {*WIDTHS} & names))
        return "fields" if sized else "struct" if "bytes" in names else ""
    if any(
        test(kind)
        for test in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    ):
        return "bytes"
    if any(test(kind) for test in (types.is_string, types.is_large_string, types.is_string_view)):
        return "path"
    listed = False
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind, listed = kind.value_type, True
    return "numbers" if listed and (types.is_integer(kind) or types.is_floating(kind)) else ""


def _extension() -> Any:
    import pyarrow as pa

    return pa.BaseExtensionType


def _features(schema: "pa.Schema") -> dict[str, Any]:
    """What Hugging Face's datasets writes about the columns; nothing where it did not."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about["info"]["features"]
        return {name: one for name, one in features.items() if isinstance(one, dict)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def label_of(value: Any, names: Sequence[str], where: str) -> str | None:
    """The name of a label's class, from its name or its number in `names`; None: the image has no label.

    Raises:
        DataError: another label, where the file names its classes; `where` says which row it is of.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or str(value).strip().casefold() in MISSING or (names and value == -1):
        return None
    if not names:
        return str(value)
    if isinstance(value, str) and value in names:
        return value
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    raise DataError(
        f"a label must be one of the classes that the file names, {counted(len(names), 'class')}",
        found=f"{value!r} {where}",
        do="write the file again with labels that fit its metadata",
    )


def values_of(column: "pa.Array", kind: str) -> Iterator[Any]:
    """The cells of a column of images: dictionaries, bytes, paths, or arrays of numbers."""
    if isinstance(column.type, _extension()):
        shape = getattr(column.type, "shape", None)
        for value in values_of(column.storage, kind):
            yield value.reshape(shape) if shape and isinstance(value, np.ndarray) else value
        return
    if kind != "numbers":
        yield from (one.as_py() for one in column)
        return
    for one in column:
        yield None if not one.is_valid else _array(one.values)


def _array(values: "pa.Array") -> np.ndarray:
    """Lists of lists of numbers as an array; an empty one where they are no rectangle, or one is missing."""
    shape = [len(values)]
    while hasattr(values.type, "value_type"):
        if values.null_count:
            return np.zeros(0)
        inner = values.flatten()
        shape.append(len(inner) // max(len(values), 1))
        lengths = {len(one.values) for one in values}
        if len(lengths) > 1:
            return np.zeros(0)
        values = inner
    if values.null_count:
        return np.zeros(0)
    flat = values.to_numpy(zero_copy_only=False)
    return flat.reshape(shape) if flat.size == np.prod(shape) else np.zeros(0)
