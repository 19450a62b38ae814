"""Heartbeats: how one process knows that the worker of a running trial is still there.

On one machine each worker holds a lock on a file of its own, which the kernel frees when the worker ends,
however it ends: a killed worker is known at once. Workers on other machines, or in other study directories
on one database, cannot be asked that way: they count up a beat in the storage, and one that has stood still
for `SILENCE` seconds of the watcher's own clock is taken for dead. (Optuna's heartbeat does this for
databases alone, and for `Study.optimize` alone; it leaves no room to write down why a trial ended.)
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import filelock

from ..core.atomic_files import locked, refusals, remove
from .results import Trial

BEAT: Final = 20.0  # seconds from one beat to the next
SILENCE: Final = 120.0  # seconds without a beat after which a trial elsewhere is given up
FOLDER: Final = "workers"


@dataclass(frozen=True)
class Heartbeat:
    """What a worker writes into its trials: who it is, and the file that it holds."""

    worker: str  # pid@host, for a person
    file: str


@contextmanager
def own_heartbeat(directory: Path) -> Iterator[Heartbeat]:
    """Hold a file in `directory` for as long as the block runs."""
    worker = f"{os.getpid()}@{socket.gethostname()}"
    heartbeat = Heartbeat(worker, f"{worker}-{uuid.uuid4().hex[:8]}.lock")
    path = directory / FOLDER / heartbeat.file
    with refusals(directory):
        path.parent.mkdir(exist_ok=True)  # not the study's own directory, should it be gone
    with locked(path, timeout=0.0):
        yield heartbeat
    remove(path)


@contextmanager
def beating(beat: Callable[[int], bool], every: float = BEAT) -> Iterator[None]:
    """Call `beat` with 1, 2, 3, ... from a thread until the block ends or it returns False."""
    ended = threading.Event()

    def count() -> None:
        number = 1
        while not ended.wait(every) and beat(number):
            number += 1

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass
class HeartbeatWatch:
    """Watches the running trials of a study from one process.

    Args:
        directory: the study's, where the workers of this machine hold their files.
        closed: whether all workers are in this directory, as with a journal: then a trial of this machine
            whose file is not there has no worker (it ended in good order, and the journal does not say so: it
            was cut short). With a database, the file may be in another study directory.
        silence: seconds after which a worker elsewhere is given up.
    """

    directory: Path
    closed: bool = False
    silence: float = SILENCE
    _seen: dict[int, tuple[object, float]] = field(default_factory=dict)

    def lost(self, trial: Trial) -> bool:
        """Whether the worker of a running trial is gone.

        To be asked under the lock under which trials are given out: a worker that has not said who it is was
        killed there.
        """
        worker = trial.notes.worker
        if trial.notes.heartbeat and worker.endswith(f"@{socket.gethostname()}"):
            path = self.directory / FOLDER / trial.notes.heartbeat
            if path.exists():
                return _free(path)
            if self.closed:
                return True
        return (self.closed and not worker) or self._silent(trial)

    def sweep(self, held: Set[str]) -> None:
        """Remove the files of killed workers of this machine, but for those that a running trial names."""
        for path in (self.directory / FOLDER).glob("*.lock"):
            worker, _, host = path.stem.rpartition("-")[0].partition("@")
            if path.name in held or host != socket.gethostname() or not worker.isdecimal():
                continue
            if not _runs(int(worker)) and _free(path):
                remove(path)

    def _silent(self, trial: Trial) -> bool:
        now = time.monotonic()
        heard = (trial.notes.beat, len(trial.reports), len(trial.params))
        before, since = self._seen.get(trial.number, (None, now))
        if before != heard:
            self._seen[trial.number] = heard, now
            return False
        return now - since > self.silence


def _runs(process: int) -> bool:
    if os.name != "posix":  # where this would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _free(path: Path) -> bool:
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    lock.release()
    return True
