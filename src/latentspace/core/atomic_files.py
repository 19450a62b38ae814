"""Files and folders that are whole or not there: made beside their place, synced, then renamed.

What is being made is held by a lock, which the system frees when its maker dies: so what a killed process
left half-made is known from what another is making at this moment, and `sweep` removes the former alone.
"""

import errno
import glob
import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import filelock

from .errors import ConfigurationError, LatentspaceError, OutputError
from .wording import brief

logger = logging.getLogger(__name__)

PART: Final = ".part"
LONGEST_NAME: Final = 255  # bytes, of file systems in use
_POSIX: Final = os.name == "posix"  # elsewhere folders cannot be opened, and open files not be removed
_STEM: Final = 48  # characters of a name that the name beside it begins with: a name has at most 255 bytes
_TRIES: Final = 100


def as_path(given: object, what: str) -> Path:
    """The path that `given` is, or writes out.

    Raises:
        ConfigurationError: it names none; `what` should have been named.
    """
    if isinstance(given, str | Path):
        return Path(given)
    raise ConfigurationError(
        f"{what} must be named by its path", found=brief(given), do="give a str or a pathlib.Path"
    )


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into an OutputError that names `path`; a lock's Timeout stays."""
    try:
        yield
    except filelock.Timeout:
        raise
    except OSError as error:
        raise OutputError(
            f"{path} must be writable",
            found=error.strerror or str(error),
            do="free some space, mend the permissions, or name another place",
        ) from error


def exists(path: Path) -> bool:
    """Whether there is something at `path`; a path that cannot be asked has nothing."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, below a folder that may not be entered, with a zero byte
        return False


def check_name(path: Path) -> None:
    """Refuse a place without a name of its own: raises OutputError."""
    found = ""
    too_long = [part for part in path.parts if len(os.fsencode(part)) > LONGEST_NAME]
    if path.name in ("", ".."):
        found = f"{str(path)!r}"
    elif any("\udc80" <= letter <= "\udcff" for letter in str(path)):
        found = f"bytes that are not UTF-8: {path}"
    elif too_long:
        found = f"a name of {len(os.fsencode(too_long[0]))} bytes: {too_long[0][:20]}..."
    if found:
        raise OutputError(
            f"what is made needs a name of its own, in UTF-8, of at most {LONGEST_NAME} bytes",
            found=found,
            do="name a new file or folder, for example runs/first",
        )


def taken(path: Path) -> str:
    """What is in the way of a new folder at `path`, in words; nothing where it is new or an empty folder.

    Raises:
        OSError: it cannot be made there.
        OutputError: nothing can have that name.
    """
    check_name(path)
    if not path.exists():
        require_writable(path.absolute().parent)
        return ""
    if not path.is_dir() or any(path.iterdir()):
        return "something is there already"
    if os.path.ismount(path) or path.resolve() == Path.cwd():
        return "the working directory, or a volume: it cannot be replaced"
    return ""


def require_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be created: raises OSError."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        fixed = _POSIX and os.statvfs(there).f_flag & os.ST_RDONLY
        raise OSError(code := errno.EROFS if fixed else errno.EACCES, os.strerror(code))


def refuse_taken(
    path: Path,
    error: type[LatentspaceError] = OutputError,
    must: str = "{} must be new or an empty folder: nothing is overwritten",
    do: str = "name another place, or empty it",
) -> None:
    """Refuse a place that is taken, or where no folder can be made: raises OutputError."""
    with refusals(path):
        found = taken(path)
    if found:
        raise error(must.format(path), found=found, do=do)


@contextmanager
def replacing(path: Path, put: Callable[[Path, Path], object] = Path.replace) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends well; else nothing has changed.

    Its folder is made where it is missing, but not the folder above: one that was moved away or deleted
    does not come back.

    Args:
        put: takes the file, which is whole by then, to `path`.

    Raises:
        OutputError: the file cannot be written.
    """
    check_name(path)
    with refusals(path):
        path.parent.mkdir(exist_ok=True)
        with _beside(path, partial(Path.touch, exist_ok=False)) as beside:  # tempfile's are closed to others
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            put(beside, path)
            _sync(path.parent)


