"""What a study and its trials carry beside Optuna's own: the attributes that we write, and their types."""

from collections.abc import Mapping
from typing import Annotated, Any

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.config import describe
from ..core.errors import RunError
from ..experiment.search_space import Setting, Settings
from ..experiment.tasks import Direction

Count = Annotated[int, Field(ge=0)]


class _Notes(BaseModel):
    """No key must be there (`begin` may have been killed), and other programs may add their own.

    Read for their types alone: the defaults are nobody's values.
    """

    model_config = ConfigDict(strict=True)


class _Split(_Notes):
    shares: str
    seed: Count


class _Pruning(_Notes):
    startup_trials: Count
    warmup_steps: Count


class _StudyNotes(_Notes):
    kind: str = "ae"
    score: str = ""
    objectives: list[str] = []
    directions: list[Direction] = []
    epochs: Count = 0
    seed: Count = 0
    data: str = ""
    content_hash: str = ""
    encoder_fit: str | None = None
    split: _Split = _Split(shares="", seed=0)
    pruning: _Pruning = _Pruning(startup_trials=0, warmup_steps=0)
    space: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    published: Count = 0


class _TrialNotes(_Notes):
    sign: str = ""
    worker: str = ""
    beat: Count = 0
    seed: Count = 0
    threads: Count = 0
    epochs: Count = 0
    weights: Count = 0
    images_per_second: float = 0.0
    reason: str = ""
    lost: bool = False
    published: bool = False
    retry_of: Count = 0


class _Queued(_Notes):
    fixed_params: dict[str, Setting] = {}


def require_sound(study: Study) -> None:
    """Raises: RunError: a study, or a trial of it, that cannot have come from a search."""
    _require(_StudyNotes, study.user_attrs, f"the study {study.study_name!r}")
    aims = len(study.directions)
    named = study.user_attrs.get("objectives")
    if named is not None and len(named) != aims:
        raise _unsound(f"the study {study.study_name!r}", f"{len(named)} objectives, and {aims} directions")
    spaces: dict[str, BaseDistribution] = {}
    for trial in study.get_trials(deepcopy=False):
        which = f"trial {trial.number} of the study {study.study_name!r}"
        _require(_TrialNotes, trial.user_attrs, which)
        _require(_Queued, trial.system_attrs, which)
        _require_consistent(trial, aims, spaces, which)


def parameters_of(trial: FrozenTrial) -> Settings:
    """Those that it has, and those that it was queued with."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def _require_consistent(
    trial: FrozenTrial, aims: int, spaces: dict[str, BaseDistribution], which: str
) -> None:
    """The trial's values, times and parameters go together, and with the spaces of the trials before it."""
    try:
        trial._validate()
        list(map(float, trial.values or ()))
        for name, distribution in trial.distributions.items():
            check_distribution_compatibility(spaces.setdefault(name, distribution), distribution)
    except (ValueError, TypeError, OverflowError) as error:
        raise _unsound(which, str(error)) from error
    if trial.state == TrialState.COMPLETE and "seed" not in trial.user_attrs:
        raise _unsound(which, "it is complete, and does not say from which seed")
    if trial.state == TrialState.COMPLETE and len(trial.values) != aims:
        raise _unsound(which, f"{len(trial.values)} values, and {aims} objectives")
    if trial.user_attrs.get("retry_of", -1) >= trial.number:
        raise _unsound(which, f"it repeats trial {trial.user_attrs['retry_of']}, which is no earlier one")


def _require(notes: type[_Notes], values: Mapping[str, Any], which: str) -> None:
    try:
        notes.model_validate(dict(values))
    except ValidationError as error:
        raise _unsound(which, describe(dict(error.errors()[0]))) from error


def _unsound(which: str, found: str) -> RunError:
    return RunError(
        f"{which} must be as `latentspace search` leaves it",
        found=found,
        do="restore its journal or its database from a copy, or search anew",
    )
