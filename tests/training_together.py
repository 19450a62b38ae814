"""Trainings by several processes, as threads of this one."""

import time
from concurrent.futures import ThreadPoolExecutor

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
        list(self.pool.map(lambda rank: rank.join(place, HERE, state), self.ranks))

    def epoch(self):
        return next(iter(list(self.pool.map(lambda rank: rank.epoch(), self.ranks))))

    def close(self):
        self.pool.shutdown()


def planned(run: Run, devices: int, **training: object) -> Experiment:
    plan = run.experiment.model_dump()
    plan |= {"devices": devices, "training": {**plan["training"], **training}}
    return Experiment.parse(plan, "a test's plan")


def losses(run: Run) -> list[float]:
    return [one[part][name] for one in run.metrics for part in ("train", "validation") for name in one[part]]
