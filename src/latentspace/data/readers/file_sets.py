"""The files of a folder that belong together, read by their names: what IDX, CIFAR and STL-10 come in."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from .filenames import is_junk, is_named_as_image, natural, readable


@dataclass(frozen=True)
class FileSet:
    """The plain files that lie in `folder` itself, by their sorted names, and the folders there."""

    folder: Path
    names: tuple[str, ...]
    folders: tuple[str, ...] = ()

    def size(self, name: str) -> int:
        """The bytes that a file has."""
        path = self.folder / name
        with readable(path):
            return path.stat().st_size

    def content(self, name: str) -> bytes:
        """All bytes of a file."""
        path = self.folder / name
        with readable(path):
            return path.read_bytes()


_LISTED: ContextVar[dict[Path, FileSet] | None] = ContextVar("listed", default=None)


@contextmanager
def listed_once() -> Iterator[None]:
    """Inside the block, a folder is listed when it is first asked for, and not again."""
    token = _LISTED.set({})
    try:
        yield
    finally:
        _LISTED.reset(token)


def files_in(folder: Path) -> FileSet:
    """What lies in `folder`, without what is hidden.

    Raises:
        DataError: it cannot be read.
    """
    listed = _LISTED.get()
    if listed is not None and folder in listed:
        return listed[folder]
    names, folders = [], []
    with readable(folder), os.scandir(folder) as found:
        for one in found:
            if is_junk(one.name):
                continue
            if is_entry(one, os.DirEntry.is_file):
                names.append(one.name)
            elif is_entry(one, os.DirEntry.is_dir):
                folders.append(one.name)
    files = FileSet(folder, tuple(sorted(names)), tuple(sorted(folders)))
    if listed is not None:
        listed[folder] = files
    return files


def is_entry(one: "os.DirEntry[str]", kind: "Callable[[os.DirEntry[str]], bool]") -> bool:
    """Whether what lies in a folder is of that kind, or leads to such; a link that leads to itself is not."""
    try:
        return kind(one)
    except OSError:
        return False


def sets_below(folder: Path, depth: int) -> Iterator[FileSet]:
    """`files_in` of a folder and of those below it, as deep, each before those in it.

    Raises:
        DataError: `folder` cannot be read. One below it that cannot is passed over, as are links.
    """
    there = files_in(folder)
    yield there
    for name in there.folders if depth else ():
        below = folder / name
        if not below.is_symlink() and os.access(below, os.R_OK | os.X_OK):
            yield from sets_below(below, depth - 1)


def files_below(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The files of wanted names in a folder and two levels below, in order; none where there are images.

    Raises:
        DataError: a folder that cannot be read.
    """
    found: list[Path] = []
    for there in sets_below(folder, 2):
        if any(map(is_named_as_image, there.names)):
            return []
        found += [there.folder / name for name in there.names if wanted(name)]
    return sorted(found, key=lambda path: natural(str(path)))


def folder_that_holds(folder: Path, holds: Callable[[FileSet], bool], depth: int = 3) -> Path | None:
    """`folder`, or the one below it that holds such files: its only folder, or torchvision's `raw`."""
    files = files_in(folder)
    if holds(files):
        return folder
    raw = [one for one in files.folders if one == "raw"]
    if not depth or not (raw or (len(files.folders) == 1 and not files.names)):
        return None
    return folder_that_holds(folder / (raw or files.folders)[0], holds, depth - 1)
