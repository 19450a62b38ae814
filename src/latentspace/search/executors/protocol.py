"""Executor: what starts workers for a study and tells which have ended.

An executor knows nothing of trials: workers take them from the study's storage one by one, and a trial whose
worker is gone is found by its heartbeat. So an executor may run `worker.work` wherever the study directory
and the storage can be reached, or `worker.work_by` here with trainings that are computed elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from ...core.config import Config
from ...core.errors import LatentspaceError
from ...experiment.search_space import Settings

FOLDER: Final = "confirm"


class Replication(Config):
    """One training of a trial's parameters from another seed; `place` counts the seeds from 0."""

    number: int
    parameters: Settings
    place: int

    def file(self, directory: Path) -> Path:
        """Where its score is written."""
        return directory / FOLDER / f"trial-{self.number}-seed-{self.place}.json"


class WorkerTask(Config):
    """What a worker is started for.

    Args:
        directory: the study's.
        threads: that its trainings use.
        storage: the database's URL with its password; None: as study.json says.
        deadline: no trial begins after it (seconds, as `time.time()` counts).
        replications: to be trained; None: trials of the search.
    """

    directory: Path
    threads: int = 1
    storage: str | None = None
    deadline: float | None = None
    replications: tuple[Replication, ...] | None = None


@dataclass(frozen=True)
class WorkerEnd:
    """How a worker ended: in good order, killed, or with an error that the next one would meet too."""

    killed: bool = False
    error: LatentspaceError | None = None


@runtime_checkable
class Executor(Protocol):
    """Workers of one invocation, made for a `core.cluster.Engine`."""

    @property
    def room(self) -> int | None:
        """How many workers have a place at this moment; None: as many as are asked for."""

    def submit(self, task: WorkerTask) -> None:
        """Start a worker."""

    def poll(self) -> Sequence[WorkerEnd]:
        """How those workers ended that have ended since the last call."""

    @property
    def running(self) -> int:
        """How many workers have not ended, as the last `poll` found it."""

    def stop(self) -> None:
        """End all workers, their trainings after the epoch at work, and return when none is left.

        Workers may be started again after it.
        """

    def close(self) -> None:
        """Stop, and let go of what the executor holds; nothing is started after it."""
