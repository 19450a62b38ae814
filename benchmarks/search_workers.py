"""Two workers of one thread, or one worker of two: `python benchmarks/search_workers.py [IMAGES] [ROUNDS]`.

Trains the report's best autoencoder for some seconds at a time, in turns: two processes side by side with a
thread each, then one process with two. Prints images a second of training, summed over the processes, for
each round, and the ratio of the medians. The ratio is what counts where the machine has other work too.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from processes import Steps

if TYPE_CHECKING:
    from latentspace.data.imageset import ImageSet

EPOCHS = 2


def trained(images: "ImageSet", threads: int) -> Iterator[int]:
    """Images that were trained on, after an epoch that warms up."""
    from latentspace.experiment.config import Experiment
    from latentspace.training.context import prepare
    from latentspace.training.loop import learn

    plan = Experiment(threads=threads, device="cpu", precision="32", training={"epochs": EPOCHS + 1})
    context = prepare(plan, images)
    records = learn(plan, context.components())
    next(records)
    yield 0
    yield sum(1 for _ in records) * context.learned


def speed(images: "ImageSet", processes: int, threads: int) -> float:
    """Images a second over all processes, from the common start to the end of the last."""
    started = [Steps(trained, images, threads, threads=threads) for _ in range(processes)]
    began = time.perf_counter()
    for one in started:
        one.ask()
    done = sum(one.answer() for one in started)
    seconds = time.perf_counter() - began
    for one in started:
        one.close()
    return done / seconds


def main(count: int = 4000, rounds: int = 3) -> None:
    from latentspace.data.catalog.glyphs.render import render

    images = render(count, workers=1)
    print(f"{'round':>5} {'2 workers x 1 thread':>22} {'1 worker x 2 threads':>22}   images/s")
    pairs = []
    for number in range(rounds):
        order = ((2, 1), (1, 2)) if number % 2 == 0 else ((1, 2), (2, 1))  # nobody always goes first
        found = {setting: speed(images, *setting) for setting in order}
        pairs.append((found[2, 1], found[1, 2]))
        print(f"{number + 1:>5} {pairs[-1][0]:>22,.0f} {pairs[-1][1]:>22,.0f}")
    many, wide = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"two workers of one thread are {many / wide:.2f}x as fast as one of two (medians of {rounds})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
