"""Many image files -> one array: of one size, grey or RGB, with a record of what was skipped or converted.

Images are decoded by several processes, and written straight into an array that grows: nothing but the
result is held.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...core.errors import DataError
from ...core.progress import tell
from ...core.types import Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord, Unreadable, original_sizes, sentence
from ..config import DataConfig
from ..fitting import Size
from ..growing import Growing
from ..imageset import ImageSet
from ..memmap import blocks
from ..tiles import Tiles, no_tiles
from .decode import decoding
from .extra_formats import FIRST_FRAME
from .filenames import common_folder, natural, natural_order
from .layout import Layout, layout_of
from .processes import answers
from .reading import Alike, Answer, File, Read, Refused, Task
from .survey import Survey


@dataclass(frozen=True, eq=False)
class Collected:
    """The images of a source in the natural order of their names, which are `class/file` or `file`.

    `root` is the folder that all of them lie in; `sizes` are those before any resizing; `beside` are the
    names of other files, where the source knows them.
    """

    pixels: Pixels
    names: tuple[str, ...]
    root: str
    sizes: frozenset[tuple[int, int]]
    record: CleaningRecord
    beside: tuple[str, ...] = ()

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
        images = ImageSet(
            self.pixels,
            source=source,
            labels=layout.labels,
            class_names=layout.class_names,
            record=record.model_copy(update=said),
            files=self.names,
            parts=layout.parts,
        )
        return images.subset(np.setdiff1d(np.arange(len(images)), layout.masks)) if layout.masks else images


def collect(
    files: Iterable[File], *, origin: str, config: DataConfig | None = None, ordered: bool = False
) -> Collected:
    """Decode `files`, skip and count what cannot be read, and order the rest by name.

    They are gone through once where each image can be converted by itself; else again, when all are known.

    Args:
        files: can be gone through again, or are few enough to be held.
        origin: names the source in errors.
        config: how images are read; None: as a new plan would.
        ordered: whether they come in the natural order of their names.

    Raises:
        DataError: no readable image, other numbers of channels than others have, more than fits in memory,
            or, with `strict`, an unreadable image.
    """
    config = config or DataConfig()
    if iter(files) is files:
        files = list(files)
    total = len(files) if isinstance(files, Sized) else 0
    survey, collection = Survey(config), _Collection(origin, config)

    def first(some: tuple[File, ...]) -> Task:
        return Task(some, config, sizes=not survey.plain and survey.sizes_suffice)

    with decoding(), closing(answers(files, first)) as answered:
        for task, answer in answered:
            survey.merge(answer.survey)
            collection.add(task, answer, total, "images read", keep=survey.plain)
    if not survey.plain:
        conversion, collection = survey.conversion(), _Collection(origin, config)
        with decoding(), closing(answers(files, lambda some: Task(some, config, conversion))) as answered:
            for task, answer in answered:
                collection.add(task, answer, total, "images converted", keep=True)
    return collection.finished(survey, ordered=ordered)


class _Collection:
    """The array that grows, and what is known of the images in it."""

    def __init__(self, origin: str, config: DataConfig) -> None:
        self.origin = origin
        self.config = config
        self.tiles = Tiles.parse(config.tiles) if config.tiles else None
        self.names: list[str] = []
        self.unreadable: list[Unreadable] = []
        self.sizes: Counter[Size] = Counter()
        self.examples: dict[Size, str] = {}
        self.conversions: Counter[str] = Counter()
        self.grey = 0
        self.seen = 0
        self.pixels = Growing(origin, config.resident)

    def add(self, task: Task, answer: Answer, total: int, doing: str, *, keep: bool) -> None:
        """What was read of some files; `keep`: with their pixels."""
        if isinstance(answer.results, Alike) and self.tiles is None and keep:
            pixels, size = answer.results
            self.sizes[size] += len(pixels)
            self.examples.setdefault(size, task.files[0].name)
            self._put([file.name for file in task.files], pixels)
        else:
            for file, result in zip(task.files, answer.each, strict=True):
                self._add_one(file, result, keep=keep)
        self.seen += len(task.files)
        tell(doing, self.seen, total)

    def _add_one(self, file: File, result: Read | Refused, *, keep: bool) -> None:
        if isinstance(result, Refused):
            self._refuse(file, result)
            return
        self.sizes[result.size] += 1
        self.examples.setdefault(result.size, file.name)
        self.conversions.update(result.conversions)
        if keep and result.pixels is not None:
            self._cut(file.name, result.pixels)

    def _refuse(self, file: File, result: Refused) -> None:
        if self.config.strict:
            raise DataError(f"{self.origin}: {file.name}: {result.must}", found=result.found, do=result.do)
        self.unreadable.append(Unreadable(name=file.name, reason=result.found))

    def _cut(self, name: str, pixels: np.ndarray) -> None:
        if self.tiles is None:
            self._put([name], pixels.transpose(2, 0, 1)[None])
        else:
            for tile_name, tile in self.tiles.cut(pixels, name):
                self._put([tile_name], tile.transpose(2, 0, 1)[None])

    def _put(self, names: Sequence[str], pixels: Pixels) -> None:
        channels = pixels.shape[1]
        others = self.pixels.shape[0] if self.names else channels
        if channels != others and {channels, others} != {1, 3}:
            raise DataError(
                f"the images of {self.origin} must have one number of channels, or be grey and colour",
                found=f"{counted(channels, 'channel')} in {names[0]}, {others} in others",
                do="read them as sets of their own",
            )
        self.grey += len(pixels) * (channels == 1)
        self.pixels.extend(pixels)
        self.names += names

    def finished(self, survey: Survey, *, ordered: bool) -> Collected:
        self._check()
        record = survey.record()
        if self.tiles is not None:
            record = record.then(*self.tiles.words(self.sizes))
        if self.pixels.shape[0] == 3 and self.grey:
            self.conversions["repeated from grey over three channels, as others have colour"] = self.grey
        root = common_folder(self.names)
        names = [name[len(root) :] for name in self.names]
        unreadable = [
            Unreadable(name=one.name.removeprefix(root), reason=one.reason) for one in self.unreadable
        ]
        pages = _first_pages(self.conversions.get(FIRST_FRAME, 0), len(names))
        here = list(range(len(names)))
        order = here if ordered and self.tiles is None else natural_order(names)
        pixels = self.pixels.finished(None if order == here else order)
        binary = survey.plain and survey.tally.windows().get("|u1")
        if binary:
            for block in blocks(pixels):
                pixels[block] = binary.apply(pixels[block])
        return Collected(
            pixels=pixels,
            names=tuple(names[number] for number in order),
            root=root,
            sizes=frozenset(self.sizes),
            record=record.then(
                *(f"{counted(many)} {what}" for what, many in sorted(self.conversions.items()))
            ).model_copy(
                update={
                    "unreadable": tuple(sorted(unreadable, key=lambda one: natural(one.name))),
                    "warnings": _emptied(names, unreadable) + pages,
                    "sizes": original_sizes(
                        self.sizes,
                        {size: name.removeprefix(root) for size, name in self.examples.items()},
                        (pixels.shape[2], pixels.shape[3]),
                    ),
                }
            ),
        )

    def _check(self) -> None:
        if not self.sizes:
            found = "no image"
            if self.unreadable:
                reasons = {one.reason for one in self.unreadable}
                skipped = sentence([f"{one.name} ({one.reason})" for one in self.unreadable], most=3)
                if len(reasons) == 1 < len(self.unreadable):
                    names = sentence([one.name for one in self.unreadable], most=3)
                    skipped = f"{names} ({reasons.pop()})"
                found = f"none in {counted(len(self.unreadable), 'file')}: {skipped}"
            raise DataError(
                f"{self.origin} must hold at least one image that can be read",
                found=found,
                do="name a folder or archive of images, or check how the files were made",
            )
        if self.tiles is not None and not self.names:
            raise no_tiles(self.origin, self.tiles, max(self.sizes))


def _first_pages(many: int, images: int) -> tuple[str, ...]:
    """A sentence where most files have more frames or pages than are read."""
    if not many or 2 * many < images:
        return ()
    return (
        f"of {counted(many, 'file')} of several pages or frames the first alone is read; "
        "for all of one file, name it itself",
    )


def _emptied(names: Sequence[str], unreadable: Sequence[Unreadable]) -> tuple[str, ...]:
    """A sentence of the folders that no image could be read of."""
    lost = Counter(one.name.rpartition("/")[0] for one in unreadable)
    kept = {name.rpartition("/")[0] for name in names}
    empty = [f"{folder} ({counted(many, 'file')})" for folder, many in lost.items() if folder not in kept]
    if not empty:
        return ()
    return (f"nothing is left of {counted(len(empty), 'folder')}: none can be read in {sentence(empty)}",)
