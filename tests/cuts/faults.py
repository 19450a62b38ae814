"""File operations of this process below one folder: counted, and one of them failed.

Python's own functions are replaced at the lowest place that all code above goes through: those of `os`, and
`open`, whose files are unbuffered ones of ours with Python buffers upon them. This is for a process that was
forked for it: nothing is put back.
"""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FAULTS = ("death before", "death after", "half a write", "no space", "an I/O error")
FILLING = ("create", "write", "mkdir", "fsync")  # what a full disk goes on to refuse


@dataclass(frozen=True)
class Cut:
    """The operation, counted from 0, that fails, and how; None: all of them work."""

    number: int | None = None
    fault: str = ""


class Operations:
    """The operations below `root`: each is written down as a line of `record`, and one of them fails."""

    def __init__(self, root: Path, record: Path, cut: Cut) -> None:
        self._root = str(root.resolve())
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._cut = cut
        self._done = 0
        self._full = False
        self._real = {name: getattr(os, name) for name in ("open", "write", "ftruncate")}

    def install(self) -> None:
        for kind, name in (
            ("mkdir", "mkdir"),
            ("unlink", "unlink"),
            ("unlink", "remove"),
            ("rmdir", "rmdir"),
            ("rename", "rename"),
            ("rename", "replace"),
        ):
            setattr(os, name, self._named(kind, getattr(os, name)))
        os.fsync = self._fsync(os.fsync)
        os.ftruncate = self._truncate
        os.open = self._open  # type: ignore[assignment]
        io.open = builtins.open = self._open_file(io.open)  # type: ignore[assignment]

    def do(self, kind: str, place: str, act: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Do it, or fail; `half`: what does half of it."""
        if not place.startswith(self._root):
            return act()
        number, self._done = self._done, self._done + 1
        self._real["write"](self._record, f"{kind} {place[len(self._root) + 1 :]}\n".encode())
        if number != self._cut.number:
            if self._full and kind in FILLING:
                raise _error(errno.ENOSPC)
            return act()
        match self._cut.fault:
            case "death before":
                _die()
            case "death after":
                act()
                _die()
            case "half a write" if half:
                half()
                _die()
            case "no space":
                self._full = True
                if half:
                    half()
                raise _error(errno.ENOSPC)
            case "an I/O error":
                raise _error(errno.EIO)
        raise ValueError(f"{self._cut.fault} of {kind}")

    def _named(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(path: Any, *others: Any, **options: Any) -> Any:
            place = _absolute(path, options)
            if os.path.lexists(place) == (kind == "mkdir"):  # it would change nothing, and says so
                return real(path, *others, **options)
            return self.do(kind, place, lambda: real(path, *others, **options))

        return operation

    def _fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        return lambda descriptor: self.do("fsync", _place_of(descriptor), lambda: real(descriptor))

    def _truncate(self, descriptor: int, length: int) -> None:
        def act() -> None:
            self._real["ftruncate"](descriptor, length)

        changes = os.fstat(descriptor).st_size != length
        self.do("truncate", _place_of(descriptor), act) if changes else act()

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        place = _absolute(path, {"dir_fd": dir_fd})

        def act() -> int:
            return int(self._real["open"](path, flags, mode, dir_fd=dir_fd))

        makes = flags & os.O_CREAT and not os.path.lexists(place)
        return int(self.do("create", place, act)) if makes else act()

    def _open_file(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", buffering: int = -1, *others: Any, **options: Any) -> Any:
            writes = set(mode) & set("wax+")
            place = _place_of(file) if isinstance(file, int) else _absolute(file, {})
            if not writes or not place.startswith(self._root):
                return real(file, mode, buffering, *others, **options)
            makes = not isinstance(file, int) and ("w" in mode or not os.path.lexists(place))

            def act() -> _Raw:
                return _Raw(self, place, file, mode.replace("b", "").replace("t", ""))

            raw = self.do("create", place, act) if makes else act()
            if buffering == 0:
                return raw
            held = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return held if "b" in mode else io.TextIOWrapper(held, *others, **options)

        return opened


class _Raw(io.FileIO):
    """A file whose every write is an operation."""

    def __init__(self, operations: Operations, place: str, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._operations = operations
        self._place = place

    def write(self, content: Any) -> int:
        whole, write = memoryview(content), super().write
        half = whole[: len(whole) // 2]
        return int(self._operations.do("write", self._place, lambda: write(whole), lambda: write(half)))


def _absolute(path: Any, options: dict[str, Any]) -> str:
    held = options.get("dir_fd")
    above = Path.cwd() if held is None else Path(_place_of(held))
    return os.path.normpath(above / os.fsdecode(path))


def _place_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
