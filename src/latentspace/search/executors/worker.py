"""One worker: a process of its own that runs trials until there are none left.

Its task comes as JSON on standard input (a database's password does not belong on a command line). SIGTERM
ends it after the epoch at work. What stops it for good is said as JSON on standard output, with exit code 2.
"""

import gc
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from ...core.errors import LatentspaceError, RunError
from ...core.wording import on_command_line
from ...training.context import TrainingContext, prepare
from ..heartbeat import own_heartbeat
from ..plan import CODES, StudyPlan
from ..replication import train_replications
from ..storage import reaching
from ..trainings import Trainer, TrainerHere
from ..trial import run_trial
from ..trials import join
from .memory import LIFE
from .protocol import WorkerTask


def work(task: WorkerTask, stop: Callable[[], bool]) -> None:
    """Run the task until it is done, `stop` (asked after each epoch) says so, or it is time to retire.

    Raises:
        LatentspaceError: the images are not those of the study, or the storage cannot be reached.
    """
    plan = StudyPlan.load(task.directory)
    work_by(TrainerHere(context_of(plan, task.directory)), task, plan, stop)


def work_by(trainer: Trainer, task: WorkerTask, plan: StudyPlan, stop: Callable[[], bool]) -> None:
    """As `work`, the trainings computed by `trainer`.

    Raises:
        LostProcessError: the trainer is gone; what it was at work on is run again another time.
    """
    if task.replications is not None:
        train_replications(task.replications, plan, task.directory, trainer, stop)
        return
    with reaching(task.storage or plan.storage):
        _run_trials(task, trainer, stop)


def _run_trials(task: WorkerTask, trainer: Trainer, stop: Callable[[], bool]) -> None:
    with join(task.directory, task.storage) as trials, own_heartbeat(task.directory) as heartbeat:
        for _ in range(LIFE):
            if stop() or (trial := trials.next(heartbeat, task.deadline)) is None:
                return
            run_trial(trial, trials, trainer, stop)


def context_of(plan: StudyPlan, directory: Path) -> TrainingContext:
    """What the trainings of a study share. Raises: LatentspaceError: its images are not what they were."""
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
    """The process: read the task, work, say what went wrong."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal handlers are called
        ended.set()

    gc.freeze()  # the libraries stay: `give_back` would look through them after each trial, for 0.2 s
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the search then ends its workers
    logging.getLogger("latentspace").setLevel(logging.ERROR)  # what loading the data says was said before
    try:
        work(WorkerTask.parse(json.loads(sys.stdin.read()), "a worker's task"), ended.is_set)
    except LatentspaceError as error:
        said = {"kind": type(error).__name__, "must": error.must, "found": error.found, "do": error.do}
        print(json.dumps(said))
        sys.exit(2)


if __name__ == "__main__":
    main()
