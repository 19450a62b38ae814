"""Whether a file that somebody asked for may be written, before it is computed."""

from pathlib import Path

from .atomic_files import check_name, exists, refusals, require_writable
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
