"""Some image files -> their pixels, and what must be known of all images of a set: the work of one process.

A function of its task alone, so that a set comes out the same to the bit, however it is divided.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import UInt8

from ...core.errors import DataError
from ...core.types import Pixels
from ...core.wording import option
from ..config import DataConfig
from ..fitting import Size
from .decode import UNKNOWN, DecodedImage, decode, size_of
from .foreign import is_of_camera, reason_of
from .places import Place, Stamp, stamp_at, stamp_of
from .streams import FIRST, start_of
from .survey import Conversion, Survey

SMALL: Final = 2**20  # bytes of a file that is read at once


Content: TypeAlias = bytes | str | Place | DecodedImage


class File(NamedTuple):
    """A file that should be an image: its path within the source, and its bytes, or where they are.

    They are in a file of their own at a path, or at a place in a larger one. Of a page of a larger file the
    image itself is there.

    `reason` says why there is nothing to read, where that is known beforehand; `stamp` is its size in
    bytes and its times of change in nanoseconds, where it lies on the disk. `label`, `group` and `part` are
    what the source says of it beside its name: None where it says nothing.
    """

    name: str
    content: Content
    reason: str = ""
    stamp: Stamp = ()
    label: str | None = None
    group: str | None = None
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Files to be read: for the first time, or with the `conversion` that all of them led to.

    `sizes` where of most images nothing but the size is still to be known.
    """

    files: tuple[File, ...]
    config: DataConfig
    conversion: Conversion | None = None
    sizes: bool = False


class Read(NamedTuple):
    """An image that was read: converted pixels, None where they are not yet wanted; its own size."""

    pixels: UInt8[np.ndarray, "height width channels"] | None
    size: Size
    conversions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that cannot be read, in the words of a DataError."""

    must: str
    found: str
    do: str


class Alike(NamedTuple):
    """Images that were all read, to pixels of one shape and from one size, without any conversion."""

    pixels: Pixels
    size: Size


class Answer(NamedTuple):
    """What came of each file of a task, in order; and the survey of these images, if it is the first time."""

    results: tuple[Read | Refused, ...] | Alike
    survey: Survey

    @property
    def each(self) -> tuple[Read | Refused, ...]:
        """The results one by one."""
        if not isinstance(self.results, Alike):
            return self.results
        return tuple([Read(one, self.results.size) for one in self.results.pixels.transpose(0, 2, 3, 1)])


def taken(files: Iterable[File]) -> tuple[File, ...]:
    """The files, with what lies at places of larger ones. Raises: DataError: as `Place.taken`."""
    here = (bytes, str, DecodedImage)
    return tuple([one if isinstance(one.content, here) else one.content.taken(one) for one in files])


def read(task: Task) -> Answer:
    """The images of a task; to be called within `decoding()`.

    Raises:
        DataError: a file that many images lie in is gone, another one, or damaged.
    """
    survey = Survey(task.config)
    own = Conversion(task.config.resize, task.config.fit)  # of sets whose images need not know of each other
    results: list[Read | Refused] = []
    for file in taken(task.files):
        try:
            decoded = isinstance(file.content, DecodedImage)
            size = size_of(_content(file)[0]) if task.sizes and not file.reason and not decoded else None
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
            why = _known_form(file) if error.found == UNKNOWN else ""
            results.append(Refused(error.must, why or error.found, error.do))
    return Answer(_alike(results) or tuple(results), survey)


def read_there(task: Task) -> Answer | None:
    """As `read`, in another process than the one that asks, which reads itself what this one cannot.

    None of files that lie in larger ones which are gone here, other ones, damaged, or lead elsewhere.
    """
    try:
        files = taken(task.files)
    except DataError:
        return None
    if any(
        one is not asked and isinstance(one.content, str)
        for one, asked in zip(files, task.files, strict=True)
    ):
        return None
    return read(replace(task, files=files))


def _alike(results: Sequence[Read | Refused]) -> Alike | None:
    """All of them as one array, which is kept and moved several times as fast; None: they differ."""
    kinds, pixels = set(), []
    for one in results:
        if not isinstance(one, Read) or one.pixels is None:
            return None
        kinds.add((one.size, one.pixels.shape, one.conversions))
        pixels.append(one.pixels)
    if len(kinds) != 1:
        return None
    ((size, _, conversions),) = kinds
    return None if conversions else Alike(np.stack(pixels).transpose(0, 3, 1, 2), size)


def _decoded(file: File) -> DecodedImage:
    if file.reason:
        raise DataError(
            "an image must be a file",
            found=file.reason,
            do=f"remove it, or leave out {option('strict', True)}",
        )
    if isinstance(file.content, DecodedImage):
        return file.content
    if is_of_camera(file.name):
        raise DataError("an image must be a file that Pillow can read", found=UNKNOWN, do="save it as PNG")
    content, seen = _content(file)
    image = decode(content)
    if file.stamp and file.stamp != (seen or stamp_at(content)):
        raise DataError(
            "an image must stay as it is while it is read",
            found="changed while it was read",
            do="read the images again when nothing writes them any more",
        )
    return image


def _known_form(file: File) -> str:
    """What a file is that is no image, if its name or its first bytes say so."""
    content = b"" if isinstance(file.content, DecodedImage) or file.reason else _content(file)[0]
    with suppress(OSError):
        start = content[:FIRST] if isinstance(content, bytes) else start_of(content)
        return reason_of(file.name, start)
    return ""


def _content(file: File) -> tuple[bytes | Path, Stamp]:
    """The bytes of a small file, and its stamp after they were read; else where it lies, and no stamp.

    What cannot be read is said by `decode`.
    """
    if isinstance(file.content, bytes):
        return file.content, ()
    assert isinstance(file.content, str), "places come first"
    if file.stamp and file.stamp[0] <= SMALL:
        with suppress(OSError), FileIO(file.content) as opened:
            return opened.read(), stamp_of(os.fstat(opened.fileno()))
    return Path(file.content), ()


def _weight(file: File) -> int:
    """Its bytes, or about as many."""
    if isinstance(file.content, bytes):
        return len(file.content)
    if isinstance(file.content, DecodedImage):
        return file.content.pixels.nbytes
    return (file.stamp or (0,))[0] if isinstance(file.content, str) else file.content.size


def in_portions(files: Iterable[File], count: int, size: int) -> Iterator[tuple[File, ...]]:
    """The files, at most `count` and about `size` bytes at a time."""
    held: list[File] = []
    weight = 0
    for file in files:
        held.append(file)
        weight += _weight(file)
        if len(held) >= count or weight >= size:
            yield tuple(held)
            held, weight = [], 0
    if held:
        yield tuple(held)
