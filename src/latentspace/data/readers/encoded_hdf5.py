"""HDF5 with image files in it, JPEG or PNG: a dataset of them beside labels, or a dataset for each.

A dataset of files is one of bytes of any length, or of opaque values. Labels, groups, class names and parts
are told by their names, as those beside arrays are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...core.errors import DataError
from ..config import DataConfig
from ..imageset import ImageSet
from .apart import ApartError, read_apart
from .array_names import ArrayName, all_taken_apart
from .chosen import Stored
from .collect import collect
from .hdf5 import datasets, opened
from .label_columns import with_asked
from .labels import check_count, classes_of_labels
from .layout import NO_LABEL
from .listed import Again, listed_images
from .reading import Content, File
from .tables import part_number

_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
_SOURCE: Final = "an HDF5 file of image files"


def read_encoded(path: Path, arrays: Sequence[Stored], config: DataConfig) -> ImageSet | None:
    """The images in the file at `path`; None where it holds no image files.

    Args:
        arrays: all that it holds.

    Raises:
        DataError: a damaged file, or labels that do not fit.
    """
    with opened(path) as file:
        found = dict(datasets(file))
        columns = {name: one.name for name, one in found.items() if one.ndim == 1 and _holds_files(one)}
        single = [name for name, one in found.items() if _is_file(one)]
    if columns:
        contents = _contents(path, columns)
        if all(_is_image(next(filter(None, one), b"")) for one in contents.values()):
            return images_of_columns(path, contents, arrays, config, _SOURCE)
    if not single:
        return None

    def files() -> Iterator[File]:
        with opened(path) as file:
            for name in single:
                yield File(name, bytes(np.asarray(file[name][...]).tobytes()))

    return collect(Again(files), origin=str(path), config=config).images(_SOURCE)


def _holds_files(one: Any) -> bool:
    import h5py

    inner = h5py.check_vlen_dtype(one.dtype)
    opaque = one.dtype.kind == "V" and one.dtype.names is None and one.dtype.subdtype is None
    return inner in (np.uint8, np.int8) or opaque


def _is_file(one: Any) -> bool:
    """Whether a dataset is the bytes of one image file."""
    if one.ndim == 0 and one.dtype.kind == "V" and one.dtype.names is None:
        return _is_image(np.asarray(one[()]).tobytes()[:16])
    return bool(one.ndim == 1 and one.dtype == np.uint8 and _is_image(bytes(one[:16])))


def _is_image(start: bytes) -> bool:
    return start.startswith(_STARTS)


def _contents(path: Path, columns: Mapping[str, str]) -> dict[str, list[bytes]]:
    """The files in each of some datasets."""
    try:
        found = read_apart("files", path, list(columns.values()))
    except ApartError as error:
        raise DataError(
            f"{path} must be a whole HDF5 file", found=str(error), do="fetch or save it again"
        ) from error
    contents = {}
    for name, flat, lengths in zip(columns, found[::2], found[1::2], strict=True):
        ends = np.cumsum(lengths)
        contents[name] = [flat[end - size : end].tobytes() for end, size in zip(ends, lengths, strict=True)]
    return contents


def images_of_columns(
    path: Path,
    contents: Mapping[str, Sequence[Content]],
    arrays: Sequence[Stored],
    config: DataConfig,
    source: str,
) -> ImageSet:
    """The images in columns, by their names, with what `arrays` say of them.

    Raises:
        DataError: columns of several sets, or labels that do not fit.
    """
    said = with_asked(all_taken_apart([one.name for one in arrays]), config.label, path)
    parts = {name: said[name].part for name in contents}
    if len(parts) > 1 and (None in parts.values() or len(set(parts.values())) < len(parts)):
        raise DataError(
            f"{path} must hold one dataset of image files, or its parts train, val and test",
            found=", ".join(contents),
            do="save the images of one set in a file of their own",
        )
    ordered = sorted(contents, key=lambda name: parts[name] or 0)
    counts = [len(contents[name]) for name in ordered]
    beside = {
        role: [
            _beside(role, parts[name], said, arrays, count, path)
            for name, count in zip(ordered, counts, strict=True)
        ]
        for role in ("labels", "groups", "split", "files")
    }
    labels, class_names = _labels(beside["labels"], _named(said, arrays), sum(counts), path)
    column = {
        role: [None] * sum(counts) if any(one is None for one in found) else np.concatenate(found).tolist()  # type: ignore[arg-type]
        for role, found in beside.items()
    }
    rows = [(name, row, one) for name in ordered for row, one in enumerate(contents[name])]

    def files() -> Iterator[File]:
        for place, (name, row, content) in enumerate(rows):
            called = column["files"][place] or (str(row) if len(ordered) == 1 else f"{name}[{row}]")
            part, group = column["split"][place], column["groups"][place]
            yield File(
                called if isinstance(called, str) else called.decode(errors="backslashreplace"),
                content,
                label=None if labels is None else labels[place],
                group=None if group is None else str(group),
                part=parts[name] if part is None else part_number(_text(part), f"in row {row:,}"),
                reason="" if content else "no bytes",
            )

    return listed_images(Again(files), config, origin=str(path), source=source, class_names=class_names)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _beside(
    role: str,
    part: int | None,
    said: Mapping[str, ArrayName],
    arrays: Sequence[Stored],
    count: int,
    path: Path,
) -> np.ndarray | None:
    """The array of a role for the images of a part; None where there is none."""
    fitting = [one for one in arrays if said[one.name].role == role and said[one.name].part == part]
    fitting = [one for one in fitting if not one.dtype.hasobject and one.shape]
    if not fitting:
        return None
    column = min(fitting, key=lambda one: (len(said[one.name].prefix), said[one.name].rank)).read()
    if column.shape == (1, count):  # as MATLAB has rows
        column = column.reshape(-1)
    check_count(role, column, count, str(path))
    return column


def _named(said: Mapping[str, ArrayName], arrays: Sequence[Stored]) -> np.ndarray | None:
    return next((one.read() for one in arrays if said[one.name].role == "class_names"), None)


def _labels(
    columns: Sequence[np.ndarray | None], names: np.ndarray | None, count: int, path: Path
) -> tuple[list[str | None] | None, tuple[str, ...]]:
    there = [one for one in columns if one is not None]
    if len(there) < len(columns):
        return None, ()
    found = classes_of_labels(np.concatenate(there), names, count, str(path))
    if found.labels is None:
        return None, ()
    called = [None if name == NO_LABEL else name for name in found.names]
    return [called[label] for label in found.labels.tolist()], tuple(one for one in called if one is not None)
