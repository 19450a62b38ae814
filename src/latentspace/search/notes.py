"""Optuna's trials as ours, and the attributes of a study that a search writes, held to their types."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel, ConfigDict, ValidationError

from ..core.config import describe
from ..core.errors import RunError
from ..core.wording import counted
from ..experiment.search_space import Setting
from ..experiment.tasks import Direction
from .results import State, Trial, TrialNotes, Whole

_STATES: Final[Mapping[TrialState, State]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}

_Attributes = TypeVar("_Attributes", bound=BaseModel)


class _Notes(BaseModel):
    """No key must be there (`begin` may have been killed), and other programs may add their own.

    Read for their types alone: the defaults are nobody's values.
    """

    model_config = ConfigDict(strict=True)


class _Split(_Notes):
    shares: str
    seed: Whole


class _Pruning(_Notes):
    startup_trials: Whole
    warmup_steps: Whole


class _StudyNotes(_Notes):
    kind: str = "ae"
    score: str = ""
    objectives: list[str] = []
    directions: list[Direction] = []
    epochs: Whole = 0
    seed: Whole = 0
    data: str = ""
    content_hash: str = ""
    encoder_fit: str | None = None
    split: _Split = _Split(shares="", seed=0)
    pruning: _Pruning = _Pruning(startup_trials=0, warmup_steps=0)
    space: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    published: Whole = 0


class _Queued(_Notes):
    fixed_params: dict[str, Setting] = {}


def require_sound(study: Study) -> None:
    """Refuse a study or a trial whose attributes no search has written: raises RunError."""
    _read(_StudyNotes, study.user_attrs, f"the study {study.study_name!r}")
    aims = len(study.directions)
    named = study.user_attrs.get("objectives")
    if named is not None and len(named) != aims:
        raise _unsound(f"the study {study.study_name!r}", f"{len(named)} objectives, and {aims} directions")
    spaces: dict[str, BaseDistribution] = {}
    for trial in study.get_trials(deepcopy=False):
        which = f"trial {trial.number} of the study {study.study_name!r}"
        notes = _read(TrialNotes, trial.user_attrs, which)
        _read(_Queued, trial.system_attrs, which)
        _require_consistent(trial, notes, aims, spaces, which)


def trial_of(frozen: FrozenTrial) -> Trial:
    """Optuna's trial as ours.

    Raises:
        RunError: attributes that no search has written.
    """
    notes = _read(TrialNotes, frozen.user_attrs, f"trial {frozen.number}")
    state = _STATES[frozen.state]
    seconds = None if frozen.duration is None else frozen.duration.total_seconds()
    return Trial(
        number=frozen.number,
        state="lost" if state == "failed" and notes.lost else state,
        params={**frozen.system_attrs.get("fixed_params", {}), **frozen.params},
        # Optuna gives a pruned trial a value, which is of another epoch
        values=tuple(map(float, frozen.values)) if state == "complete" else (),
        reports=tuple((epoch, float(score)) for epoch, score in sorted(frozen.intermediate_values.items())),
        notes=notes,
        began=frozen.datetime_start,
        seconds=seconds,
    )


def trials_of(study: Study) -> tuple[Trial, ...]:
    """All of a study, by number."""
    return tuple(sorted(map(trial_of, study.get_trials(deepcopy=False)), key=lambda trial: trial.number))


def _require_consistent(
    trial: FrozenTrial, notes: TrialNotes, aims: int, spaces: dict[str, BaseDistribution], which: str
) -> None:
    """The trial's values, times and parameters go together, and with the spaces of the trials before it."""
    try:
        trial._validate()
        list(map(float, trial.values or ()))
        for name, distribution in trial.distributions.items():
            check_distribution_compatibility(spaces.setdefault(name, distribution), distribution)
    except (ValueError, TypeError, OverflowError) as error:
        raise _unsound(which, str(error)) from error
    if trial.state == TrialState.COMPLETE and notes.seed is None:
        raise _unsound(which, "it is complete, and does not say from which seed")
    if trial.state == TrialState.COMPLETE and len(trial.values) != aims:
        raise _unsound(which, f"{counted(len(trial.values), 'value')}, and {counted(aims, 'objective')}")
    if notes.retry_of is not None and notes.retry_of >= trial.number:
        raise _unsound(which, f"it repeats trial {notes.retry_of}, which is no earlier one")


def _read(notes: type[_Attributes], values: Mapping[str, Any], which: str) -> _Attributes:
    try:
        return notes.model_validate(dict(values))
    except ValidationError as error:
        raise _unsound(which, describe(dict(error.errors()[0]))) from error


def _unsound(which: str, found: str) -> RunError:
    return RunError(
        f"{which} must be as `latentspace search` leaves it",
        found=found,
        do="restore its journal or its database from a copy, or search anew",
    )
