"""Workers as processes on this machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Final

from ...core import errors
from ...core.cluster import Engine
from ...core.errors import ConfigurationError, LatentspaceError, RunError
from .memory import ENVIRONMENT
from .protocol import WorkerEnd, WorkerTask

PARTING: Final = 20.0  # seconds that a worker has to end its epoch, before it is killed


class LocalExecutor:
    """A process for each worker."""

    room = None

    def __init__(self, engine: Engine = Engine()) -> None:  # noqa: B008 - frozen
        if engine.address is not None:
            raise ConfigurationError(
                "this machine has no address",
                found=f"{engine.name}://...",
                do="name --engine local, or ray://HOST:PORT",
            )
        self._processes: dict[subprocess.Popen[str], IO[str]] = {}  # with the file of its standard output

    @property
    def running(self) -> int:
        return len(self._processes)

    def submit(self, task: WorkerTask) -> None:
        environment = {**ENVIRONMENT, **os.environ, "OMP_NUM_THREADS": str(task.threads)}
        command = [sys.executable, "-m", "latentspace.search.executors.worker"]
        # A file, as a pipe holds 64 KiB, and nobody reads it before the worker's end.
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the worker is gone
        with _ignoring_interrupts():
            process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=said, text=True, env=environment
            )
        self._processes[process] = said
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin:  # killed before it could read: `poll` sees that
                process.stdin.write(json.dumps(task.model_dump(mode="json")))

    def poll(self) -> Sequence[WorkerEnd]:
        return [self._end_of(one) for one in list(self._processes) if one.poll() is not None]

    def _end_of(self, process: "subprocess.Popen[str]") -> WorkerEnd:
        with self._processes.pop(process) as said:
            said.seek(0)
            code = process.returncode
            error = parse_worker_error(said.read(), code) if code > 0 else None
            return WorkerEnd(killed=code < 0, error=error)

    def stop(self) -> None:
        """Ask each to end after its epoch; kill those that take longer."""
        for one in self._processes:
            one.terminate()
        until = time.monotonic() + PARTING
        try:
            while any(one.poll() is None for one in self._processes) and time.monotonic() < until:
                time.sleep(0.05)
        finally:  # also when Ctrl-C is pressed once more
            for one in self._processes:
                one.kill()
                one.wait()
            for said in self._processes.values():
                said.close()
            self._processes.clear()

    def close(self) -> None:
        self.stop()


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """A process begun in here ignores Ctrl-C from its first moment: to end it is the search's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def parse_worker_error(said: str, code: int) -> LatentspaceError:
    """What stands in the last line; before it, a library may have printed something."""
    try:
        words = json.loads(said.strip().rpartition("\n")[2])
        kind = getattr(errors, words["kind"], RunError)
        error = kind(words["must"], found=words["found"], do=words["do"])
    except (ValueError, KeyError, TypeError):
        return RunError(
            "a worker must end in good order",
            found=f"one ended with exit code {code} (its traceback is above)",
            do="report this with the traceback; the trials that are done are kept (--resume)",
        )
    return error if isinstance(error, LatentspaceError) else RunError(said, found=said, do="")
