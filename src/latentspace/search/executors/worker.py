"""One worker: a process of its own that runs trials until there are none left.

Its order comes as JSON on standard input (a database's password does not belong on a command line): the
directory, the storage's URL, and a deadline; or trainings of a confirmation. SIGTERM ends it after the
epoch at work. What stops it for good is said as JSON on standard output, with exit code 2.
"""

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from pydantic import Field

from ...core.config import Config
from ...core.errors import LatentspaceError, RunError
from ...core.malloc import keep_freed
from ...core.wording import on_command_line
from ...experiment.search_space import Settings
from ...training.context import TrainingContext, prepare
from ..heartbeat import own_heartbeat
from ..plan import CODES, StudyPlan
from ..replication import Job, confirm_jobs
from ..storage import reaching
from ..trial import run_trial
from ..trials import join
from .memory import LIFE


class Order(Config):
    """What a worker is started for.

    Args:
        storage: the database's URL with its password; None: as study.json says.
        deadline: no trial begins after it (seconds, as `time.time()` counts).
        jobs: (trial's number, parameters, place of the seed) to be trained; None: trials of the search.
    """

    directory: Path
    storage: str | None = None
    deadline: float | None = None
    jobs: tuple[tuple[int, Settings, int], ...] | None = Field(default=None)


def work(order: Order, stop: Callable[[], bool]) -> None:
    """Run what is ordered until it is done, `stop` (asked after each epoch) says so, or it is time to retire.

    Raises:
        LatentspaceError: the images are not those of the study, or the storage cannot be reached.
    """
    plan = StudyPlan.load(order.directory)
    context = _ground(plan, order.directory)
    if order.jobs is not None:
        jobs = [Job(number, parameters, place) for number, parameters, place in order.jobs]
        confirm_jobs(jobs, plan, order.directory, context, stop)
        return
    with reaching(order.storage or plan.storage):
        _run_trials(order, context, stop)


def _run_trials(order: Order, context: TrainingContext, stop: Callable[[], bool]) -> None:
    with join(order.directory, order.storage) as trials, own_heartbeat(order.directory) as sign:
        for _ in range(LIFE):
            if stop() or (trial := trials.next(sign, order.deadline)) is None:
                return
            run_trial(trial, trials, context, stop)


def _ground(plan: StudyPlan, directory: Path) -> TrainingContext:
    context = prepare(
        plan.experiment,
        encoder_hash=plan.encoder_hash,
        beside=directory,
        codes_in=directory / CODES,
    )
    if context.images.content_hash != plan.content_hash:
        raise RunError(
            "a study goes on with the images that it began with",
            found=f"{plan.experiment.data.spec} now holds other images (the content hash differs)",
            do="bring the data back, or search anew",
        )
    return context


@on_command_line()
def main() -> None:
    """The process: read the order, work, say what went wrong."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal handlers are called
        ended.set()

    keep_freed()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the search then ends its workers
    logging.getLogger("latentspace").setLevel(logging.ERROR)  # what loading the data says was said before
    try:
        work(Order.parse(json.loads(sys.stdin.read()), "a worker's order"), ended.is_set)
    except LatentspaceError as error:
        said = {"kind": type(error).__name__, "must": error.must, "found": error.found, "do": error.do}
        print(json.dumps(said))
        sys.exit(2)


if __name__ == "__main__":
    main()
