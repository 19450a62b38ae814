"""The processes of a training on a cluster of Ray: the same ones, as actors on its nodes.

What they share goes into Ray's object store once, and from there once to each node. They reach each other
directly, node to node. An actor that is gone ends the training, which resumes.
"""

import time
from collections.abc import Sequence
from typing import Any

from ...core.cluster import (
    ANSWERS,
    Cluster,
    LostProcessError,
    about_process,
)
from ...core.errors import ConfigurationError, TrainingError
from ...core.wording import counted, option, reader
from ...runs.checkpoint import State
from ..context import TrainingContext
from ..loop import EpochRecord
from .processes import PARTING
from .rank import Rank


class RankProcess(Rank):
    """A rank on a node, in a process of its own."""

    def about(self) -> dict[str, Any]:
        import ray

        host = ray.util.get_node_ip_address()
        return {**about_process(), "host": host}


class RayRanks:
    """As many processes as the plan has devices, each with the engine's CPUs and GPUs.

    Raises:
        ConfigurationError: the cluster has no room for them.
    """

    def __init__(self, cluster: Cluster, context: TrainingContext) -> None:
        self._cluster, self._count = cluster, context.experiment.devices
        if cluster.room < self._count:
            raise ConfigurationError(
                "all processes of a training must have a place at once",
                found=f"{option('devices', self._count)}, where the cluster has room for {cluster.room}",
                do="name fewer, or add nodes",
            )
        self._context = context.on("cpu")
        self._processes: list[Any] = []
        self._nodes: list[str | None] = [None] * self._count

    def begin(self, state: State) -> None:
        """Start the processes at `state`. Raises: RunError: a node has other versions."""
        import ray

        about = self._begun()
        for one in about:
            self._cluster.accept(one)
        self._nodes = [one["node"] for one in about]
        engine, shared = self._cluster.engine, ray.put(self._context)
        threads = self._context.experiment.threads or max(1, int(engine.cpus))
        device = "cuda" if engine.gpus else "cpu"
        self._asked("open", [(shared, device, threads, reader())] * self._count)
        hosts = [one["host"] for one in about]
        port = self._cluster.asked(self._processes[0].listen.remote(hosts[0]), self._nodes[0])
        self._asked("join", [((hosts[0], port), host, state) for host in hosts])

    def _begun(self) -> list[dict[str, Any]]:
        """Begin the processes; anew, where a node could not and others can. What each says of itself."""
        while True:
            self._processes = [
                self._cluster.process(RankProcess, rank, self._count) for rank in range(self._count)
            ]
            try:
                return self._asked("about", [()] * self._count)
            except TrainingError as error:
                lost = error.__cause__
                elsewhere = isinstance(lost, LostProcessError) and lost.blameless
                if not elsewhere or self._cluster.room < self._count:
                    raise
                self.close()

    def epoch(self) -> tuple[EpochRecord, State]:
        """The next epoch, by all of them."""
        found: tuple[EpochRecord, State] = self._asked("epoch", [()] * self._count)[0]
        return found

    def close(self) -> None:
        import ray

        for one in self._processes:
            ray.kill(one)
        self._processes = []

    def _asked(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What each answers.

        Raises:
            TrainingError: one of them is gone.
            Exception: what one of them raised.
        """
        import ray

        answers = [
            getattr(one, method).remote(*own) for one, own in zip(self._processes, arguments, strict=True)
        ]
        found: dict[int, Any] = {}
        trouble, left, until = None, list(answers), float("inf")
        while left and time.monotonic() < until:
            ready, left = ray.wait(left, timeout=ANSWERS)
            for rank in map(answers.index, ready):
                try:
                    found[rank] = self._cluster.asked(answers[rank], self._nodes[rank])
                except LostProcessError as error:
                    raise self._lost(rank, error) from error
                except ray.exceptions.RayTaskError as error:  # perhaps of the end of another
                    trouble = trouble or error
                    until = min(until, time.monotonic() + PARTING)
        if trouble is not None:
            raise trouble
        return [found[rank] for rank in range(self._count)]

    def _lost(self, rank: int, error: LostProcessError) -> TrainingError:
        return TrainingError(
            "all processes of a training must live until its end",
            found=f"process {rank + 1} of {counted(self._count, 'process')}: {error.reason}",
            do=f"look after its node; the epochs that are done are kept: {option('resume', 'RUN')} goes on",
        )
