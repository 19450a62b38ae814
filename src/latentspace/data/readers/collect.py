"""Many image files -> one array: of one size, grey or RGB, with a record of what was skipped or converted.

Images are decoded one after the other and written straight into an array that grows: nothing but the
result is held. Threads were measured slower than none for small images (Pillow holds the lock throughout).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.progress import told
from ...core.types import Pixels
from ...core.wording import counted, option
from ..cleaning import CleaningRecord, Unreadable, sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .decode import DecodedImage, decode, decoding, format_size, resized
from .filenames import common_folder, natural, natural_order
from .layout import Layout, layout_of

BEGUN = 2**26  # bytes of pixels that the array begins with, or one image
MEMORY_LIMIT = 16 * 2**30  # bytes of pixels in one set, which stays in memory


@dataclass(frozen=True)
class File:
    """A file that should be an image: its path within the source, and its bytes or where they are.

    `reason` says why there is nothing to read, where that is known beforehand; `stamp` is its size in
    bytes and its times of change in nanoseconds, where it lies on the disk. `label`, `group` and `part` are
    what the source says of it beside its name: None where it says nothing.
    """

    name: str
    content: bytes | Path
    reason: str = ""
    stamp: tuple[int, ...] = ()
    label: str | None = None
    group: str | None = None
    part: int | None = None


@dataclass(frozen=True, eq=False)
class Collected:
    """The images of a source in the natural order of their names, which are `class/file` or `file`.

    `root` is the folder that all of them lie in; `sizes` are those before any resizing.
    """

    pixels: Pixels
    names: tuple[str, ...]
    root: str
    sizes: frozenset[tuple[int, int]]
    record: CleaningRecord

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class folders in order; none where some image lies in no class folder."""
        return self.layout.class_names

    def images(self, source: str) -> ImageSet:
        """These images as a set."""
        layout, record = self.layout, self.record
        said = {
            "conversions": record.conversions + layout.notes,
            "warnings": record.warnings + layout.warnings,
        }
        return ImageSet(
            self.pixels,
            source=source,
            labels=layout.labels,
            class_names=layout.class_names,
            record=record.model_copy(update=said),
            files=self.names,
            parts=layout.parts,
        )


def collect(files: Iterable[File], *, origin: str, config: DataConfig | None = None) -> Collected:
    """Decode `files`, skip and count what cannot be read, and order the rest by name.

    Args:
        files: can be gone through more than once.
        origin: names the source in errors.
        config: how images are read; None: as a new plan would.

    Raises:
        DataError: no readable image, more than one size without `resize`, more than fits in memory, or,
            with `strict`, an unreadable image.
    """
    config = config or DataConfig()
    collection = _Collection(origin, config)
    with decoding():
        for file in told(files, "images read"):
            try:
                decoded = decode(_content(file))
            except DataError as error:
                if config.strict:
                    raise DataError(
                        f"{origin}: {file.name}: {error.must}", found=error.found, do=error.do
                    ) from error
                collection.unreadable.append(Unreadable(name=file.name, reason=error.found))
                continue
            collection.add(file, decoded)
    return collection.finished()


def _content(file: File) -> bytes | Path:
    if file.reason:
        raise DataError(
            "an image must be a file",
            found=file.reason,
            do=f"remove it, or leave out {option('strict', True)}",
        )
    return file.content


