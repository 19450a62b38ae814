"""Arrays or tables in an archive: written to a folder of their own, read as they are beside it, and removed.

That is done where no member is named as an image is. Names are checked and bytes counted as for images.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from ...core.errors import DataError
from ...core.wording import counted
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from ..paths import cache_directory
from .archives import TOTAL_LIMIT, members, names_without_images
from .filenames import natural, readable
from .foreign import refuse_foreign_names
from .idx import is_idx_name
from .registry import ARCHIVES, READERS, Reader, reader_of

MOST: Final = 2_000  # files; more are images whose names have no ending


def read_inside(path: Path, config: DataConfig) -> ImageSet | None:
    """The images of the arrays or tables in an archive; None where it holds image files, or may do so.

    Raises:
        DataError: archives in the archive, several arrays apart from each other, or what their reader says.
    """
    names = names_without_images(path)
    if not 0 < len(names) <= MOST:
        return None
    _refuse_archives(path, names)
    refuse_foreign_names(path, names)
    with own_folder() as place, said_of(path, place):
        for member in members(path, TOTAL_LIMIT):
            target = place / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                member.copy_to(file)
        found = _reader(place, path)
        if found is None:
            return None
        images = found[0].read(found[1], config.model_copy(update={"resident": "always"}))
        return replace(images, source=f"{images.source}, in an archive")


def _refuse_archives(path: Path, names: Sequence[str]) -> None:
    inner = [name for name in names if name.casefold().endswith(ARCHIVES) and not is_idx_name(name)]
    if inner:
        raise DataError(
            f"{path} must hold images or arrays, and no other archives",
            found=f"{counted(len(inner), 'archive')} in it: {sentence(inner, most=3)}",
            do="unpack it, and name one of them",
        )


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder in the cache directory, or where the system keeps such where that cannot be written."""
    parent: Path | None = cache_directory()
    try:
        cache_directory().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=parent).close()
    except OSError:
        parent = None
    with tempfile.TemporaryDirectory(dir=parent, prefix="inside-") as place:
        yield Path(place)


@contextmanager
def said_of(path: Path, place: Path) -> Iterator[None]:
    """Errors about files in `place` name the archive and the member instead."""
    try:
        with readable(path):
            yield
    except DataError as error:
        said = [text.replace(f"{place}/", f"{path}: ") for text in (error.must, error.found, error.do)]
        said = [text.replace(str(place), str(path)) for text in said]
        raise DataError(said[0], found=said[1], do=said[2]) from error


def _reader(place: Path, path: Path) -> tuple[Reader, Path] | None:
    """What reads all files in `place` as one set, or its only array, or else its only table."""
    folder = place
    while len(inner := list(folder.iterdir())) == 1 and inner[0].is_dir():
        folder = inner[0]
    whole = reader_of(folder)
    if whole is not None and whole is not READERS["folder"]:
        return whole, folder
    files = sorted((one for one in place.rglob("*") if one.is_file()), key=lambda one: natural(str(one)))
    files = [one for one in files if one.suffix.casefold() != ".txt"]  # a list of files that are not there
    found = [(reader, one) for one in files if (reader := reader_of(one)) is not None]
    arrays = [one for one in found if one[0] is not READERS["table"]]
    found = arrays or found
    if len(found) > 1 and all(reader is READERS["pages"] for reader, _ in found):
        return None  # image files, of formats that Pillow does not know by their endings
    if len(found) > 1:
        names = [str(one.relative_to(place)) for _, one in found]
        raise DataError(
            f"{path} must hold image files, or one array",
            found=f"{counted(len(found), 'file')} that could be it: {sentence(names)}",
            do="unpack it, and name one of them",
        )
    return found[0] if found else None
