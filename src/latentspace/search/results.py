"""A search as plain values: its trials, the best of them, what pruning saved. Nothing here knows Optuna."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_serializer

from ..core.record import Record
from ..experiment.search_space import Parameter, Settings
from ..experiment.tasks import Direction

State: TypeAlias = Literal["complete", "pruned", "failed", "lost", "running", "waiting"]
COUNTED: Final[tuple[State, ...]] = ("complete", "pruned", "failed")  # a lost trial was run again

Whole = Annotated[int, Field(strict=True, ge=0)]


class TrialNotes(BaseModel):
    """What is stored with a trial beside Optuna's own, as user attributes; other programs may add to them.

    Args:
        heartbeat: the file that its worker holds: see `heartbeat`.
        worker: which one, for a person.
        computed_by: the process that computes its training, pid@host, where that is another one.
        beat: counted up for those who cannot see that file.
        seed, threads: of its training.
        epochs: that were run, where the worker has counted them.
        weights: how many numbers the network learns.
        reason: why it failed or was lost.
        lost: its worker is gone; it is run again and does not count.
        blameless: it was lost with its machine, not by what it did.
        retry_of: the number of the lost trial that this one repeats.
        published: it has the task's default settings.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    heartbeat: str = ""
    worker: str = ""
    computed_by: str = ""
    beat: Whole = 0
    seed: Whole | None = None
    threads: Whole | None = None
    epochs: Whole | None = None
    weights: Whole | None = None
    images_per_second: float | None = None
    reason: str = ""
    lost: bool = False
    blameless: bool = False
    retry_of: Whole | None = None
    published: bool = False


@dataclass(frozen=True)
class Trial:
    """One trial.

    Args:
        params: by dotted setting; of a waiting trial those that it was queued with.
        values: one an objective, for a complete trial; else none.
        reports: the score after each reported epoch: (epoch, value), by epoch.
        seconds: how long it took, or None while it runs.
    """

    number: int
    state: State
    params: Settings = field(default_factory=dict)
    values: tuple[float, ...] = ()
    reports: tuple[tuple[int, float], ...] = ()
    notes: TrialNotes = field(default_factory=TrialNotes)
    began: datetime | None = None
    seconds: float | None = None

    @property
    def epochs(self) -> int:
        """Epochs that were run: as the worker counted them, else the last one that was reported."""
        if self.notes.epochs is not None:
            return self.notes.epochs
        return self.reports[-1][0] if self.reports else 0

    @property
    def last(self) -> float | None:
        """The value that was reported last."""
        return self.reports[-1][1] if self.reports else None

    @property
    def score(self) -> float | None:
        """The first objective's value; of a trial that is not complete the last one that was reported."""
        return self.values[0] if self.values else self.last

    @property
    def ended(self) -> bool:
        return self.state not in ("running", "waiting")

    @property
    def counted(self) -> bool:
        """Whether it is one of the trials that were asked for, and done."""
        return self.state in COUNTED

    @property
    def usable(self) -> bool:
        """Complete, with numbers that can be compared."""
        return self.state == "complete" and len(self.values) > 0 and all(map(math.isfinite, self.values))


def ranked(trials: Iterable[Trial], direction: Direction) -> tuple[Trial, ...]:
    """The usable trials, best first by the first objective; of equal ones the earlier."""
    sign = 1 if direction == "minimize" else -1
    usable = [trial for trial in trials if trial.usable]
    return tuple(sorted(usable, key=lambda trial: (sign * trial.values[0], trial.number)))


def front(trials: Iterable[Trial], directions: Sequence[Direction]) -> tuple[Trial, ...]:
    """The usable trials that no other beats in one objective without losing in another; by the last
    objective, from its small values to its large.
    """
    usable = [trial for trial in trials if trial.usable]
    signs = np.array([1.0 if one == "minimize" else -1.0 for one in directions])
    values = np.array([trial.values for trial in usable]).reshape(-1, len(signs)) * signs
    kept = [
        trial
        for trial, own in zip(usable, values, strict=True)
        if not ((values <= own).all(axis=1) & (values < own).any(axis=1)).any()
    ]
    return tuple(sorted(kept, key=lambda trial: (trial.values[-1], trial.values[0])))


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is; `counted` of `asked` trials are done.

    Args:
        best: the best trial so far; None where none is complete, and for several objectives.
    """

    asked: int
    trials: tuple[Trial, ...]
    best: Trial | None

    def count(self, state: State) -> int:
        return sum(trial.state == state for trial in self.trials)

    @property
    def counted(self) -> int:
        return sum(trial.counted for trial in self.trials)

    def seconds_left(self, workers: int) -> float | None:
        """An estimate from the trials that are done; None before the first."""
        spent = [trial.seconds for trial in self.trials if trial.counted and trial.seconds is not None]
        if not spent:
            return None
        return sum(spent) / len(spent) * max(0, self.asked - self.counted) / max(1, workers)


@dataclass(frozen=True)
class Importances:
    """How much of the score's variance each setting explains, by setting, largest first; they sum to 1.

    Args:
        shares: empty where nothing could be said; `why_not` says why.
        trials: how many trials it was computed from.
    """

    objective: str
    shares: Mapping[str, float]
    trials: int
    why_not: str = ""


Score = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Replicated(Record):
    """The parameters of one trial, trained again: a finite score for each seed, and how many seeds failed."""

    number: Whole
    params: Settings
    scores: tuple[Score, ...]
    failed: Whole

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores) if self.scores else math.nan

    @computed_field  # type: ignore[prop-decorator]
    @property
    def std(self) -> float:
        """The standard deviation over seeds (that of a sample: divided by n - 1); NaN below two seeds."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else math.nan

    @field_serializer("mean", "std")
    def _none_for_nan(self, value: float) -> float | None:
        return None if math.isnan(value) else value


