"""A search, and the replication of its best trials, run to the end by the workers of an executor."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ..core.errors import RunError
from .executors.protocol import Executor, Replication, WorkerTask
from .results import SearchProgress
from .storage import reaching
from .trials import Trials

LOOKING: Final = 0.5  # seconds from one look at the trials to the next
DEATHS: Final = 5  # workers that may be killed one after another with no trial done in between


class _Workers:
    """An executor whose workers must not be killed again and again."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.killed = 0  # since the count was last set back

    def poll(self) -> None:
        """Count the workers that have died, and raise what ended one.

        Raises:
            LatentspaceError: what a worker said when it could not go on.
        """
        for end in self.executor.poll():
            self.killed += end.killed
            if end.error is not None:
                raise end.error
        if self.killed >= DEATHS:
            raise RunError(
                "workers must live long enough to end a trial",
                found=f"{self.killed} were killed one after another",
                do="look whether memory ran out: fewer --workers, smaller networks or batches; then --resume",
            )


@contextmanager
def _workers(executor: Executor) -> Iterator[_Workers]:
    try:
        yield _Workers(executor)
    finally:
        executor.stop()


def places(workers: int | None, executor: Executor) -> int:
    """How many workers there may be now."""
    return max(1, executor.room or 0) if workers is None else workers


def search(
    trials: Trials,
    executor: Executor,
    *,
    workers: int | None,
    url: str | None = None,
    timeout: float | None = None,
) -> Generator[SearchProgress, None, None]:
    """Run the search to the asked number of trials; yield how far it is whenever that has changed.

    Closing the iterator ends the workers after the epoch at work; their trials will be run again.

    Args:
        workers: None: as many as the executor has room for, machines that come and go counted.
        url: of the database, with its password; None: the study's own.
        timeout: seconds after which no trial begins; those at work are run to their end.

    Raises:
        LatentspaceError: a worker that cannot go on, or a storage that cannot be reached.
    """
    deadline = None if timeout is None else time.time() + timeout
    task = WorkerTask(
        directory=trials.directory.resolve(),
        threads=trials.plan.experiment.threads,
        storage=url,
        deadline=deadline,
    )
    with reaching(url or trials.plan.storage), _workers(executor) as pool:
        shown: SearchProgress | None = None
        while True:
            trials.give_up_lost()
            progress = trials.progress()
            if shown is None or progress.counted > shown.counted:
                pool.killed = 0
            if progress != shown:
                yield progress
                shown = progress
            pool.poll()
            late = deadline is not None and time.time() >= deadline
            if not executor.running and (late or progress.counted >= progress.asked):
                return
            open_trials = progress.asked - progress.counted - progress.count("running")
            if not late:
                for _ in range(min(places(workers, executor) - executor.running, open_trials)):
                    executor.submit(task)
            time.sleep(LOOKING)


def replicate(
    trials: Trials, replications: Sequence[Replication], executor: Executor, *, workers: int | None
) -> Generator[int, None, None]:
    """Do the trainings; yield how many are done whenever that has changed.

    Raises:
        LatentspaceError: a worker that cannot go on.
    """
    directory, threads = trials.directory.resolve(), trials.plan.experiment.threads
    with _workers(executor) as pool:
        shown = -1
        while True:
            missing = [one for one in replications if not one.file(directory).exists()]
            pool.poll()
            if len(replications) - len(missing) != shown:
                shown = len(replications) - len(missing)
                pool.killed = 0
                yield shown
            if not missing:
                return
            if not executor.running:
                now = min(places(workers, executor), len(missing))
                for first in range(now):
                    own = tuple(missing[first::now])
                    executor.submit(WorkerTask(directory=directory, threads=threads, replications=own))
            time.sleep(LOOKING)