class _Collection:
    """The array that grows, and what is known of the images in it."""

    def __init__(self, origin: str, config: DataConfig) -> None:
        self.origin = origin
        self.resize = config.resize
        self.names: list[str] = []
        self.unreadable: list[Unreadable] = []
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.examples: dict[tuple[int, int], str] = {}
        self.conversions: Counter[str] = Counter()
        self.grey = 0
        self.buffer: Pixels = np.empty((0, 0, 0, 0), dtype=np.uint8)

    def add(self, file: File, decoded: DecodedImage) -> None:
        pixels = decoded.pixels
        size = (pixels.shape[0], pixels.shape[1])
        self.sizes[size] += 1
        self.examples.setdefault(size, file.name)
        self.conversions.update(decoded.conversions)
        if self.resize is not None:
            if size != self.resize:
                pixels = resized(pixels, self.resize)
                self.conversions[f"resized to {format_size(self.resize)}"] += 1
        elif len(self.sizes) > 1:
            return  # an error in the end: from here on sizes are counted only
        number = len(self.names)
        self.grey += pixels.shape[2] == 1
        self._grow(number, pixels)
        self.buffer[number] = pixels.transpose(2, 0, 1)
        self.names.append(file.name)

    def _grow(self, number: int, pixels: np.ndarray) -> None:
        height, width, channels = pixels.shape
        if number == 0:
            begun = max(1, min(16, BEGUN // pixels.size))
            self.buffer = np.empty((begun, channels, height, width), dtype=np.uint8)
        elif channels > self.buffer.shape[1]:
            self.buffer = np.repeat(self.buffer, channels, axis=1)
        if number < len(self.buffer):
            return
        one = self.buffer[0].size
        if (number + 1) * one > MEMORY_LIMIT:
            raise DataError(
                f"the images of {self.origin} must fit in {MEMORY_LIMIT // 2**30} GiB of memory",
                found=f"more than {counted(number)} of {format_size((height, width))}",
                do=f"make them smaller with {option('resize')}",
            )
        capacity = min(2 * number, MEMORY_LIMIT // one)
        self.buffer.resize((capacity, *self.buffer.shape[1:]), refcheck=False)

    def finished(self) -> Collected:
        self._check()
        count, channels = len(self.names), self.buffer.shape[1]
        self.buffer.resize((count, *self.buffer.shape[1:]), refcheck=False)
        if channels == 3 and self.grey:
            self.conversions["repeated from grey over three channels, as others have colour"] = self.grey
        root = common_folder(self.names)
        names = [name[len(root) :] for name in self.names]
        unreadable = [
            Unreadable(name=one.name.removeprefix(root), reason=one.reason) for one in self.unreadable
        ]
        order = natural_order(names)
        in_order = order == list(range(count))
        return Collected(
            pixels=self.buffer if in_order else self.buffer[order],
            names=tuple(names[number] for number in order),
            root=root,
            sizes=frozenset(self.sizes),
            record=CleaningRecord(
                unreadable=tuple(sorted(unreadable, key=lambda one: natural(one.name))),
                conversions=tuple(
                    f"{counted(many)} {what}" for what, many in sorted(self.conversions.items())
                ),
                warnings=_emptied(names, unreadable),
            ),
        )

    def _check(self) -> None:
        if not self.sizes:
            found = "no image"
            if self.unreadable:
                skipped = sentence([f"{one.name} ({one.reason})" for one in self.unreadable], most=3)
                found = f"none in {counted(len(self.unreadable), 'file')}: {skipped}"
            raise DataError(
                f"{self.origin} must hold at least one image that can be read",
                found=found,
                do="name a folder or archive of images, or check how the files were made",
            )
        if len(self.sizes) > 1 and self.resize is None:
            ranked = self.sizes.most_common()
            listed = [f"{format_size(size)} ({many:,}, as {self.examples[size]})" for size, many in ranked]
            raise DataError(
                f"the images of {self.origin} must all have one size (height x width)",
                found=f"{counted(len(ranked), 'size')}: {sentence(listed)}",
                do=f"bring them to one size, for example {option('resize', ranked[0][0])}",
            )


def _emptied(names: Sequence[str], unreadable: Sequence[Unreadable]) -> tuple[str, ...]:
    """A sentence of the folders that no image could be read of."""
    lost = Counter(one.name.rpartition("/")[0] for one in unreadable)
    kept = {name.rpartition("/")[0] for name in names}
    empty = [f"{folder} ({counted(many, 'file')})" for folder, many in lost.items() if folder not in kept]
    if not empty:
        return ()
    return (f"nothing is left of {counted(len(empty), 'folder')}: none can be read in {sentence(empty)}",)