class Replications(Record):
    """The best trials, each over the same seeds: what confirm.json holds."""

    score: str
    epochs: Whole
    seeds: Whole
    trials: tuple[Replicated, ...]


@dataclass(frozen=True)
class StudyRecord:
    """A whole search.

    Args:
        objectives: the names of what was minimised or maximised, in the order of a trial's values.
        epochs: how many a trial that is not pruned runs.
        searched: what each setting was searched over.
        trials: by number.
        published: the number of the trial with the task's default settings, if one was asked for.
        notes: what else the search says of itself: data, content_hash, split and others.
        replicated: trials that were trained again with several seeds, the best first.
        test: what `evaluate` found of the best trial's own run on the test part; None until it was evaluated.
        comparable: whether that run's images are known to be the published ones.
    """

    kind: str
    objectives: tuple[str, ...]
    directions: tuple[Direction, ...]
    epochs: int
    seed: int
    searched: Mapping[str, Parameter]
    trials: tuple[Trial, ...]
    importances: tuple[Importances, ...] = ()
    published: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    replicated: tuple[Replicated, ...] = ()
    test: Mapping[str, Any] | None = None
    comparable: bool = False

    @property
    def single(self) -> bool:
        return len(self.objectives) == 1

    def of_state(self, *states: State) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.state in states)

    def trial(self, number: int) -> Trial:
        """The trial with this number.

        Raises:
            LookupError: there is no such trial.
        """
        for trial in self.trials:
            if trial.number == number:
                return trial
        raise LookupError(f"trial {number}")

    @cached_property
    def usable(self) -> tuple[Trial, ...]:
        """Complete trials with finite values, by number."""
        return tuple(trial for trial in self.trials if trial.usable)

    def ranked(self) -> tuple[Trial, ...]:
        """The usable trials, best first by the first objective."""
        return ranked(self.trials, self.directions[0])

    @property
    def best(self) -> Trial | None:
        """None where no trial is usable, and for several objectives: they have a front."""
        return self.ranked()[0] if self.single and self.usable else None

    @cached_property
    def front(self) -> tuple[Trial, ...]:
        """The usable trials that no other beats in one objective without losing in another."""
        return front(self.trials, self.directions)

    @property
    def best_so_far(self) -> tuple[tuple[int, float], ...]:
        """(number, value) of each trial that was better than every usable one before it."""
        sign = 1 if self.directions[0] == "minimize" else -1
        steps: list[tuple[int, float]] = []
        for trial in self.usable:
            value = trial.values[0]
            if not steps or sign * value < sign * steps[-1][1]:
                steps.append((trial.number, value))
        return tuple(steps)

    @property
    def epochs_run(self) -> int:
        return sum(trial.epochs for trial in self.trials)

    @property
    def epochs_saved(self) -> int:
        """What the pruned trials would still have run: asked epochs less run ones, over the pruned alone."""
        return sum(max(0, self.epochs - trial.epochs) for trial in self.of_state("pruned"))

    @property
    def share_saved(self) -> float:
        """Of the epochs that the complete and the pruned trials were asked to run; 0 where there are none."""
        ran = sum(trial.epochs for trial in self.of_state("complete", "pruned"))
        return self.epochs_saved / (ran + self.epochs_saved) if self.epochs_saved else 0.0

    @property
    def seconds_saved(self) -> float:
        """The same in seconds: each pruned trial's own mean seconds an epoch, times the epochs left."""
        return sum(
            (
                trial.seconds / trial.epochs * max(0, self.epochs - trial.epochs)
                for trial in self.of_state("pruned")
                if trial.seconds is not None and trial.epochs > 0
            ),
            start=0.0,
        )
