"""python -m cuts [--only WORK] [--every N] [--first K]: fail each file operation in turn (`make cuts`)."""

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from chaos.killing import ChaosError, Victim, clock, elsewhere
from cuts.faults import FAULTS, Cut, Operations
from cuts.work import Evaluation, Report, Search, Training, Work, prepared
from materials import make_images

SHOWING = 60  # seconds from one word of progress to the next
WORKS = [one.name for one in (Training, Evaluation, Report, Search)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="cuts", description=__doc__)
    parser.add_argument("--only", choices=WORKS, action="append", help="may be repeated")
    parser.add_argument("--every", type=int, default=1, help="make each N-th cut alone")
    parser.add_argument("--first", type=int, default=0, help="the cut to begin with, from 0")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("latentspace").setLevel(logging.WARNING)
    say = clock()
    place = Path(tempfile.mkdtemp(prefix="cuts-"))

    try:
        total = sum(
            cut_each(one, place, chosen.first, chosen.every, say)
            for one in works(place, chosen.only or WORKS)
        )
    except ChaosError as error:
        say(f"FAILED: {error}\nwhat is left lies in {place}")
        return 1
    shutil.rmtree(place)
    say(f"{total} cuts, each gone on with: the same weights, the same results, and nothing left over")
    return 0


def works(place: Path, asked: list[str]) -> Iterator[Work]:
    """Those that are asked for; an evaluation needs a run that has ended, and a page a measured one."""
    images = make_images()
    data = place / "bars.npz"
    np.savez(data, images=images.pixels, labels=images.labels)
    training, trained, measured = Training(None, data), place / "trained", place / "measured"
    if Training.name in asked:
        yield training
    if {Evaluation.name, Report.name}.intersection(asked):
        _run(training, training.begin(trained), prepared(training, trained), place)
    if Evaluation.name in asked:
        yield Evaluation(trained)
    if Report.name in asked:
        shutil.copytree(trained, measured)
        yield Report(measured, elsewhere(Report.drawn, measured))
    if Search.name in asked:
        yield Search(None, data)


def cut_each(one: Work, place: Path, first: int, every: int, say: Callable[[str], None]) -> int:
    """Fail each operation of the work in each way that it can fail; how many cuts that were.

    Raises:
        ChaosError: one of them has lost, changed or left something.
    """
    folder = prepared(one, place / "cut")
    operations = _run(one, one.begin(folder), folder, place)
    expected = elsewhere(one.result, folder)
    met: Counter[str] = Counter()
    shown = time.monotonic()
    cuts = [
        Cut(number, fault)
        for number, operation in enumerate(operations)
        for fault in FAULTS
        if fault != "half a write" or operation.startswith("write ")
    ]
    chosen = cuts[first::every]
    for cut in chosen:
        operation = operations[cut.number]
        if time.monotonic() - shown > SHOWING:
            shown = time.monotonic()
            say(f"{one.name}: at {cut.number} of {len(operations)} operations")
        _cut(one, cut, place, expected, f"{cut.fault} at {cut.number}, {operation}")
        met[cut.fault] += 1
    numbers = sorted({cut.number for cut in chosen})
    kinds = Counter(operations[number].partition(" ")[0] for number in numbers)
    say(
        f"{one.name}: {len(numbers)} of {len(operations)} operations ("
        + ", ".join(f"{many} {kind}" for kind, many in kinds.most_common())
        + f"), {met.total()} cuts: "
        + ", ".join(f"{many} {fault}" for fault, many in met.items())
    )
    return met.total()


def _cut(one: Work, cut: Cut, place: Path, expected: Any, where: str) -> None:
    folder = prepared(one, place / "cut")
    try:
        _run(one, one.begin(folder), folder, place, cut)
        _run(one, one.again(folder), folder, place)
        words = elsewhere(one.difference, folder, expected)
    except Exception as error:
        raise ChaosError(f"{one.name}: {where}: {type(error).__name__}: {error}") from error
    if words:
        raise ChaosError(f"{one.name}: {where}: {words}")


def _run(one: Work, arguments: list[str], folder: Path, place: Path, cut: Cut | None = None) -> list[str]:
    """Run the command, perhaps cut, and return its operations.

    Raises:
        ChaosError: without a cut it does not end well; with one it ends neither well, nor by its death, nor
            with an error of our own.
    """
    record = place / "operations"
    operations = Operations(folder, record, cut or Cut())

    def before() -> None:
        one.prepare()
        operations.install()

    victim = Victim(arguments, place / "said", before)
    code, said = victim.end(), victim.said
    refused = code == 2 and "error:" in said
    killed = code == -9 and cut is not None and ("death" in cut.fault or "half" in cut.fault)
    if "Traceback" in said or not (code == 0 or killed or (cut is not None and refused)):
        raise ChaosError(f"exit code {code}: {said[-3000:]}")
    return record.read_text().splitlines()


if __name__ == "__main__":
    sys.exit(main())
