"""The trials of one study: asked for one by one, counted, and run again where a worker was lost."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState

from ..core.atomic_files import exists, locked, make_folder, refusals, sweep, taken
from ..core.errors import RunError
from ..core.logs import quiet
from ..experiment.search_space import Settings
from .heartbeat import Heartbeat, HeartbeatWatch
from .notes import require_sound, trials_of
from .plan import FILE, StudyPlan, differences, moved
from .results import SearchProgress, Trial, front, ranked
from .sampler import NumberedSampler, pruner_of, seed_of
from .space import distributions, published
from .storage import JOURNAL, close_storage, open_storage, reaching

LOCK: Final = ".asking.lock"
LOSSES: Final = 3  # so many workers may die over the same parameters; after that they are a failed trial
LOSSES_IN_ALL: Final = 20  # those included that went with their machine


class Trials:
    """A study as one process sees it. Get one with `begin` or `join`; `close` it, or use `with`."""

    def __init__(self, storage: BaseStorage, plan: StudyPlan, directory: Path) -> None:
        self.storage = storage
        self.study = _load(storage, plan)
        self.plan = plan
        self.directory = directory
        self._quiet = ExitStack()  # what Optuna says, until it is closed
        self._quiet.enter_context(quiet(logging.getLogger("optuna"), logging.ERROR))
        self.watch = HeartbeatWatch(directory, closed=not isinstance(storage, RDBStorage))

    def __enter__(self) -> "Trials":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the storage's connections."""
        self._quiet.close()
        close_storage(self.storage)

    def next(self, heartbeat: Heartbeat, deadline: float | None = None) -> optuna.trial.Trial | None:
        """The next trial, its parameters chosen and its seed set; None if there is none left to begin.

        Args:
            deadline: no trial begins after it (seconds, as `time.time()` counts).
        """
        with self._alone():
            asked = StudyPlan.load(self.directory).search.trials  # another invocation may have asked for more
            self._give_up_lost()
            trials = self.all()
            going = sum(one.counted or one.state == "running" for one in trials)
            if going >= self._possible(asked, trials) or (deadline is not None and time.time() >= deadline):
                return None
            trial = self.study.ask(distributions(self.plan.space))
            trial.set_user_attr("worker", heartbeat.worker)
            trial.set_user_attr("heartbeat", heartbeat.file)  # last: a trial without it is lost
        root = _attempts(self.all(), trial.number)[-1]
        trial.set_user_attr("seed", seed_of(self.plan.experiment.seed, "training", root))
        trial.set_user_attr("threads", self.plan.experiment.threads)
        return trial

    def give_up_lost(self) -> None:
        """Mark the running trials whose worker is gone, and put their parameters back into the queue."""
        with self._alone():
            self._give_up_lost()
            self.watch.sweep({one.notes.heartbeat for one in self.all() if one.state == "running"})

    def lose(self, number: int, reason: str, *, blameless: bool = False) -> None:
        """Mark a trial as lost: FAIL, to be run again, not counted; after `LOSSES` attempts as failed.

        Args:
            blameless: this attempt does not count as one: its machine went.
        """
        trials = self.all()
        attempts = _attempts(trials, number)
        to_blame = sum(not (blameless if one == number else trials[one].notes.blameless) for one in attempts)
        last = to_blame >= LOSSES or len(attempts) >= LOSSES_IN_ALL
        if last:
            reason = f"{reason}; that was the attempt number {len(attempts)}, and the last"
        place = self.storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        writing = optuna.trial.Trial(self.study, place)
        writing.set_user_attr("epochs", len(trials[number].reports))
        if not last:
            writing.set_user_attr("lost", True)
        if blameless:
            writing.set_user_attr("blameless", True)
        writing.set_user_attr("reason", reason)
        self.study.tell(number, state=TrialState.FAIL)

    def enqueue_published(self) -> None:
        """Make the task's default settings the next trial, unless they have been one already.

        Raises:
            ConfigurationError: they lie outside the space.
        """
        parameters = published(self.plan.space, self.plan.experiment)
        with self._alone():
            if "published" not in self.study.user_attrs:
                self._enqueue(parameters, {"published": True})

    def progress(self, asked: int | None = None) -> SearchProgress:
        """How far the search is.

        Args:
            asked: how many trials there are to be; None: as the plan says.
        """
        trials = self.all()
        asked = self._possible(self.plan.search.trials if asked is None else asked, trials)
        best = ranked(trials, self.plan.directions[0])[:1] if self.plan.single else ()
        return SearchProgress(asked, trials, best[0] if best else None)

    def all(self) -> tuple[Trial, ...]:
        """Every trial, by number."""
        return trials_of(self.study)

    def best(self) -> Trial | None:
        """The best trial; None where none is complete, and for several objectives."""
        return next(iter(self.top(1)), None) if self.plan.single else None

    def top(self, count: int) -> Sequence[Trial]:
        """The best complete trials, best first."""
        return ranked(self.all(), self.plan.directions[0])[:count]

    def front(self) -> Sequence[Trial]:
        """The complete trials that no other beats in every objective."""
        return front(self.all(), self.plan.directions)

    def _possible(self, asked: int, trials: Sequence[Trial]) -> int:
        """So many trials, or as many as there can be until every combination of a finite space was tried."""
        combinations = self.plan.combinations
        if combinations is None:
            return asked
        there = sum(one.state != "lost" for one in trials)
        return min(asked, there + combinations.left(trials))

    def _alone(self) -> AbstractContextManager[None]:
        """Asking and counting happen in one process at a time."""
        if not (self.directory / FILE).is_file():  # the lock would make the directory anew
            raise moved(self.directory)
        return locked(self.directory / LOCK, poll_interval=0.01)

    def _give_up_lost(self) -> None:
        for trial in self.all():
            if trial.state == "running" and self._is_lost(trial):
                self.lose(trial.number, "its worker was killed")
        trials = self.all()
        again = {one.notes.retry_of for one in trials}
        for trial in trials:
            if trial.state == "lost" and trial.number not in again and trial.params:
                kept = {"published": True} if trial.notes.published else {}
                self._enqueue(trial.params, {"retry_of": trial.number, **kept})

    def _is_lost(self, trial: Trial) -> bool:
        """Whether the worker of a running trial is gone. In the journal a trial names its worker's heartbeat
        as soon as another process can ask for a trial: one that names none has no worker.
        """
        return (self.plan.storage is None and not trial.notes.heartbeat) or self.watch.lost(trial)

    def _enqueue(self, parameters: Settings, attributes: dict[str, Any]) -> None:
        self.study.enqueue_trial(parameters, user_attrs=attributes)
        if "published" in attributes:
            number = max(one.number for one in self.all() if one.notes.published)
            self.study.set_user_attr("published", number)


