"""A folder of image files, in class folders of any depth or in none, in any format that Pillow reads."""

import hashlib
import logging
import os
import stat
from array import array
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int64

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .collect import Collected, collect
from .file_sets import is_entry
from .filenames import is_junk, is_no_image, natural, natural_order, readable, shown
from .foreign import refuse_foreign_names
from .layout import NO_LABEL
from .places import Stamp, stamp_of
from .reading import File

logger = logging.getLogger(__name__)

_NONE: Final[Stamp] = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class Listing:
    """The files below a folder that should be images, with the stamp of each; `passed_over` is the rest.

    They are gone through in natural order, which is found when it is asked for.

    Args:
        found: their paths within the folder, in any order.
        stamps: files x `Stamp`; zeros of what cannot be read.
    """

    root: Path
    found: list[str]
    stamps: Int64[np.ndarray, "files 3"]
    passed_over: tuple[str, ...] = ()

    @cached_property
    def identity(self) -> str:
        """A hash of the names, sizes and times of the files: another one where a file has changed."""
        order = sorted(range(len(self.found)), key=self.found.__getitem__)
        names = "\0".join([self.found[number] for number in order])
        digest = hashlib.blake2b(names.encode("utf-8", "surrogateescape"), digest_size=16)
        digest.update(self.stamps[order].tobytes())
        return digest.hexdigest()

    @cached_property
    def order(self) -> list[int]:
        """The indices of `found` that put it in natural order."""
        return natural_order(self.found)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple([self.found[number] for number in self.order])

    def tell(self, used: Collection[str]) -> None:
        """Say what is passed over, but the files that are used for something else."""
        names = [shown(name) for name in self.passed_over if name not in used]
        if names:
            logger.info("not read as images: %s", sentence(names))

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[File]:
        root = os.fspath(self.root)
        for name, number in zip(self.names, self.order, strict=True):
            path, stamp = f"{root}/{name}", tuple(self.stamps[number].tolist())
            if any(stamp):
                yield File(shown(name), path, stamp=stamp)
            else:
                yield File(shown(name), path, reason=_reason(path))


def list_folder(folder: Path) -> Listing:
    """What lies below `folder`, at any depth.

    Hidden files and what a desktop leaves behind are left out; links are followed.

    Raises:
        DataError: no file that could be an image, or no permission.
    """
    names: list[str] = []
    stamps = array("q")  # a million tuples of whole numbers would take longer to make than to read
    passed_over: list[str] = []
    waiting: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", ())]
    while waiting:
        below, above = waiting.pop()
        with readable(folder / below), _opened(folder / below) as (about, found):
            inside = (*above, (about.st_dev, about.st_ino))
            if inside[-1] in above:  # a link to a folder that it lies in
                continue
            before = len(names) + len(waiting)
            for one in found:
                name = one.name
                if is_junk(name):
                    continue
                if is_entry(one, os.DirEntry.is_dir):
                    waiting.append((f"{below}{name}/", inside))
                elif is_no_image(name):
                    passed_over.append(below + name)
                else:
                    names.append(below + name)
                    _add_stamp(one, stamps.append)
        if below and len(names) + len(waiting) == before:
            passed_over.append(below)
    if not names:
        raise _without_images(folder, passed_over)
    return Listing(
        folder,
        names,
        np.frombuffer(stamps, dtype=np.int64).reshape(len(names), -1),
        tuple(sorted(passed_over, key=natural)),
    )


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[os.stat_result, Iterator["os.DirEntry[str]"]]]:
    """What a folder is, and what lies in it; opened once where a file is then found by its name alone."""
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as found:
            yield folder.stat(), found
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        with os.scandir(place) as found:
            yield os.fstat(place), found
    finally:
        os.close(place)


def read_listing(listing: Listing, config: DataConfig | None = None) -> Collected:
    """The images of a folder that `list_folder` has looked at.

    Raises:
        DataError: what `collect` raises.
    """
    ordered = all(shown(name) == name for name in listing.names)
    collected = collect(listing, origin=str(listing.root), config=config, ordered=ordered)
    return replace(collected, root=f"{listing.root.name}/{collected.root}")


def set_of(collected: Collected, *, identity: str, what: str) -> ImageSet:
    """An ImageSet of image files, in class folders or not; what is recognised as notMNIST is remembered."""
    from ..catalog import notmnist

    if notmnist.recognised(collected):
        images = notmnist.named(collected, notmnist.name_of(collected))
        if images.comparable:  # else it was resized
            notmnist.remember(identity, images)
        return images
    images = collected.images(what)
    classes = [name for name in images.class_names if name != NO_LABEL]
    kind = counted(len(classes), "class folder") if classes else "images without labels"
    return replace(images, source=f"{what} of {kind}")


def _add_stamp(entry: "os.DirEntry[str]", add: Callable[[int], None]) -> None:
    """Give the numbers of its stamp to `add`; zeros of what cannot be read."""
    try:
        about = entry.stat()
        stamp = stamp_of(about) if stat.S_ISREG(about.st_mode) else _NONE  # a pipe: it would wait for ever
    except OSError:
        stamp = _NONE
    for number in stamp:
        add(number)


def _reason(path: str) -> str:
    """Why there is no file at `path` that can be read."""
    try:
        about = Path(path).stat()
    except OSError as error:
        return error.strerror or "cannot be read"
    return "" if stat.S_ISREG(about.st_mode) else "not a regular file"


def _without_images(folder: Path, passed_over: list[str]) -> DataError:
    refuse_foreign_names(folder, [name for name in passed_over if not name.endswith("/")])
    files = [shown(name) for name in sorted(passed_over, key=natural)]
    return DataError(
        f"{folder} must hold images, or class folders with images in them",
        found=f"no image; files: {sentence(files)}" if files else "an empty folder",
        do="name a folder of images; an archive, an array or the folder of IDX files is named itself, and "
        "several sets together, as 'ONE + ANOTHER'",
    )
