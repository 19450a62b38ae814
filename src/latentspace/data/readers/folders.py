"""A folder of class folders, or a flat folder of images, in any format that Pillow reads."""

import hashlib
import logging
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import sentence
from .collect import Collected, File, collect
from .filenames import is_junk, is_named_as_image, may_be_image, natural, readable, shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """The files of a folder that should be images, in order; `root` is the folder that they lie in."""

    root: Path
    files: tuple[File, ...]

    @property
    def identity(self) -> str:
        """A hash of the names, sizes and times of the files: another one where a file has changed."""
        lines = (f"{file.name}\0{file.stamp}\n" for file in self.files)
        return hashlib.blake2b("".join(lines).encode(), digest_size=16).hexdigest()


def list_folder(folder: Path) -> Listing:
    """What `folder` holds: each sub-folder is a class, or there are none and the images have no labels.

    A folder that holds nothing but one folder of folders stands for that one. Hidden files and what a
    desktop leaves behind are passed over, other files that are no images are passed over with a mention.

    Raises:
        DataError: no file that could be an image, images beside class folders, or no permission.
    """
    with readable(folder):
        root = _descended(folder)
        return Listing(root, tuple(_listed(root)))


def read_listing(
    listing: Listing, *, resize: tuple[int, int] | None = None, strict: bool = False
) -> Collected:
    """The images of a folder that `list_folder` has looked at.

    Raises:
        DataError: what `collect` raises.
    """
    collected = collect(listing.files, origin=str(listing.root), resize=resize, strict=strict)
    return replace(collected, root=f"{listing.root.name}/")


def _descended(folder: Path) -> Path:
    """Down from a folder that holds one folder and no image, as long as that holds folders in its turn."""
    start = folder
    while True:
        names, folders = _contents(folder)
        if len(folders) != 1 or any(may_be_image(name) for name in names):
            break
        below = folder / folders[0]
        names, folders = _contents(below)
        if not folders or any(may_be_image(name) for name in names):
            break
        folder = below
    if folder != start:
        logger.info("%s holds only %s: reading that", start, folder.relative_to(start))
    return folder


def _contents(folder: Path) -> tuple[list[str], list[str]]:
    """The names of what is no folder and of the folders, without junk, in natural order."""
    names: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as found:
        for one in found:
            if not is_junk(one.name):
                (folders if one.is_dir() else names).append(one.name)
    return sorted(names, key=natural), sorted(folders, key=natural)


def _listed(folder: Path) -> list[File]:
    names, folders = _contents(folder)
    passed_over = [name for name in names if not may_be_image(name)]
    at_top = [name for name in names if may_be_image(name)]
    below: list[File] = []
    for name in folders:
        files, deeper = _contents(folder / name)
        passed_over += [f"{name}/{one}" for one in files if not may_be_image(one)]
        passed_over += [f"{name}/{one}/" for one in deeper]
        below += [_file(folder, f"{name}/{one}") for one in files if may_be_image(one)]
        if not any(may_be_image(one) for one in files):
            passed_over.append(f"{name}/")
    if below:
        images_at_top = [name for name in at_top if is_named_as_image(name)]
        if images_at_top:
            raise _mixed(folder, images_at_top, folders)
        passed_over += at_top
    elif folders and not at_top:
        raise DataError(
            f"{folder} must hold images, or class folders with images in them",
            found=f"folders without images in them: {sentence([shown(one) for one in folders])}",
            do="name the folder that holds the class folders",
        )
    elif not at_top:
        raise DataError(
            f"{folder} must hold images, or class folders with images in them",
            found=f"no image; files: {sentence([shown(one) for one in names])}"
            if names
            else "an empty folder",
            do="name a folder of images; an archive, .npz or IDX file is named itself, not its folder",
        )
    if passed_over:
        logger.info(
            "not read as images: %s", sentence([shown(name) for name in sorted(passed_over, key=natural)])
        )
    return below or [_file(folder, name) for name in at_top]


def _file(folder: Path, name: str) -> File:
    path = folder / name
    try:
        about = path.stat()
    except OSError as error:
        return File(shown(name), path, reason=error.strerror or "cannot be read")
    if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for ever
        return File(shown(name), path, reason="not a regular file")
    return File(shown(name), path, stamp=(about.st_size, about.st_mtime_ns))


def _mixed(folder: Path, images: list[str], folders: list[str]) -> DataError:
    return DataError(
        f"{folder} must hold images alone, or class folders alone",
        found=f"{counted(len(images))} ({sentence([shown(one) for one in images], most=2)}) beside "
        f"{counted(len(folders), 'folder')} ({sentence([shown(one) for one in folders], most=3)})",
        do="move the images into class folders, or name one of the folders",
    )
