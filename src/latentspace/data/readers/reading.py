"""Some image files -> their pixels, and what must be known of all images of a set: the work of one process.

A function of its task alone, so that a set comes out the same to the bit, however it is divided.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from ...core.errors import DataError
from ...core.wording import option
from ..config import DataConfig
from ..fitting import Size
from .decode import DecodedImage, decode, size_of
from .survey import Conversion, Survey

Stamp: TypeAlias = tuple[int, ...]
SMALL: Final = 2**20  # bytes of a file that is read at once


@dataclass(frozen=True, slots=True)
class File:
    """A file that should be an image: its path within the source, and its bytes or where they are.

    `reason` says why there is nothing to read, where that is known beforehand; `stamp` is its size in
    bytes and its times of change in nanoseconds, where it lies on the disk. `label`, `group` and `part` are
    what the source says of it beside its name: None where it says nothing.
    """

    name: str
    content: bytes | Path
    reason: str = ""
    stamp: Stamp = ()
    label: str | None = None
    group: str | None = None
    part: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """What is read of it in another process: a path as text, which is several times as fast."""
        content = self.content if isinstance(self.content, bytes) else os.fspath(self.content)
        return _file, (self.name, content, self.reason, self.stamp)


def _file(name: str, content: bytes | str, reason: str, stamp: Stamp) -> File:
    return File(name, content if isinstance(content, bytes) else Path(content), reason, stamp)


@dataclass(frozen=True, slots=True)
class Task:
    """Files to be read: for the first time, or with the `conversion` that all of them led to.

    `sizes` where of most images nothing but the size is still to be known.
    """

    files: tuple[File, ...]
    config: DataConfig
    conversion: Conversion | None = None
    sizes: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """An image that was read: converted pixels, None where they are not yet wanted; its own size."""

    pixels: np.ndarray | None
    size: Size
    conversions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that cannot be read, in the words of a DataError."""

    must: str
    found: str
    do: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of each file of a task, in order; and the survey of these images, if it is the first time."""

    results: tuple[Read | Refused, ...]
    survey: Survey

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process: the pixels of images that are alike as one array, which is much faster."""
        first = self.results[0] if self.results else None
        if isinstance(first, Read) and first.pixels is not None:
            shape, size = first.pixels.shape, first.size
            if all(
                isinstance(one, Read)
                and one.pixels is not None
                and (one.pixels.shape, one.size, one.conversions) == (shape, size, ())
                for one in self.results
            ):
                return _alike, (np.stack([one.pixels for one in self.results]), size, self.survey)  # type: ignore[union-attr, misc]
        return Answer, (self.results, self.survey)


def _alike(pixels: np.ndarray, size: Size, survey: Survey) -> Answer:
    return Answer(tuple([Read(one, size) for one in pixels]), survey)


def stamp_of(about: os.stat_result) -> Stamp:
    """What changes with a file: its size, and the times at which its content and its entry changed."""
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns


def read(task: Task) -> Answer:
    """The images of a task; to be called within `decoding()`."""
    survey = Survey(task.config)
    own = Conversion(task.config.resize, task.config.fit)  # of sets whose images need not know of each other
    results: list[Read | Refused] = []
    for file in task.files:
        try:
            size = size_of(file.content) if task.sizes and not file.reason else None
            if size is not None:
                survey.add_size(size)
                results.append(Read(None, size))
                continue
            image = _decoded(file)
            conversion = task.conversion
            if conversion is None:
                survey.add(image)
                conversion = own if survey.plain else None
            pixels = None if conversion is None else conversion.apply(image)
            results.append(Read(pixels, image.size, image.conversions))
        except DataError as error:
            results.append(Refused(error.must, error.found, error.do))
    return Answer(tuple(results), survey)


def _decoded(file: File) -> DecodedImage:
    if file.reason:
        raise DataError(
            "an image must be a file",
            found=file.reason,
            do=f"remove it, or leave out {option('strict', True)}",
        )
    image = decode(_content(file))
    if file.stamp and isinstance(file.content, Path) and _now(file.content) != file.stamp:
        raise DataError(
            "an image must stay as it is while it is read",
            found="changed while it was read",
            do="read the images again when nothing writes them any more",
        )
    return image


def _content(file: File) -> bytes | Path:
    """The bytes of a small file, else where it lies; what cannot be read is said by `decode`."""
    if isinstance(file.content, Path) and file.stamp and file.stamp[0] <= SMALL:
        with suppress(OSError):
            return file.content.read_bytes()
    return file.content


def _now(path: Path) -> Stamp:
    try:
        return stamp_of(path.stat())
    except OSError:
        return ()


def in_portions(files: Iterable[File], count: int, size: int) -> Iterator[tuple[File, ...]]:
    """The files, at most `count` and about `size` bytes at a time."""
    held: list[File] = []
    weight = 0
    for file in files:
        held.append(file)
        weight += len(file.content) if isinstance(file.content, bytes) else (file.stamp or (0,))[0]
        if len(held) >= count or weight >= size:
            yield tuple(held)
            held, weight = [], 0
    if held:
        yield tuple(held)