@contextmanager
def new_folder(path: Path, refuse: Callable[[Path], None] = refuse_taken) -> Iterator[Path]:
    """A folder to be filled, which is at `path` when the block ends well; else nothing has changed there.

    Of two that are made for one path at the same moment, one is there in the end; the other is refused.

    Args:
        refuse: raises where `path` is taken.

    Raises:
        OutputError: the place cannot be written.
    """
    refuse(path)
    place = path.resolve()
    with refusals(path):
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent, place.name)
        with _beside(place, Path.mkdir) as beside:
            yield beside
            _sync(beside)
            try:
                beside.rename(place)  # an empty folder is replaced, one with something in it is not
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    refuse(path)
                raise
            _sync(place.parent)


def make_folder(path: Path) -> None:
    """Create a folder and those above it.

    Raises:
        OutputError: it is neither there nor can it be made.
    """
    with refusals(path):
        path.mkdir(parents=True, exist_ok=True)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove what a killed process left half-made in `folder`; what another one is making now stays.

    Args:
        name: of what was being made; None: anything.
    """
    pattern = f".*{PART}" if name is None else f"{glob.escape(_start(name))}*{PART}"
    for left in folder.glob(pattern):
        with suppress(OSError), _opened(left) as handle:
            if _locked(handle):
                remove(left)


def remove(path: Path) -> None:
    """Remove a file or a folder if it is there; one that cannot be costs its space alone, and is said."""
    try:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s is needed no more, but cannot be removed: %s", path, error.strerror or error)


@contextmanager
def _beside(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Something new beside `path`, which no other process sweeps away, and which goes if the block fails."""
    for _ in range(_TRIES):
        beside = path.with_name(f"{_start(path.name)}{secrets.token_hex(4)}{PART}")
        try:
            make(beside)
        except FileExistsError:
            continue
        with _held(beside) as ours:
            if not ours:
                continue
            try:
                yield beside
            except BaseException:
                remove(beside)
                raise
            return
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


@contextmanager
def _held(beside: Path) -> Iterator[bool]:
    """Lock it for the block; False where a sweep was quicker."""
    with ExitStack() as stack:
        try:
            handle = stack.enter_context(_opened(beside))
            ours = _locked(handle) and (not _POSIX or os.path.samestat(os.fstat(handle), beside.stat()))
        except FileNotFoundError:
            ours = False
        except OSError:  # a file system without locks, where nothing is swept either
            ours = True
        yield ours


def _start(name: str) -> str:
    return f".{name[:_STEM]}."


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    if not _POSIX:
        yield -1
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether the lock could be had: whoever made it is no more. Raises: OSError: no locks there."""
    return not _POSIX or filelock.lock_descriptor(handle, blocking=False)


def _sync(folder: Path) -> None:
    """A new name is lost with the power unless its folder is synced too, where the system can do that."""
    if not _POSIX:
        return
    with _opened(folder) as handle:
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
                raise


@contextmanager
def locked(path: Path, *, timeout: float = -1.0, poll_interval: float = 0.05) -> Iterator[None]:
    """Hold the lock of that name, in a folder that is there already; it is free again when its holder dies.

    Args:
        timeout: seconds that another holder is waited for; -1: as long as it takes.
        poll_interval: seconds from one try to the next.

    Raises:
        OutputError: it cannot be made.
        filelock.Timeout: another process holds it.
    """
    lock = filelock.FileLock(path, timeout=timeout, poll_interval=poll_interval)
    with refusals(path):
        path.parent.stat()  # which the lock would make anew
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def watched(folder: Path) -> Iterator[Callable[[], bool]]:
    """Within the block, a function: whether `folder` is still at its path, not moved, replaced or deleted."""
    with _opened(folder) as handle:

        def in_place() -> bool:
            try:
                now = folder.stat()
                return not _POSIX or os.path.samestat(os.fstat(handle), now)
            except OSError:
                return False

        yield in_place


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
