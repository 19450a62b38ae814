"""Whether a file or a folder that somebody asked for may be written, before it is computed.

A folder of results holds a list of its files, so that the next one may replace it, and nothing of anybody's.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import filelock

from .atomic_files import (
    PART,
    check_name,
    exists,
    locked,
    new_folder,
    refusals,
    refuse_taken,
    remove,
    replacing,
    require_writable,
    write_json,
)
from .errors import LatentspaceError, OutputError
from .wording import option

LIST: Final = ".latentspace-made.json"  # in a folder of results: the names of its files


def refuse_file(path: Path, *, force: bool) -> None:
    """Refuse a place where no file can be made, or where there is one that `force` does not let replace.

    Raises:
        OutputError: so it is.
    """
    check_name(path)
    with refusals(path):
        require_writable(path.absolute().parent)
    if path.is_dir() or (not force and (exists(path) or path.is_symlink())):
        raise _there(path)


def _there(path: Path) -> OutputError:
    """The error where no new file can be at `path`: something is."""
    folder = path.is_dir()
    return OutputError(
        f"{path} must be new: nothing is overwritten unasked",
        found="a folder" if folder else "a file of that name",
        do="name another file" if folder else f"name another file, or set {option('force', True)}",
    )


@contextmanager
def made_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file to be written, which an error leaves absent; without `force`, one that exists stays.

    So of two that make it at the same moment, one does, and the other is told that it is there.

    Raises:
        OutputError: it is there, or cannot be written.
    """
    with replacing(path, Path.replace if force else _put_new) as file:
        yield file


def write_file(path: Path, content: str | bytes, *, force: bool) -> None:
    """A whole file, as `made_file` makes it."""
    with made_file(path, force=force) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def _put_new(beside: Path, path: Path) -> None:
    """Take the file `beside` to `path`, where nothing is."""
    try:
        try:
            os.link(beside, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: the name is taken first, by an empty file
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            try:
                beside.replace(path)
            except OSError:
                path.unlink()
                raise
        else:
            beside.unlink()
    except FileExistsError:
        raise _there(path) from None


def refuse_folder(path: Path, *, force: bool) -> None:
    """Refuse a place where no folder can be made, or where there is one that may not be replaced.

    `force` lets one be replaced that `made_folder` has made, and to which nothing was added.

    Raises:
        OutputError: so it is.
    """
    if force and exists(path) and _is_ours(path):
        with refusals(path):
            require_writable(path.resolve().parent)
        return
    replaced = f"{option('force', True)} replaces a folder that such a command made, with nothing else in it"
    refuse_taken(
        path,
        must="{} must be new or an empty folder: nothing is overwritten unasked",
        do=f"name another place, or empty it; {replaced}",
    )


def refuse_unwritable(*folders: Path, do: str) -> None:
    """Refuse folders in which nothing can be written, there or not: raises OutputError."""
    for folder in folders:
        try:
            require_writable(folder)
        except OSError as error:
            raise OutputError(
                f"{folder} must be writable", found=error.strerror or str(error), do=do
            ) from error


@contextmanager
def alone_at(place: Path, lock: Path, error: type[LatentspaceError] = OutputError) -> Iterator[None]:
    """Hold the lock of what one process at a time writes at `place`; raises `error` where another does."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(lock, timeout=0.0))
        except filelock.Timeout as taken_by_another:
            raise error(
                f"only one process may write to {place}",
                found="another one is writing there now",
                do=f"wait for it, or name another place with {option('out')}",
            ) from taken_by_another
        yield


@contextmanager
def made_folder(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A new folder for results, with a list of its files; `force` as in `refuse_folder`."""
    refuse_folder(path, force=force)
    with (folder_in_place_of if force and _is_ours(path) else new_folder)(path) as folder:
        yield folder
        write_json(folder / LIST, sorted(_files(folder)), indent=None)


def _is_ours(path: Path) -> bool:
    """Whether `made_folder` has made the folder, and it holds nothing else, nor the working directory."""
    try:
        if not path.is_dir() or Path.cwd().is_relative_to(path.resolve()) or os.path.ismount(path):
            return False
        listed = json.loads((path / LIST).read_bytes())
        return isinstance(listed, list) and _files(path) <= {*map(str, listed), LIST}
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> set[str]:
    """Everything below it that is no folder itself, links too, by its path from there."""
    found = set()
    for here, folders, files in os.walk(folder):
        place = Path(here)
        links = [one for one in folders if (place / one).is_symlink()]
        found |= {(place / one).relative_to(folder).as_posix() for one in (*files, *links)}
    return found


@contextmanager
def folder_in_place_of(path: Path) -> Iterator[Path]:
    """A folder that takes the place of the one at `path` when the block has ended without an error.

    Raises:
        OutputError: the place cannot be written.
    """
    place = path.resolve()  # where `path` is a link, it stays
    old = place.with_name(f".{place.name[:40]}.old{PART}")
    try:
        with new_folder(place, refuse=lambda _: None) as folder:
            yield folder
            place.rename(old)
    except BaseException:
        if exists(old) and not exists(place):
            old.rename(place)
        raise
    remove(old)
