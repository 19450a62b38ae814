"""What a table says of images -> an ImageSet: their labels, groups and parts, in the order of the table."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array, Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord, Unreadable
from ..imageset import ImageSet
from .axes import arranged, squares
from .collect import collect
from .filenames import natural
from .label_columns import NONE
from .layout import NO_LABEL
from .pixels_of import as_bytes
from .raw_images import picture_of
from .reading import File
from .tables import numbers_of, some

if TYPE_CHECKING:
    from ..config import DataConfig

T = TypeVar("T")

_FRACTION: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_WORDS: Final = 4  # of a caption, at least


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
            said.append(file._replace(content=b""))
            yield file._replace(name=f"row {row}", label=None, group=None, part=None)

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
        _labels(kept, config),
        [file.group for file in kept],
        [file.part for file in kept],
        class_names=class_names,
        origin=origin,
    )


def _labels(files: Sequence[File], config: "DataConfig") -> list[str | None]:
    """The labels of `files`; none where none are wanted, so that none is left out."""
    return [] if config.label == NONE else [file.label for file in files]


def _named_again(name: str, said: Sequence[File]) -> File:
    """The file of `row 5`, or of its tile `row 5[0,64]`, which is called after it."""
    row, bracket, corner = name.removeprefix("row ").partition("[")
    file = said[int(row)]
    if not bracket:
        return file
    return file._replace(name=f"{file.name}[{corner}", group=file.group or file.name)


def described(
    images: ImageSet,
    labels: Sequence[str | None] = (),
    groups: Sequence[str | None] = (),
    parts: Sequence[int | None] = (),
    *,
    class_names: Sequence[str] = (),
    origin: str,
    open_labels: bool = False,
) -> ImageSet:
    """`images` with what was said of each; where some have a label, those without one are left out, and said.

    An image without a group is a group of its own. Fractions, and texts that differ from image to image, are
    no labels.

    Args:
        open_labels: images without a label stay, in the class `NO_LABEL`.
    """
    if any(part is not None and part >= 0 for part in parts):
        numbers = np.array([-1 if part is None else part for part in parts], dtype=np.int64)
        images = replace(images, parts=numbers)
    if any(groups):
        images = replace(images, groups=group_numbers(groups))
    if not any(label is not None for label in labels):
        return images
    if not class_names and (why := _no_classes([label for label in labels if label is not None])):
        return warned(images, f"labels of {origin} left out: {why}")
    missing = [place for place, label in enumerate(labels) if label is None]
    if missing and open_labels:
        order = (*sorted({label for label in labels if label is not None}, key=natural), NO_LABEL)
        named = [NO_LABEL if label is None else label for label in labels]
        return replace(images, labels=numbers_of(named, order), class_names=order)
    if missing:
        names = images.names_of(np.array(missing, dtype=np.int64))
        note = f"{counted(len(missing))} left out, as {origin} has no label for them: {some(names)}"
        keep = np.array([place for place, label in enumerate(labels) if label is not None], dtype=np.int64)
        images = warned(images.subset(keep), note)
    there = [label for label in labels if label is not None]
    order = tuple(class_names) or tuple(sorted(set(there), key=natural))
    return replace(images, labels=numbers_of(there, order), class_names=order)


def _no_classes(labels: Sequence[str]) -> str:
    """Why labels are no classes: fractions or captions, most of them different; nothing where they are."""
    different = set(labels)
    if 2 * len(different) <= len(labels):
        return ""
    if all(map(_FRACTION.fullmatch, different)) and any(float(label) % 1 for label in different):
        return "numbers that are not whole, which are not classes"
    if 2 * sum(len(label.split()) >= _WORDS for label in different) > len(different):
        return "texts that differ from image to image, which are not classes"
    return ""


def group_numbers(groups: Sequence[str | None]) -> Int64Array:
    """A number for each group, and one of its own for each image without one."""
    numbers: dict[object, int] = {}
    keys = ((None, place) if group in (None, "") else group for place, group in enumerate(groups))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def warned(images: ImageSet, *warnings: str) -> ImageSet:
    """`images` with more sentences among the warnings of its record."""
    record = images.record.model_copy(update={"warnings": (*images.record.warnings, *warnings)})
    return replace(images, record=record)


def noted(images: ImageSet, *notes: str) -> ImageSet:
    """`images` with more sentences among the conversions of its record."""
    record = images.record.then(*notes)
    return replace(images, record=record)


def listed_arrays(
    rows: Iterable[tuple[File, np.ndarray | None]],
    config: "DataConfig",
    class_names: Sequence[str],
    *,
    origin: Path,
    source: str,
) -> ImageSet:
    """As `listed_images`, of arrays, each an image; None and empty ones are skipped and counted.

    Raises:
        DataError: none at all, or numbers that are no images.
    """
    files: list[File] = []
    arrays: list[np.ndarray] = []
    unreadable = []
    for file, array in rows:
        if array is None or not array.size:
            reason = "no image in this row (null)" if array is None else "no rectangle of numbers"
            unreadable.append(Unreadable(name=file.name, reason=reason))
            continue
        arrays.append(array)
        files.append(file)
    if not arrays:
        raise DataError(
            f"{origin} must hold at least one image",
            found=f"none in {counted(len(unreadable), 'row')}",
            do="name another file",
        )
    others = [place for place, one in enumerate(arrays) if one.shape != arrays[0].shape]
    if others and all(one.ndim == 1 for one in arrays):
        raise DataError(
            f"the rows of numbers of {origin} must have one length",
            found=", ".join(f"{arrays[one].shape} in {files[one].name}" for one in (0, others[0])),
            do="write the images as encoded files (png), or as lists of rows",
        )
    if others:
        return _of_several_shapes(files, arrays, unreadable, config, class_names, str(origin), source)
    pixels, record = pixels_of(np.stack(arrays), config.levels, origin)
    record = record.model_copy(update={"unreadable": tuple(unreadable)})
    names = tuple(file.name for file in files)
    return described(
        ImageSet(pixels, source=source, record=record, files=names),
        _labels(files, config),
        [file.group for file in files],
        [file.part for file in files],
        class_names=class_names,
        origin=str(origin),
    )


def _of_several_shapes(
    files: Sequence[File],
    arrays: Sequence[np.ndarray],
    unreadable: Sequence[Unreadable],
    config: "DataConfig",
    class_names: Sequence[str],
    origin: str,
    source: str,
) -> ImageSet:
    pictures = [picture_of(one) for one in arrays]
    there = [
        file._replace(content=picture)
        if picture
        else file._replace(reason=f"numbers of shape {array.shape} are no image, or not all finite")
        for file, array, picture in zip(files, arrays, pictures, strict=True)
    ]
    images = listed_images(there, config, origin=origin, source=source, class_names=class_names)
    record = images.record.model_copy(update={"unreadable": (*unreadable, *images.record.unreadable)})
    return replace(images, record=record)


def pixels_of(values: np.ndarray, levels: str, origin: Path) -> tuple[Pixels, CleaningRecord]:
    """Any numbers as pixels, as those of an array are; a row of numbers is a square image.

    Args:
        levels: which values become black and white: `data.levels`.

    Raises:
        DataError: rows that are no square, or numbers that are no images.
    """
    found = (squares if values.ndim == 2 else arranged)(values, str(origin))
    pixels, record = as_bytes(found.array, levels, str(origin), alpha=found.alpha)
    return pixels, record.after(*found.notes)
