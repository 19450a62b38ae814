"""The files of a folder that belong together, read by their names: what IDX, CIFAR and STL-10 come in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .filenames import is_junk, readable


@dataclass(frozen=True)
class FileSet:
    """The plain files that lie in `folder` itself, by their sorted names."""

    folder: Path
    names: tuple[str, ...]

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


def files_in(folder: Path) -> FileSet:
    """The plain files in `folder`, without what is hidden."""
    with readable(folder):
        names = sorted(one.name for one in folder.iterdir() if not is_junk(one.name) and one.is_file())
    return FileSet(folder, tuple(names))


def folder_that_holds(folder: Path, holds: Callable[[FileSet], bool], depth: int = 3) -> Path | None:
    """`folder`, or the one below it that holds such files: its only folder, or torchvision's `raw`."""
    files = files_in(folder)
    if holds(files):
        return folder
    with readable(folder):
        below = [one for one in folder.iterdir() if not is_junk(one.name) and one.is_dir()]
    raw = [one for one in below if one.name == "raw"]
    if not depth or not (raw or (len(below) == 1 and not files.names)):
        return None
    return folder_that_holds((raw or below)[0], holds, depth - 1)
