"""An executor whose worker is this process: each task is done before `submit` returns."""

from collections.abc import Sequence

from latentspace.core.cluster import Engine
from latentspace.core.errors import LatentspaceError
from latentspace.search.executors.protocol import WorkerEnd, WorkerTask
from latentspace.search.executors.worker import work


class InThisProcess:
    running, room = 0, None

    def __init__(self, engine: Engine) -> None:
        self._ended: list[WorkerEnd] = []

    def submit(self, task: WorkerTask) -> None:
        try:
            work(task, lambda: False)
        except LatentspaceError as error:
            self._ended.append(WorkerEnd(error=error))
        else:
            self._ended.append(WorkerEnd())

    def poll(self) -> Sequence[WorkerEnd]:
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> None:
        """Nothing runs between two calls."""

    def close(self) -> None:
        """Nothing is held."""
