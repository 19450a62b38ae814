"""Trainings by several processes, as threads of this one."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from latentspace.core.wording import reader
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.training.together.rank import HERE, Rank


class InThreads:
    """The processes of a training as threads of this one, with the same gloo between them."""

    folder = None

    def __init__(self, context):
        self.count, self.context = context.experiment.devices, context
        self.ranks = [Rank(number, self.count) for number in range(self.count)]
        self.pool = ThreadPoolExecutor(self.count)

    def begin(self, state):
        for rank in self.ranks:
            rank.open(self.context, "cpu", 1, reader())
        place = self.folder / f"store-{time.monotonic_ns()}"
        self.of_all(lambda rank: rank.join(place, HERE, state))

    def epoch(self):
        return self.of_all(lambda rank: rank.epoch())[0]

    def of_all(self, call: Callable[[Rank], object]) -> list:
        """What each returns; or the first error, while the others wait for the one that has it."""
        calls = [self.pool.submit(call, rank) for rank in self.ranks]
        done, _ = wait(calls, return_when=FIRST_EXCEPTION)
        for one in done:
            one.result()
        return [one.result() for one in calls]

    def close(self):
        self.pool.shutdown(wait=False)


def planned(run: Run, devices: int, **training: object) -> Experiment:
    plan = run.experiment.model_dump()
    # in float32: that a backward pass of bfloat16 is its own is noted once a process, not once a thread
    plan |= {"devices": devices, "precision": "32", "training": {**plan["training"], **training}}
    return Experiment.parse(plan, "a test's plan")


def losses(run: Run) -> list[float]:
    return [one[part][name] for one in run.metrics for part in ("train", "validation") for name in one[part]]
