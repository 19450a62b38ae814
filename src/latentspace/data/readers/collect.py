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
from ..fitting import Size, format_size
from ..imageset import ImageSet
from ..memmap import blocks
from ..tiles import Tiles, no_tiles
from .decode import DecodedImage, decode, decoding, size_of
from .filenames import common_folder, natural, natural_order
from .layout import Layout, layout_of
from .survey import Conversion, Survey

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

    They are gone through once where each image can be converted by itself; else again, when all are known.

    Args:
        files: can be gone through again, or are few enough to be held.
        origin: names the source in errors.
        config: how images are read; None: as a new plan would.

    Raises:
        DataError: no readable image, other numbers of channels than others have, more than fits in memory,
            or, with `strict`, an unreadable image.
    """
    config = config or DataConfig()
    if iter(files) is files:
        files = list(files)
    survey, collection = Survey(config), _Collection(origin, config)
    with decoding():
        conversion = Conversion(config.resize, config.fit)
        for file in told(files, "images read"):
            known = None if survey.plain or not survey.sizes_suffice else _size(file)
            if known is not None:
                survey.add_size(known)
            elif decoded := collection.decoded(file):
                survey.add(decoded)
                if survey.plain:
                    collection.add(file, decoded, conversion)
        if not survey.plain:
            conversion, collection = survey.conversion(), _Collection(origin, config)
            for file in told(files, "images converted"):
                if decoded := collection.decoded(file):
                    collection.add(file, decoded, conversion)
    return collection.finished(survey)


def _size(file: File) -> Size | None:
    return None if file.reason else size_of(file.content)


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
        self.config = config
        self.tiles = Tiles.parse(config.tiles) if config.tiles else None
        self.names: list[str] = []
        self.unreadable: list[Unreadable] = []
        self.sizes: Counter[Size] = Counter()
        self.conversions: Counter[str] = Counter()
        self.grey = 0
        self.buffer: Pixels = np.empty((0, 0, 0, 0), dtype=np.uint8)

    def decoded(self, file: File) -> DecodedImage | None:
        """The image in a file; None where it cannot be read, which is counted."""
        try:
            return decode(_content(file))
        except DataError as error:
            if self.config.strict:
                raise DataError(
                    f"{self.origin}: {file.name}: {error.must}", found=error.found, do=error.do
                ) from error
            self.unreadable.append(Unreadable(name=file.name, reason=error.found))
            return None

    def add(self, file: File, decoded: DecodedImage, conversion: Conversion) -> None:
        pixels = conversion.apply(decoded)
        self.sizes[decoded.size] += 1
        self.conversions.update(decoded.conversions)
        if self.tiles is None:
            self._put(file.name, pixels)
        else:
            for name, tile in self.tiles.cut(pixels, file.name):
                self._put(name, tile)

    def _put(self, name: str, pixels: np.ndarray) -> None:
        number = len(self.names)
        self.grey += pixels.shape[2] == 1
        self._grow(number, pixels, name)
        self.buffer[number] = pixels.transpose(2, 0, 1)
        self.names.append(name)

    def _grow(self, number: int, pixels: np.ndarray, name: str) -> None:
        height, width, channels = pixels.shape
        if number == 0:
            begun = max(1, min(16, BEGUN // pixels.size))
            self.buffer = np.empty((begun, channels, height, width), dtype=np.uint8)
        elif channels != self.buffer.shape[1] and {channels, self.buffer.shape[1]} != {1, 3}:
            raise DataError(
                f"the images of {self.origin} must have one number of channels, or be grey and colour",
                found=f"{counted(channels, 'channel')} in {name}, {self.buffer.shape[1]} in others",
                do="read them as sets of their own",
            )
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

    def finished(self, survey: Survey) -> Collected:
        self._check()
        notes = survey.notes()
        if self.tiles is not None:
            notes += self.tiles.words(self.sizes)
        count, channels = len(self.names), self.buffer.shape[1]
        self.buffer.resize((count, *self.buffer.shape[1:]), refcheck=False)
        binary = survey.plain and survey.tally.windows().get("|u1")
        if binary:
            for here in blocks(self.buffer):
                self.buffer[here] = binary.apply(self.buffer[here])
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
                conversions=(
                    *notes,
                    *(f"{counted(many)} {what}" for what, many in sorted(self.conversions.items())),
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
        if self.tiles is not None and not self.names:
            raise no_tiles(self.origin, self.tiles, max(self.sizes))


def _emptied(names: Sequence[str], unreadable: Sequence[Unreadable]) -> tuple[str, ...]:
    """A sentence of the folders that no image could be read of."""
    lost = Counter(one.name.rpartition("/")[0] for one in unreadable)
    kept = {name.rpartition("/")[0] for name in names}
    empty = [f"{folder} ({counted(many, 'file')})" for folder, many in lost.items() if folder not in kept]
    if not empty:
        return ()
    return (f"nothing is left of {counted(len(empty), 'folder')}: none can be read in {sentence(empty)}",)
