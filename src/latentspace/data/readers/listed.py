"""What a table says of images -> an ImageSet: their labels, groups and parts, in the order of the table."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array, Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord, Unreadable
from ..imageset import ImageSet
from .collect import collect
from .conversion import as_pixels
from .filenames import natural
from .reading import File
from .tables import numbers_of, some

if TYPE_CHECKING:
    from ..config import DataConfig

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again(Generic[T]):
    """What can be gone through as often as is asked for."""

    start: Callable[[], Iterator[T]]

    def __iter__(self) -> Iterator[T]:
        return self.start()


def listed_images(
    files: Iterable[File], config: "DataConfig", *, origin: str, source: str, class_names: Sequence[str] = ()
) -> ImageSet:
    """The images of `files`, in their order, with the label, group and part that each brings.

    Args:
        files: can be gone through more than once.
        class_names: the order of the classes, where the source knows it; else they are sorted.

    Raises:
        DataError: what `collect` raises.
    """
    said: list[File] = []

    def numbered() -> Iterator[File]:
        said.clear()
        for row, file in enumerate(files):
            said.append(replace(file, content=b""))
            yield replace(file, name=f"row {row}", label=None, group=None, part=None)

    collected = collect(Again(numbered), origin=origin, config=config)
    kept = [_named_again(name, said) for name in collected.names]
    unreadable = tuple(
        one.model_copy(update={"name": said[int(one.name.removeprefix("row "))].name})
        for one in collected.record.unreadable
    )
    sizes = tuple(
        one.model_copy(update={"example": said[int(one.example.removeprefix("row "))].name})
        for one in collected.record.sizes
    )
    images = ImageSet(
        collected.pixels,
        source=source,
        record=collected.record.model_copy(update={"unreadable": unreadable, "sizes": sizes}),
        files=tuple(file.name for file in kept),
    )
    return described(
        images,
        [file.label for file in kept],
        [file.group for file in kept],
        [file.part for file in kept],
        class_names=class_names,
        origin=origin,
    )


def _named_again(name: str, said: Sequence[File]) -> File:
    """The file of `row 5`, or of its tile `row 5[0,64]`, which is called after it."""
    row, bracket, corner = name.removeprefix("row ").partition("[")
    file = said[int(row)]
    return replace(file, name=f"{file.name}[{corner}", group=file.group or file.name) if bracket else file


def described(
    images: ImageSet,
    labels: Sequence[str | None] = (),
    groups: Sequence[str | None] = (),
    parts: Sequence[int | None] = (),
    *,
    class_names: Sequence[str] = (),
    origin: str,
) -> ImageSet:
    """`images` with what was said of each; where some have a label, those without one are left out, and said.

    An image without a group is a group of its own.
    """
    if any(part is not None and part >= 0 for part in parts):
        numbers = np.array([-1 if part is None else part for part in parts], dtype=np.int64)
        images = replace(images, parts=numbers)
    if any(groups):
        images = replace(images, groups=group_numbers(groups))
    if not any(label is not None for label in labels):
        return images
    missing = [place for place, label in enumerate(labels) if label is None]
    if missing:
        names = images.names_of(np.array(missing, dtype=np.int64))
        note = f"{counted(len(missing))} left out, as {origin} has no label for them: {some(names)}"
        logger.warning("%s", note)
        keep = np.array([place for place, label in enumerate(labels) if label is not None], dtype=np.int64)
        images = noted(images.subset(keep), note)
    there = [label for label in labels if label is not None]
    order = tuple(class_names) or tuple(sorted(set(there), key=natural))
    return replace(images, labels=numbers_of(there, order), class_names=order)


def group_numbers(groups: Sequence[str | None]) -> Int64Array:
    """A number for each group, and one of its own for each image without one."""
    numbers: dict[object, int] = {}
    keys = ((None, place) if group in (None, "") else group for place, group in enumerate(groups))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def noted(images: ImageSet, *notes: str) -> ImageSet:
    """`images` with more sentences among the conversions of its record."""
    record = images.record.model_copy(update={"conversions": (*images.record.conversions, *notes)})
    return replace(images, record=record)


def listed_arrays(
    rows: Iterable[tuple[File, np.ndarray | None]], class_names: Sequence[str], *, origin: Path, source: str
) -> ImageSet:
    """As `listed_images`, of arrays of one shape; None and empty ones are skipped and counted.

    Raises:
        DataError: arrays of several shapes, none at all, or numbers that are no images.
    """
    files: list[File] = []
    arrays: list[np.ndarray] = []
    unreadable = []
    for file, array in rows:
        if array is None or not array.size:
            reason = "no image in this row (null)" if array is None else "no rectangle of numbers"
            unreadable.append(Unreadable(name=file.name, reason=reason))
            continue
        if arrays and array.shape != arrays[0].shape:
            raise DataError(
                f"the images of {origin} must all have one shape",
                found=f"{arrays[0].shape} in {files[0].name}, {array.shape} in {file.name}",
                do="write the images as encoded files (png), or bring them to one shape first",
            )
        arrays.append(array)
        files.append(file)
    if not arrays:
        raise DataError(
            f"{origin} must hold at least one image",
            found=f"none in {counted(len(unreadable), 'row')}",
            do="name another file",
        )
    pixels, notes = pixels_of(np.stack(arrays), origin)
    record = CleaningRecord(unreadable=tuple(unreadable), conversions=tuple(notes))
    names = tuple(file.name for file in files)
    return described(
        ImageSet(pixels, source=source, record=record, files=names),
        [file.label for file in files],
        [file.group for file in files],
        [file.part for file in files],
        class_names=class_names,
        origin=str(origin),
    )


def pixels_of(values: np.ndarray, origin: Path) -> tuple[Pixels, list[str]]:
    """Any numbers as pixels; a row of numbers is a square, in grey or in three channels.

    Raises:
        DataError: rows that are no square, or numbers that are no images.
    """
    notes: list[str] = []
    if values.dtype.kind in "iu" and values.size and values.min() >= 0 and values.max() <= 255:
        values = values.astype(np.uint8, copy=False)
    if values.ndim == 2:
        values, note = _squared(values, origin)
        notes.append(note)
    if values.ndim == 4 and values.dtype == np.uint8 and values.shape[1] == 3 and notes:
        return np.ascontiguousarray(values), notes
    pixels, record = as_pixels(np.ascontiguousarray(values), str(origin))
    return pixels, [*notes, *record.conversions]


def _squared(values: np.ndarray, origin: Path) -> tuple[np.ndarray, str]:
    count = values.shape[1]
    found = square_of(count)
    if found is None:
        raise DataError(
            f"each row of {origin} must have the pixels of a square, in grey or in three channels",
            found=f"{counted(count, 'number')} in a row",
            do="save the images as an array of N x H x W: numpy.save('images.npy', rows.reshape(-1, H, W))",
        )
    channels, side = found
    note = f"{counted(len(values))} read from rows of {count:,} as {side} x {side}"
    if channels == 1:
        return values.reshape(-1, side, side), note
    planes = values.reshape(-1, 3, side, side)
    mixed = values.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    by_pixel = _roughness(mixed) < _roughness(planes)
    how = "pixel by pixel" if by_pixel else "channel by channel"
    return (mixed if by_pixel else planes), f"{note} in colour, {how}"


def square_of(count: int) -> tuple[int, int] | None:
    """Channels and side of a square image of `count` numbers; None where it is none."""
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side > 1 and side * side * channels == count:
            return channels, side
    return None


def _roughness(images: np.ndarray) -> float:
    """The mean difference of neighbours, of the first images."""
    some_images = images[:200].astype(np.float64)
    return float(sum(np.abs(np.diff(some_images, axis=axis)).mean() for axis in (2, 3)))
