"""A study, as Optuna keeps it or as it lies on the disk -> its record."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial
from pydantic import ValidationError

from ..core.config import describe
from ..core.errors import RunError
from ..core.logs import quiet
from ..core.wording import document
from ..experiment.search_space import Choices, Parameter, Range
from ..experiment.tasks import TASKS, Direction
from .best import evaluated_run
from .notes import trial_of
from .plan import StudyPlan
from .replication import FILE as REPLICATIONS
from .results import Importances, Replications, StudyRecord
from .storage import JOURNAL
from .trials import join

ENOUGH = 10  # trials: with fewer, an importance is noise
_MOST = 200  # trials that importances are computed from: more take minutes and change little
_TREES = 32


def read_study(path: Path, url: str | None = None) -> StudyRecord:
    """The record of a study directory, as it stands: its search may still be going on.

    Args:
        url: of its database, where study.json's needs a password; None: as study.json says.

    Raises:
        RunError: there is no study at `path`, or it is damaged.
        OutputError: its storage cannot be reached.
    """
    if url is None and StudyPlan.load(path).storage is None and not (path / JOURNAL).is_file():
        raise _damaged(path / JOURNAL, "no such file, and study.json names no database")
    with join(path, url) as trials:
        record = record_of(trials.study)
        evaluated = evaluated_run(trials)
    if evaluated is not None:
        record = replace(record, test=evaluated.result("test"), comparable=evaluated.data.comparable)
    replications = path / REPLICATIONS
    return record if not replications.exists() else _with_replications(record, replications)


def record_of(study: optuna.Study) -> StudyRecord:
    """The record of an Optuna study.

    Raises:
        RunError: the study does not say what it searched for, as ours do.
    """
    notes = dict(study.user_attrs)
    missing = [name for name in ("kind", "objectives", "epochs", "seed") if name not in notes]
    if missing:
        raise RunError(
            f"the study {study.study_name!r} must be one that `latentspace search` made",
            found=f"no {', '.join(missing)} among its user attributes",
            do="name a directory that `latentspace search` made",
        )
    frozen = sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number)
    objectives = tuple(notes.pop("objectives"))
    return StudyRecord(
        kind=TASKS.require(notes.pop("kind")),
        objectives=objectives,
        directions=tuple(_direction(one) for one in study.directions),
        epochs=int(notes.pop("epochs")),
        seed=(seed := int(notes.pop("seed"))),
        searched=_searched(frozen),
        trials=tuple(map(trial_of, frozen)),
        importances=tuple(
            _importances(frozen, at, objective, seed) for at, objective in enumerate(objectives)
        ),
        published=notes.pop("published", None),
        notes=notes,
    )


def _direction(direction: optuna.study.StudyDirection) -> Direction:
    return "maximize" if direction == optuna.study.StudyDirection.MAXIMIZE else "minimize"


def _searched(trials: list[FrozenTrial]) -> dict[str, Parameter]:
    """What was searched, as the trials themselves say it: true also where study.json was edited."""
    found: dict[str, BaseDistribution] = {}
    for trial in trials:
        found |= trial.distributions
    return {setting: _parameter(distribution) for setting, distribution in found.items()}


def _parameter(distribution: BaseDistribution) -> Parameter:
    if isinstance(distribution, CategoricalDistribution):
        return Choices(choices=tuple(distribution.choices))
    if isinstance(distribution, IntDistribution | FloatDistribution):
        return Range(low=distribution.low, high=distribution.high, log=distribution.log)
    raise RunError(
        "a setting must be searched over numbers or choices",
        found=f"a {type(distribution).__name__}",
        do=f"search again, with ranges or choices ({document('guide/search.md')})",
    )


def _importances(trials: list[FrozenTrial], at: int, objective: str, seed: int) -> Importances:
    """Optuna's fANOVA over the complete trials, its forest seeded.

    F. Hutter, H. Hoos, K. Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance",
    ICML 2014, https://proceedings.mlr.press/v32/hutter14.html
    """
    usable = [trial for trial in trials if trial_of(trial).usable]
    varied = [name for name in (usable[0].params if usable else ()) if _varies(name, usable)]
    if len(usable) < ENOUGH:
        why = f"it takes {ENOUGH} complete trials to say which settings matter; there are {len(usable)}"
    elif objective in [name.rpartition(".")[2] for name in varied]:
        why = "it is itself a setting"
    elif not varied:
        why = "no setting was varied"
    elif len({trial.values[at] for trial in usable}) == 1:
        why = "all complete trials have the same value"
    else:
        places = np.linspace(0, len(usable) - 1, min(_MOST, len(usable))).round().astype(int)
        shares = _fanova([usable[place] for place in places], varied, at, seed)
        if shares:
            return Importances(objective, shares, len(places))
        why = "the settings explain none of the differences"
    return Importances(objective, {}, len(usable), why)


def _varies(setting: str, trials: list[FrozenTrial]) -> bool:
    """All trials have it, and not all the same: of others fANOVA returns rounding errors as shares."""
    values = [trial.params.get(setting) for trial in trials]
    return None not in values and len(set(values)) > 1


def _fanova(trials: list[FrozenTrial], settings: list[str], at: int, seed: int) -> dict[str, float]:
    """Empty where no setting explains anything."""
    with quiet(logging.getLogger("optuna"), logging.WARNING):  # it tells of every study that it makes
        sample = optuna.create_study(directions=["minimize"] * len(trials[0].values))
        sample.add_trials(trials)
    try:
        shares = optuna.importance.get_param_importances(
            sample,
            evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=_TREES, seed=seed),
            params=settings,
            target=lambda trial: float(trial.values[at]),
        )
    except RuntimeError:  # Optuna's word for trees that found nothing to split
        return {}
    return {setting: float(share) for setting, share in shares.items()}


def _with_replications(record: StudyRecord, path: Path) -> StudyRecord:
    try:
        content = Replications.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        why = describe(dict(error.errors()[0])) if isinstance(error, ValidationError) else str(error)
        raise _damaged(path, why) from error
    return replace(record, replicated=content.trials)


def _damaged(path: Path, why: str) -> RunError:
    return RunError(f"{path} must be whole", found=why, do="restore the file from a copy, or search again")
