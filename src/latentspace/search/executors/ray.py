"""Workers of a search on a cluster: each is a thread here, whose trainings a process on a node computes.

The study's storage is written by this process alone, so nodes need neither the study's directory nor the
data: what the trainings share (images, split, codes) goes into Ray's object store once, and from there once
to each node, whose processes read it where it lies.
"""

import logging
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...core.cluster import (
    ANSWERS,
    Cluster,
    Engine,
    LostProcessError,
    refuse_device,
)
from ...core.errors import LatentspaceError, RunError
from ...experiment.config import Experiment
from ...training.context import TrainingContext
from ...training.loop import EpochRecord
from ..plan import StudyPlan
from ..storage import reaching
from ..trials import join
from .local import PARTING
from .node import TrainingProcess
from .protocol import WorkerEnd, WorkerTask
from .worker import context_of, work_by

WAITING: Final = 5.0  # seconds from one look whether a worker without a place is still needed to the next

logger = logging.getLogger(__name__)


class RayExecutor:
    """A process on a node for each worker, with the engine's CPUs and GPUs.

    Raises:
        ConfigurationError: Ray is not installed, no cluster answers, or no node has these resources.
        RunError: the cluster has other versions.
    """

    def __init__(self, engine: Engine) -> None:
        self.cluster = Cluster(engine)
        self._workers: list[_Worker] = []
        self._sharing = threading.Lock()
        self._shared: dict[Path, tuple[TrainingContext, Any]] = {}
        try:
            self.cluster.require_room()
        except LatentspaceError:
            self.cluster.close()
            raise

    @property
    def running(self) -> int:
        return len(self._workers)

    @property
    def room(self) -> int:
        return self.cluster.room

    def submit(self, task: WorkerTask) -> None:
        self._workers.append(_Worker(self, task))

    def poll(self) -> Sequence[WorkerEnd]:
        ended = [one for one in self._workers if one.end is not None]
        self._workers = [one for one in self._workers if one not in ended]
        return [one.end for one in ended if one.end is not None]

    def stop(self) -> None:
        for one in self._workers:
            one.stopping.set()
        until = time.monotonic() + PARTING
        try:
            for one in self._workers:
                one.join(max(0.0, until - time.monotonic()))
        finally:  # also when Ctrl-C is pressed once more
            for one in self._workers:
                one.kill()
            for one in self._workers:
                one.join(PARTING)
            self._workers = []

    def close(self) -> None:
        self.stop()
        self._shared.clear()
        self.cluster.close()

    def share(self, plan: StudyPlan, directory: Path) -> tuple[TrainingContext, Any]:
        """What the study's trainings share, here and as an object of the cluster: made once."""
        import ray

        with self._sharing:
            if directory not in self._shared:
                refuse_device(plan.experiment.device, self.cluster.engine)
                context = context_of(plan, directory)
                self._shared[directory] = context, ray.put(context)
            return self._shared[directory]


class _Worker:
    """One worker: a thread here, and a process on a node."""

    def __init__(self, executor: RayExecutor, task: WorkerTask) -> None:
        self.stopping = threading.Event()
        self.end: WorkerEnd | None = None
        self._executor, self._task = executor, task
        self._process: Any = None  # an actor of Ray
        self._thread = threading.Thread(target=self._run, name="a worker on the cluster", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def kill(self) -> None:
        if self._process is not None:
            import ray

            ray.kill(self._process)

    def _run(self) -> None:
        end = WorkerEnd()
        try:
            self._work()
        except LostProcessError as error:
            end = WorkerEnd(killed=not error.blameless)
        except LatentspaceError as error:
            end = WorkerEnd(error=error)
        except Exception as error:
            logger.exception("a worker on the cluster ended")
            said = str(error).strip().splitlines() or [type(error).__name__]
            end = WorkerEnd(
                error=RunError(
                    "a worker must end in good order",
                    found=said[-1],
                    do="report this with the traceback; the trials that are done are kept (--resume)",
                )
            )
        finally:
            self.kill()
            self.end = end

    def _work(self) -> None:
        plan = StudyPlan.load(self._task.directory)
        self._process = self._executor.cluster.process(TrainingProcess)
        about = self._process.about.remote()
        context, shared = self._executor.share(plan, self._task.directory)  # while the process begins
        if not self._has_place(about):
            return
        cluster = self._executor.cluster
        there = cluster.asked(about)
        cluster.accept(there)
        process = ProcessOnNode(self._process, there["process"], there["node"], cluster)
        process.asked("open", shared)
        trainer = TrainerOnNode(process, context.experiment)
        work_by(trainer, self._task, plan, self.stopping.is_set)

    def _has_place(self, about: Any) -> bool:
        """Wait until the process has begun; False where it is no longer needed."""
        import ray

        look = time.monotonic() + WAITING
        while not ray.wait([about], timeout=ANSWERS)[0]:
            if self.stopping.is_set():
                return False
            if time.monotonic() > look:
                if not _needed(self._task):
                    return False
                look = time.monotonic() + WAITING
        return True


def _needed(task: WorkerTask) -> bool:
    """Whether a search has trials that nobody has begun."""
    if task.replications is not None:
        return True
    if task.deadline is not None and time.time() >= task.deadline:
        return False
    with reaching(task.storage), join(task.directory, task.storage) as trials:
        progress = trials.progress()
        return progress.counted + progress.count("running") < progress.asked


@dataclass(frozen=True)
class ProcessOnNode:
    """A `TrainingProcess` on a node."""

    handle: Any
    name: str
    node: str
    cluster: Cluster

    def asked(self, method: str, *arguments: Any) -> Any:
        """What it answers. Raises: as `Cluster.asked`."""
        return self.cluster.asked(getattr(self.handle, method).remote(*arguments), self.node)


class TrainerOnNode:
    """Trainings in a process on a node; see `search.trainings.Trainer`."""

    def __init__(self, process: ProcessOnNode, experiment: Experiment) -> None:
        self.experiment, self._process = experiment, process

    def begin(self, experiment: Experiment) -> "TrainingOnNode":
        return TrainingOnNode(self._process, self._process.asked("begin", experiment))


class TrainingOnNode:
    """A training in a process on a node."""

    def __init__(self, process: ProcessOnNode, weights: int) -> None:
        self.weights, self.computed_by, self._process = weights, process.name, process

    def records(self) -> Generator[EpochRecord, None, None]:
        while (record := self._process.asked("epoch")) is not None:
            yield record

    def picture(self) -> bytes | None:
        png: bytes | None = self._process.asked("picture")
        return png
