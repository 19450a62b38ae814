"""Where a search stands: what became of each trial, and how long it may still take."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from optuna.trial import FrozenTrial, TrialState

from ..experiment.search_space import Settings

Outcome: TypeAlias = Literal["waiting", "running", "complete", "pruned", "failed", "lost"]
COUNTED: Final[tuple[Outcome, ...]] = ("complete", "pruned", "failed")


@dataclass(frozen=True)
class TrialStatus:
    """One trial as a person wants it: what was tried, and what came of it.

    `value` is the first objective's, of a pruned trial the last that was reported.
    """

    number: int
    outcome: Outcome
    value: float | None
    epochs: int
    seconds: float | None
    parameters: Settings
    reason: str


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is; `counted` of `asked` trials are done in the sense of the trials asked for."""

    asked: int
    records: tuple[TrialStatus, ...]
    best: TrialStatus | None

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.records)

    @property
    def counted(self) -> int:
        return sum(self.count(one) for one in COUNTED)

    def seconds_left(self, workers: int) -> float | None:
        """An estimate from the trials that are done; None before the first."""
        spent = [one.seconds for one in self.records if one.outcome in COUNTED and one.seconds is not None]
        if not spent:
            return None
        return sum(spent) / len(spent) * max(0, self.asked - self.counted) / max(1, workers)


def outcome_of(trial: FrozenTrial) -> Outcome:
    match trial.state:
        case TrialState.COMPLETE:
            return "complete"
        case TrialState.PRUNED:
            return "pruned"
        case TrialState.FAIL:
            return "lost" if trial.user_attrs.get("lost") else "failed"
        case TrialState.RUNNING:
            return "running"
        case _:
            return "waiting"


def status_of(trial: FrozenTrial) -> TrialStatus:
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    return TrialStatus(
        number=trial.number,
        outcome=outcome_of(trial),
        value=trial.values[0] if trial.values else None,
        epochs=trial.user_attrs.get("epochs", len(trial.intermediate_values)),
        seconds=seconds,
        parameters=dict(trial.params),
        reason=trial.user_attrs.get("reason", ""),
    )
