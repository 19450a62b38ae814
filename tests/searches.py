"""Searches for the tests: made of hand-written trials, without any training."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from latentspace.experiment.config import Experiment
from latentspace.experiment.search_space import SearchConfig
from latentspace.search.load import record_of
from latentspace.search.plan import StudyPlan
from latentspace.search.results import StudyRecord, Trial
from latentspace.search.storage import open_storage

SPACE: dict[str, BaseDistribution] = {
    "model.code_size": IntDistribution(2, 10),
    "training.batch_size": IntDistribution(200, 1000),
    "training.optimizer": CategoricalDistribution(["adam", "rmsprop"]),
    "training.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "model.neurons": CategoricalDistribution([32, 64, 128]),
}
MIDDLE: dict[str, Any] = {
    "model.code_size": 5,
    "training.batch_size": 500,
    "training.optimizer": "adam",
    "training.learning_rate": 0.003,
    "model.neurons": 64,
}
_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "lost": TrialState.FAIL,
    "running": TrialState.RUNNING,
    "waiting": TrialState.WAITING,
}


def trial(
    state: str,
    values: float | Sequence[float] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    reports: Sequence[float] = (),
    space: Mapping[str, BaseDistribution] = SPACE,
    **notes: Any,
) -> FrozenTrial:
    """One trial; what `params` does not name has a value in the middle of its range."""
    chosen = {name: {**MIDDLE, **(params or {})}[name] for name in space}
    made = create_trial(
        state=_STATES[state],
        values=[values] if isinstance(values, int | float) else values,
        params={} if state == "waiting" else chosen,
        distributions={} if state == "waiting" else dict(space),
        intermediate_values=dict(enumerate(reports, start=1)),
        user_attrs={
            **({"seed": 0} if state == "complete" else {}),
            **({"lost": True} if state == "lost" else {}),
            **notes,
        },
    )
    if made.datetime_start is not None and made.datetime_complete is not None:
        made.datetime_complete = made.datetime_start
    return made


def new_study(
    trials: Sequence[FrozenTrial] = (),
    *,
    objectives: Sequence[str] = ("mse",),
    directions: Sequence[str] = ("minimize",),
    storage: Any = None,
    name: str | None = None,
    **attributes: Any,
) -> optuna.Study:
    study = optuna.create_study(directions=list(directions), storage=storage, study_name=name)
    said = {
        "kind": "ae",
        "score": objectives[0],
        "objectives": list(objectives),
        "directions": list(directions),
        "epochs": 50,
        "seed": 3,
        "data": "bars",
        "content_hash": "0123456789abcdef" * 4,
        "split": {"shares": "60/20/20", "seed": 0},
        "pruning": {"startup_trials": 5, "warmup_steps": 5},
    }
    for key, value in {**said, **attributes}.items():
        study.set_user_attr(key, value)
    study.add_trials(trials)
    return study


def study_directory(
    path: Path,
    trials: Sequence[FrozenTrial] = (),
    *,
    objectives: Sequence[str] = ("mse",),
    directions: Sequence[str] = ("minimize",),
    confirmed: Sequence[Mapping[str, Any]] | None = None,
    **attributes: Any,
) -> Path:
    """A directory as `latentspace search` leaves it, but for the winner's run."""
    path.mkdir(parents=True)
    search = SearchConfig.parse({"space": {"model.code_size": {"low": 2, "high": 10}}}, "the test's space")
    plan = StudyPlan.parse(
        {
            "name": path.name,
            "experiment": Experiment.parse({"kind": attributes.get("kind", "ae")}, "the test's experiment"),
            "search": search,
            "objectives": tuple(objectives),
            "directions": tuple(directions),
        },
        "the test's plan",
    )
    plan.save(path)
    storage = open_storage(path, None)
    new_study(
        trials, objectives=objectives, directions=directions, storage=storage, name=path.name, **attributes
    )
    if confirmed is not None:
        content = {"score": objectives[0], "epochs": 50, "seeds": 3, "trials": confirmed}
        (path / "confirm.json").write_text(json.dumps(content))
    return path


def search_like(count: int, seed: int = 0, epochs: int = 12) -> list[FrozenTrial]:
    """Trials over the space in which the learning rate matters most; two of three are pruned after 5."""
    draws = np.random.default_rng(seed)
    made = []
    for number in range(count):
        params = {
            "model.code_size": int(draws.integers(2, 11)),
            "training.batch_size": int(draws.integers(200, 1001)),
            "training.optimizer": str(draws.choice(["adam", "rmsprop"])),
            "training.learning_rate": float(10 ** draws.uniform(-4, -1)),
            "model.neurons": int(draws.choice([32, 64, 128])),
        }
        floor = 0.03 + 0.05 * (np.log10(params["training.learning_rate"]) + 2.5) ** 2
        floor += 0.002 * (10 - params["model.code_size"])
        reports = [float(floor + 0.2 * np.exp(-0.5 * epoch)) for epoch in range(1, epochs + 1)]
        if number % 3 == 0:
            made.append(trial("complete", reports[-1], params=params, reports=reports, epochs=epochs))
        else:
            made.append(trial("pruned", params=params, reports=reports[:5], epochs=5))
    return made


def small_search() -> StudyRecord:
    """A trial of nearly every state; the published one is the first."""
    return record_of(
        new_study(
            [
                trial("complete", 0.04, reports=[0.06, 0.05, 0.04], params={"model.code_size": 2}),
                trial("pruned", reports=[0.09, 0.08]),
                trial("failed", reason="no number"),
                trial("complete", 0.03, reports=[0.07, math.nan, 0.03], params={"model.code_size": 10}),
                trial("complete", math.inf),
                trial("complete", 0.05, params={"training.learning_rate": 0.1, "model.neurons": 128}),
                trial("lost", reports=[0.2]),
            ],
            published=0,
        )
    )


def many_trials(count: int) -> StudyRecord:
    """Trials of fifty reports each, without Optuna: two of three pruned."""
    draws = np.random.default_rng(0)
    trials = []
    for number in range(count):
        params = {**MIDDLE, "model.code_size": int(draws.integers(2, 11)), "training.batch_size": 300}
        reports = tuple((epoch, float(0.2 / epoch + draws.random() / 10 + 0.02)) for epoch in range(1, 51))
        whole = number % 3 == 0
        trials.append(
            Trial(
                number,
                "complete" if whole else "pruned",
                params,
                (reports[-1][1],) if whole else (),
                reports if whole else reports[:6],
            )
        )
    return replace(record_of(new_study([trial("complete", 0.1)])), trials=tuple(trials))
