"""A search as plain values: its trials, the best of them, what pruning saved. Nothing here knows Optuna."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, computed_field, field_serializer

from ..core.record import Record
from ..experiment.search_space import Parameter, Setting, Settings
from ..experiment.tasks import Direction

State: TypeAlias = Literal["complete", "pruned", "failed", "lost", "running", "waiting"]
COUNTED: tuple[State, ...] = ("complete", "pruned", "failed")  # a lost trial was run again


@dataclass(frozen=True)
class TrialRecord:
    """One trial.

    Args:
        params: by dotted setting.
        values: one an objective, for a complete trial; else none.
        reports: the score after each reported epoch: (epoch, value), by epoch.
        notes: what the trial's worker left beside: epochs, images_per_second, weights, reason and others.
        seconds: how long it took, or None while it runs.
    """

    number: int
    state: State
    params: Mapping[str, Setting] = field(default_factory=dict)
    values: tuple[float, ...] = ()
    reports: tuple[tuple[int, float], ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    began: datetime | None = None
    seconds: float | None = None

    @property
    def epochs(self) -> int:
        """Epochs that were run: as the worker counted them, else the last one that was reported."""
        return int(self.notes.get("epochs", self.reports[-1][0] if self.reports else 0))

    @property
    def last(self) -> float | None:
        """The value that was reported last."""
        return self.reports[-1][1] if self.reports else None

    @property
    def judged(self) -> bool:
        """Complete, with numbers that can be compared."""
        return self.state == "complete" and len(self.values) > 0 and all(map(math.isfinite, self.values))


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


Whole = Annotated[int, Field(strict=True, ge=0)]
Score = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Confirmed(Record):
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


class Confirmation(Record):
    """The best trials, each over the same seeds: what confirm.json holds."""

    score: str
    epochs: Whole
    seeds: Whole
    trials: tuple[Confirmed, ...]


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
        confirmed: trials that were trained again with several seeds, the winner first.
        test: what `evaluate` found of the winner's own run on the test part; None until it was judged.
        comparable: whether that run's images are known to be the published ones.
    """

    kind: str
    objectives: tuple[str, ...]
    directions: tuple[Direction, ...]
    epochs: int
    seed: int
    searched: Mapping[str, Parameter]
    trials: tuple[TrialRecord, ...]
    importances: tuple[Importances, ...] = ()
    published: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    confirmed: tuple[Confirmed, ...] = ()
    test: Mapping[str, Any] | None = None
    comparable: bool = False

    @property
    def single(self) -> bool:
        return len(self.objectives) == 1

    def of_state(self, *states: State) -> tuple[TrialRecord, ...]:
        return tuple(trial for trial in self.trials if trial.state in states)

    def trial(self, number: int) -> TrialRecord:
        """Raises: LookupError: there is no such trial."""
        for trial in self.trials:
            if trial.number == number:
                return trial
        raise LookupError(f"trial {number}")

    @cached_property
    def judged(self) -> tuple[TrialRecord, ...]:
        """Complete trials with finite values, by number."""
        return tuple(trial for trial in self.trials if trial.judged)

    def ranked(self, objective: int = 0) -> tuple[TrialRecord, ...]:
        """The judged trials, best first; of equal ones the earlier."""
        sign = 1 if self.directions[objective] == "minimize" else -1
        return tuple(sorted(self.judged, key=lambda trial: sign * trial.values[objective]))

    @property
    def best(self) -> TrialRecord | None:
        """The winner; None where nothing was judged, and for several objectives: they have a front."""
        return self.ranked()[0] if self.single and self.judged else None

    @cached_property
    def front(self) -> tuple[TrialRecord, ...]:
        """The judged trials that no other beats in one objective without losing in another; by the last
        objective, from its small values to its large.
        """
        signs = np.array([1.0 if one == "minimize" else -1.0 for one in self.directions])
        values = np.array([trial.values for trial in self.judged]).reshape(-1, len(signs)) * signs
        kept = [
            trial
            for trial, own in zip(self.judged, values, strict=True)
            if not ((values <= own).all(axis=1) & (values < own).any(axis=1)).any()
        ]
        return tuple(sorted(kept, key=lambda trial: (trial.values[-1], trial.values[0])))

    @property
    def best_so_far(self) -> tuple[tuple[int, float], ...]:
        """(number, value) of each trial that was better than every judged one before it."""
        steps: list[tuple[int, float]] = []
        for trial in self.judged:
            value = trial.values[0]
            if not steps or self.better(value, steps[-1][1]):
                steps.append((trial.number, value))
        return tuple(steps)

    def better(self, one: float, other: float, objective: int = 0) -> bool:
        return one < other if self.directions[objective] == "minimize" else one > other

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
