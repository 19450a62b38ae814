"""The pieces of a table, computed by processes on the nodes of a cluster.

Images that are mapped from a file are read from it by the processes, where they see it unchanged under the
same path. All others are sent a piece at a time, so nodes need not see the data. What comes back is kept
here, whole or not at all, in the order of the rows. A piece whose process is lost is sent to another.
"""

from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch

from ..core.cluster import (
    ANSWERS,
    Cluster,
    LostProcessError,
    about_process,
)
from ..core.devices import named_device
from ..core.errors import RunError
from ..core.types import Int64Array, Pixels
from ..core.wording import option
from ..data.memmap import Place, place_of, require_unchanged
from .computing import Columns, Computable, Encodable

LOSSES: Final = 3  # so many processes may die over a piece
BEGINNING: Final = -1  # in place of a piece: of processes that died before they had one
AHEAD: Final = 2  # pieces that a process has: the one at work, and the next


class EncodingProcess:
    """On a node, in a process of its own."""

    def __init__(self) -> None:
        self._computing: Computable | None = None

    def about(self) -> dict[str, Any]:
        return about_process()

    def open(self, computing: Computable, device: str, threads: int) -> None:
        """What is computed, on `device`."""
        torch.set_num_threads(threads)
        self._computing = computing.on(named_device(device))

    def encoded(self, pixels: Pixels, piece: int) -> Columns:
        """The columns of the piece with this number."""
        if self._computing is None:
            raise RuntimeError("open comes first")
        return self._computing.encoded(pixels, np.arange(len(pixels)), piece)

    def read(self, place: Place, rows: Int64Array, piece: int) -> Columns | None:
        """The columns of a piece that is read here; None where its file is not seen here."""
        pixels = place.mapped()
        return None if pixels is None else self.encoded(np.ascontiguousarray(pixels[rows]), piece)


class OnCluster:
    """Computes pieces as `encoding.here` does, on a cluster; its processes stay from one call to the next."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._processes: dict[Any, int] = {}  # with how many pieces each has
        self._nodes: dict[Any, str] = {}  # where each is
        self._blind: set[Any] = set()  # those that do not see the images' file
        # By answer: the piece that it is of, or None where it is what a process says of itself; the process.
        self._at_work: dict[Any, tuple[int | None, Any]] = {}

    def close(self) -> None:
        """End the processes."""
        self._end(list(self._processes))

    def __call__(
        self, plan: Encodable, pieces: Mapping[int, Int64Array]
    ) -> Generator[tuple[int, Columns], None, None]:
        """The columns of each piece, as they come.

        Raises:
            RunError: processes die over a piece again and again, or have other versions.
        """
        import ray

        if not pieces:
            return
        self._blind.clear()
        shared = ray.put(plan.computing.on(torch.device("cpu")))
        left, lost, place = deque(pieces), Counter[int](), place_of(plan.pixels)
        for process in self._processes:  # those of an earlier call say again where they are
            self._at_work[process.about.remote()] = None, process
        try:
            while left or any(number is not None for number, _ in self._at_work.values()):
                self._fill(plan, pieces, left, place)
                ready, _ = ray.wait(list(self._at_work), num_returns=1, timeout=ANSWERS)
                for answer in ready:
                    if answer not in self._at_work:  # of a process that was lost meanwhile
                        continue
                    number, process = self._at_work.pop(answer)
                    try:
                        found = self._cluster.asked(answer, self._nodes.get(process))
                        if number is None:
                            self._open(process, found, shared)
                            continue
                    except LostProcessError as error:
                        left.extendleft(self._drop(process, number))
                        lost[BEGINNING if number is None else number] += not error.blameless
                        _refuse_losses(lost, error)
                        continue
                    self._processes[process] -= 1
                    if found is None:
                        self._blind.add(process)
                        left.appendleft(number)
                        continue
                    del lost[BEGINNING]  # there is a node where processes live
                    yield number, found
        finally:
            self._end([process for _, process in self._at_work.values()])  # those that are not done

    def _fill(
        self, plan: Encodable, pieces: Mapping[int, Int64Array], left: deque[int], place: Place | None
    ) -> None:
        """Start processes where there is room, and give each that is open its next pieces."""
        starting = {process for number, process in self._at_work.values() if number is None}
        while len(self._processes) < min(max(1, self._cluster.room), len(left)):
            process = self._cluster.process(EncodingProcess)
            self._processes[process] = 0
            starting.add(process)
            self._at_work[process.about.remote()] = None, process
        for _ in range(AHEAD):
            for process, has in self._processes.items():
                if left and process not in starting and has < AHEAD:
                    number = left.popleft()
                    rows = pieces[number]
                    if place is None or process in self._blind:
                        require_unchanged(plan.pixels)
                        answer = process.encoded.remote(np.ascontiguousarray(plan.pixels[rows]), number)
                    else:
                        answer = process.read.remote(place, rows, number)
                    self._at_work[answer] = number, process
                    self._processes[process] += 1

    def _open(self, process: Any, found: Mapping[str, Any], shared: Any) -> None:
        self._cluster.accept(found)
        engine = self._cluster.engine
        self._nodes[process] = found["node"]
        self._cluster.asked(
            process.open.remote(shared, "auto" if engine.gpus else "cpu", max(1, int(engine.cpus))),
            found["node"],
        )

    def _drop(self, process: Any, number: int | None) -> list[int]:
        """Forget a process that is gone; the pieces that it had."""
        return [one for one in (number, *self._end([process])) if one is not None]

    def _end(self, processes: Sequence[Any]) -> list[int | None]:
        """Kill processes, and forget them; the pieces that they were at work on."""
        import ray

        for one in set(processes) & self._processes.keys():
            del self._processes[one]
            ray.kill(one)
        answers = [one for one, (_, process) in self._at_work.items() if process in processes]
        return [self._at_work.pop(one)[0] for one in answers]


def _refuse_losses(lost: Counter[int], error: LostProcessError) -> None:
    if lost and max(lost.values()) >= LOSSES:
        raise RunError(
            "a process must live long enough to encode a piece",
            found=f"{LOSSES} died over one: {error.reason}",
            do=f"look whether memory or a disk ran out on the nodes; then go on with {option('resume')}",
        ) from error
