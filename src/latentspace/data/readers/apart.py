"""Reading in a process of its own (`apart_process`), which a damaged file may end: here that is an error."""

import atexit
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final, Literal, TypeAlias

import numpy as np

from ...core.child_processes import begin_piped, end_piped

PATIENCE: Final = 0.2  # seconds in which a process ends by itself

What: TypeAlias = Literal["listed", "matlab", "texts", "files"]


class ApartError(Exception):
    """What was wrong with a file that was read apart, in a line."""


class _Process:
    """The process, begun when it is first needed, and again after it was ended."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.child: subprocess.Popen[bytes] | None = None

    def answer(self, request: str) -> str:
        with self.lock:
            child = self.child
            if child is None or child.poll() is not None:  # ended while it had nothing to do: no file's fault
                self.end()
                child = begin_piped(f"{__package__}.apart_process")
            self.child = None  # until it has answered
            try:
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdin.write(request.encode() + b"\n")
                child.stdin.flush()
                line = child.stdout.readline()
            except BrokenPipeError:
                line = b""
            except BaseException:  # Ctrl-C, above all
                end_piped(child, PATIENCE)
                raise
            if line:
                self.child = child
                return str(json.loads(line))
            end_piped(child, PATIENCE)
            return _ended(child.returncode)

    def end(self) -> None:
        if self.child is not None:
            end_piped(self.child, PATIENCE)


def _ended(code: int) -> str:
    if code >= 0:
        return f"its reader ended with {code}"
    if code == -getattr(signal, "SIGXCPU", 0):
        return "its reader took far too long, as damaged files make it do"
    return f"its reader was ended by signal {-code}"


_OF_PROCESS: Final[dict[int, _Process]] = {}  # a forked process begins its own


def read_apart(what: What, path: Path, names: Sequence[str] = ()) -> list[np.ndarray]:
    """The arrays that `apart_process` has of a file.

    Raises:
        ApartError: the file is damaged, or the process was ended while it read it.
    """
    here = os.getpid()
    if here not in _OF_PROCESS:
        _OF_PROCESS[here] = _Process()
        atexit.register(_OF_PROCESS[here].end)
    with tempfile.TemporaryDirectory(prefix="latentspace-") as folder:
        to = Path(folder) / "read.npz"
        request = {"what": what, "path": str(path.absolute()), "names": list(names), "to": str(to)}
        said = _OF_PROCESS[here].answer(json.dumps(request))
        if said:
            raise ApartError(said)
        with np.load(to, allow_pickle=False) as arrays:
            return [arrays[one] for one in arrays.files]
