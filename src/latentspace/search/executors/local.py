"""Many workers on one study: started, watched, replaced when they die, and ended together."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from ...core import errors
from ...core.devices import named_device
from ...core.errors import LatentspaceError, RunError
from ...experiment.config import Experiment
from ..replication import Job
from ..standing import SearchProgress
from ..storage import reaching
from ..trials import Trials
from .memory import ENVIRONMENT
from .worker import Order

LOOKING: Final = 0.5  # seconds from one look at the trials to the next
PARTING: Final = 20.0  # seconds that a worker has to end its epoch, before it is killed
DEATHS: Final = 5  # workers that may be killed one after another with no trial done in between


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_out(experiment: Experiment, workers: int | None) -> tuple[int, int]:
    """Workers and threads of each: by default a worker of one thread for each core.

    A training of these small networks gains little from a second thread, so two trainings side by side
    finish sooner than one after the other (benchmarks/search_workers.py). A GPU has one worker.

    Args:
        experiment: its `threads`, where they are not 0, stay.
        workers: as asked for; None: as many as the cores allow.
    """
    wide = named_device(experiment.device).type != "cpu"
    threads = experiment.threads
    if workers is None:
        workers = 1 if wide else max(1, cores() // max(1, threads))
    return workers, threads or max(1, cores() // workers)


class WorkerPool:
    """The worker processes of one invocation; leaving the `with` block ends those that still run."""

    def __init__(self, directory: Path, threads: int) -> None:
        self._directory = directory
        self._threads = threads
        self._running: dict[subprocess.Popen[str], IO[str]] = {}  # with the file of its standard output
        self.killed = 0  # since the count was last set back

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        """Ask each to end after its epoch; kill those that take longer."""
        for one in self._running:
            one.terminate()
        until = time.monotonic() + PARTING
        try:
            while any(one.poll() is None for one in self._running) and time.monotonic() < until:
                time.sleep(0.05)
        finally:  # also when Ctrl-C is pressed once more
            for one in self._running:
                one.kill()
                one.wait()
            for said in self._running.values():
                said.close()
            self._running.clear()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, order: Order) -> None:
        environment = {**ENVIRONMENT, **os.environ, "OMP_NUM_THREADS": str(self._threads)}
        command = [sys.executable, "-m", "latentspace.search.executors.worker"]
        # A file, as a pipe holds 64 KiB, and nobody reads it before the worker's end.
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when the worker is gone
        with _deaf_to_interrupts():
            process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=said, text=True, env=environment
            )
        self._running[process] = said
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin:  # killed before it could read: `look` sees that
                process.stdin.write(json.dumps(order.model_dump(mode="json")))

    def look(self) -> None:
        """Take leave of the workers that have ended.

        Raises:
            LatentspaceError: what a worker said when it could not go on.
        """
        for one in [process for process in self._running if process.poll() is not None]:
            with self._running.pop(one) as said:
                said.seek(0)
                if one.returncode < 0:
                    self.killed += 1
                elif one.returncode:
                    raise _last_words(said.read(), one.returncode)
        if self.killed >= DEATHS:
            raise RunError(
                "workers must live long enough to end a trial",
                found=f"{self.killed} were killed one after another",
                do="look whether memory ran out: fewer --workers, smaller networks or batches; then --resume",
            )


def search(
    trials: Trials, *, workers: int, url: str | None = None, timeout: float | None = None
) -> Generator[SearchProgress, None, None]:
    """Run the search to the asked number of trials; yield where it stands whenever that has changed.

    Closing the iterator ends the workers after the epoch at work; their trials will be run again.

    Args:
        url: of the database, with its password; None: the study's own.
        timeout: seconds after which no trial begins; those at work are run to their end.

    Raises:
        LatentspaceError: a worker that cannot go on, or a storage that cannot be reached.
    """
    deadline = None if timeout is None else time.time() + timeout
    order = Order(directory=trials.directory.resolve(), storage=url, deadline=deadline)
    with (
        reaching(url or trials.plan.storage),
        WorkerPool(trials.directory, trials.plan.experiment.threads) as pool,
    ):
        shown: SearchProgress | None = None
        while True:
            trials.give_up_lost()
            standing = trials.standing()
            if shown is None or standing.counted > shown.counted:
                pool.killed = 0
            if standing != shown:
                yield standing
                shown = standing
            pool.look()
            late = deadline is not None and time.time() >= deadline
            if not pool and (late or standing.counted >= standing.asked):
                return
            open_trials = standing.asked - standing.counted - standing.count("running")
            if not late:
                for _ in range(min(workers - len(pool), open_trials)):
                    pool.start(order)
            time.sleep(LOOKING)


def confirm(trials: Trials, jobs: Sequence[Job], *, workers: int) -> Generator[int, None, None]:
    """Do a confirmation's trainings; yield how many are done whenever that has changed.

    Raises:
        LatentspaceError: a worker that cannot go on.
    """
    directory = trials.directory.resolve()
    with WorkerPool(directory, trials.plan.experiment.threads) as pool:
        shown = -1
        while True:
            missing = [job for job in jobs if not job.file(directory).exists()]
            pool.look()
            if len(jobs) - len(missing) != shown:
                shown = len(jobs) - len(missing)
                pool.killed = 0
                yield shown
            if not missing:
                return
            if not pool:
                for first in range(min(workers, len(missing))):
                    own = tuple((job.number, job.parameters, job.place) for job in missing[first::workers])
                    pool.start(Order(directory=directory, jobs=own))
            time.sleep(LOOKING)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process begun in here ignores Ctrl-C from its first moment: to end it is the search's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _last_words(said: str, code: int) -> LatentspaceError:
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
