"""Whether a file that somebody asked for may be written, before it is computed; a folder for an old one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .atomic_files import PART, check_name, exists, new_folder, refusals, remove, require_writable
from .errors import OutputError
from .wording import option


def refuse_file(path: Path, *, force: bool) -> None:
    """Refuse a place where no file can be made, or where there is one that `force` does not let replace.

    Raises:
        OutputError: so it is.
    """
    check_name(path)
    with refusals(path):
        require_writable(path.absolute().parent)
    if path.is_dir() or (exists(path) and not force):
        folder = path.is_dir()
        raise OutputError(
            f"{path} must be new: nothing is overwritten unasked",
            found="a folder" if folder else "a file of that name",
            do="name another file" if folder else f"name another file, or set {option('force', True)}",
        )


@contextmanager
def folder_in_place_of(path: Path) -> Iterator[Path]:
    """As `new_folder`, for the folder at `path`, which stays until the block has ended well.

    Raises:
        OutputError: the place cannot be written.
    """
    old = path.resolve().with_name(f".{path.name[:40]}.old{PART}")
    try:
        with new_folder(path, refuse=lambda _: None) as folder:
            yield folder
            path.rename(old)
    except BaseException:
        if exists(old) and not exists(path):
            old.rename(path)
        raise
    remove(old)