def begin(plan: StudyPlan, directory: Path, url: str | None, *, resume: bool) -> Trials:
    """Make the study, or, with `resume`, open it again; study.json then says `plan`.

    Args:
        url: of the database, with its password; None: the journal in `directory`.

    Raises:
        RunError: a study that is there already and not to be resumed, one that is to be resumed and is
            not there, or one with another space, direction, data or settings.
        OutputError: a storage that cannot be reached, or a place that cannot be written.
    """
    refuse_place(directory, url, resume=resume)
    if url is not None:
        storage = open_storage(directory, url)  # before anything is written
    make_folder(directory)
    with locked(directory / LOCK):  # of two that begin at one moment, the other finds it here
        here = refuse_place(directory, url, resume=resume)
        if url is None:
            storage = open_storage(directory, None)
        trials = _begun(plan, directory, url, storage, resume=resume, here=here)
    for folder in ("", "front", "confirm", "codes", "artifacts"):
        sweep(directory / folder)
    return trials


def _begun(
    plan: StudyPlan, directory: Path, url: str | None, storage: BaseStorage, *, resume: bool, here: bool
) -> Trials:
    """As `begin`, in a directory that is held; `here`: it holds the study already."""
    with reaching(url):
        known = plan.name in optuna.get_all_study_names(storage)
        if known and not resume:
            raise _there_already(f"the study {plan.name!r} in the storage")
        if not known and resume and not here:
            raise RunError(
                "a study to be resumed must be there",
                found=f"the storage has no study {plan.name!r}",
                do="begin it without --resume",
            )
        if not known:
            plan.save(directory)
            with quiet(logging.getLogger("optuna"), logging.ERROR), _new_in_storage(plan.name):
                optuna.create_study(storage=storage, study_name=plan.name, directions=list(plan.directions))
        trials = Trials(storage, plan, directory)
        _require_same(trials.study, plan)
    plan.save(directory)
    return trials


@contextmanager
def _new_in_storage(name: str) -> Iterator[None]:
    try:
        yield
    except optuna.exceptions.DuplicatedStudyError:  # begun at this moment, at another place
        raise _there_already(f"the study {name!r} in the storage") from None


def _nothing_begun(directory: Path) -> bool:
    """Whether there is nothing but what a search leaves that was killed before its plan was written."""
    return directory.is_dir() and all(
        one.name.startswith(".") or (one.name == JOURNAL and one.stat().st_size == 0)
        for one in directory.iterdir()
    )


def refuse_place(directory: Path, url: str | None, *, resume: bool) -> bool:
    """Whether there is a study in `directory`; raises where there should be none, or one."""
    with refusals(directory):
        taken(directory.resolve())  # it can be made
    here = exists(directory / FILE)
    if here and not resume:
        raise _there_already(str(directory))
    with refusals(directory):
        if not here and directory.exists() and not _nothing_begun(directory):
            if exists(directory / FILE) and not resume:  # another search has begun meanwhile
                raise _there_already(str(directory))
            raise RunError(
                f"the study directory {directory} must be new or empty",
                found=f"something is there, and no {FILE}",
                do="name another place with --out",
            )
    if resume and not here and url is None:
        StudyPlan.load(directory)  # says that there is nothing to resume
    return here


def is_begun(directory: Path) -> bool:
    """Whether `join` can open a study there: `begin` may have been killed before it had made one."""
    if not (directory / FILE).exists():
        return False
    plan = StudyPlan.load(directory)
    storage = open_storage(directory, plan.storage)
    try:
        return plan.name in optuna.get_all_study_names(storage)
    finally:
        close_storage(storage)


def join(directory: Path, url: str | None) -> Trials:
    """Open the study that `begin` made, to take part in it.

    Raises:
        RunError: there is none.
        OutputError: its storage cannot be reached.
    """
    plan = StudyPlan.load(directory)
    address = url or plan.storage
    storage = open_storage(directory, address)
    with reaching(address):
        return Trials(storage, plan, directory)


def _attempts(trials: Sequence[Trial], number: int) -> list[int]:
    """The trial, and those that it repeats, back to the first."""
    found = [number]
    while (earlier := trials[found[-1]].notes.retry_of) is not None:
        found.append(earlier)
    return found


def _load(storage: BaseStorage, plan: StudyPlan) -> optuna.Study:
    objectives = len(plan.objectives)
    try:
        study = optuna.load_study(
            study_name=plan.name,
            storage=storage,
            sampler=NumberedSampler(
                plan.experiment.seed, objectives, distributions(plan.space), plan.combinations
            ),
            pruner=pruner_of(plan.search, objectives),
        )
    except KeyError as error:
        raise RunError(
            f"the storage must hold the study {plan.name!r}",
            found="no study of that name",
            do="name the storage that it was begun with (--storage)",
        ) from error
    require_sound(study)
    return study


def _require_same(study: optuna.Study, plan: StudyPlan) -> None:
    """Write down what the study is, or compare it with what it was."""
    here, there = plan.attributes(), study.user_attrs
    differing = differences(here, there)
    directions = [one.name.lower() for one in study.directions]
    if directions != list(plan.directions):
        differing = f"directions are {directions} there, {list(plan.directions)} here; {differing}"
    if differing:
        raise RunError(
            f"the study {plan.name!r} must go on as it began: the same space, direction, data and settings",
            found=differing,
            do="leave out what differs, or search anew at another place (--out)",
        )
    for name, value in here.items():
        if name not in there:
            study.set_user_attr(name, value)


def _there_already(what: str) -> RunError:
    return RunError(
        f"{what} must be new: a study is never overwritten",
        found="a study is there already",
        do="go on with it (--resume), or name another place with --out",
    )
