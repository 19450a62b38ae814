"""The plan of a search, and the study directory that holds it.

study.json          the plan: what is searched, what is fixed, where the trials are, which images
journal.log         the trials, unless they are in a database (optuna-dashboard opens it)
best.toml           the best trial as a recipe; with several objectives front/trial-N.toml instead
best/               its run, trained in full and evaluated on the test part
confirm.json        the best trials over several seeds (--confirm); confirm/ holds each training's score
artifacts/          pictures of the best trials
codes/              what a classifier's encoder makes of all images, made once for all workers
workers/            the heartbeats of the workers on this machine
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.atomic_files import write_json
from ..core.config import Config
from ..core.errors import ConfigurationError, RunError
from ..core.wording import reason_of
from ..data.readers.filenames import readable
from ..experiment.config import Experiment
from ..experiment.search_space import SearchConfig, Space
from ..experiment.tasks import Direction
from .combinations import Combinations
from .space import fitted

FILE = "study.json"
CODES = "codes"


class StudyPlan(Config):
    """Everything that a search is a function of, but for how many workers share it, and in which order.

    Args:
        name: of the study inside its storage.
        experiment: every setting; those in the space are replaced trial by trial. Its seed is the search's.
        objectives: what is optimised: the kind's score, `weights`, or settings that are numbers.
        directions: one for each objective.
        storage: the database's URL without its password; None: the journal in the directory.
        source, content_hash: of the images.
        training_images: how many of them a trial learns from; 0: not known, in a study of an older version.
        encoder_hash: of the weights of a classifier's encoder, which is known by them wherever it lies.
        encoder_fit: the parts that it has learned from.
    """

    name: str
    experiment: Experiment
    search: SearchConfig
    objectives: tuple[str, ...]
    directions: tuple[Direction, ...]
    storage: str | None = None
    source: str = ""
    content_hash: str = ""
    encoder_hash: str | None = None
    encoder_fit: str | None = None
    training_images: int = 0

    @property
    def single(self) -> bool:
        return len(self.objectives) == 1

    @property
    def space(self) -> Space:
        """What is searched: the space that was asked for, with no batch larger than the training set."""
        return fitted(self.search.space, self.training_images) if self.training_images else self.search.space

    @property
    def combinations(self) -> Combinations | None:
        """Of that space, if it is finite."""
        return Combinations.of(self.space)

    def attributes(self) -> dict[str, Any]:
        """The study's attributes in the storage: what has to stay the same as long as it lives."""
        experiment = self.experiment
        return {
            "kind": experiment.kind,
            "score": experiment.task.score,
            "objectives": list(self.objectives),
            "directions": list(self.directions),
            "epochs": experiment.training.epochs,
            "seed": experiment.seed,
            "data": self.source,
            "content_hash": self.content_hash,
            "split": experiment.split.model_dump(mode="json"),
            "space": {name: one.model_dump(mode="json") for name, one in self.space.items()},
            "pruning": {
                "startup_trials": self.search.startup_trials,
                "warmup_steps": self.search.warmup_steps,
            },
            "encoder_fit": self.encoder_fit,
            "settings": {**_fixed_settings(self), "encoder": self.encoder_hash},
        }

    def save(self, directory: Path) -> None:
        write_json(directory / FILE, self.model_dump(mode="json"))

    @classmethod
    def load(cls, directory: Path) -> "StudyPlan":
        """The plan of the study in a directory.

        Raises:
            RunError: there is no study in `directory`, or its study.json is damaged.
        """
        path = directory / FILE
        with readable(directory):
            if not path.is_file():
                raise RunError(
                    f"{directory} must be a study, with a {FILE} in it",
                    found=f"no {FILE} there" if directory.exists() else "no such directory",
                    do="name a directory that `latentspace search` made, or begin one without --resume",
                )
        try:
            return cls.restored(json.loads(path.read_bytes()), str(path))
        except (OSError, ValueError, ConfigurationError) as error:
            raise RunError(
                f"{path} must be whole",
                found=reason_of(error),
                do="restore the file from a copy, or search anew",
            ) from error


def moved(place: Path) -> RunError:
    return RunError(
        f"{place} must stay where it is while it is searched",
        found="it was moved or deleted meanwhile",
        do="if it was moved, go on with it there: latentspace search --resume --out STUDY",
    )


def directions_of(objectives: tuple[str, ...], experiment: Experiment) -> tuple[Direction, ...]:
    """The way in which each objective is better: a score as its kind says, a cost the smaller.

    Raises:
        ConfigurationError: an objective that is neither the kind's score nor a setting that is a number.
    """
    return tuple(_direction(one, experiment) for one in objectives)


def setting_named(name: str, experiment: Experiment) -> str | None:
    """The dotted name of a setting that is a number: `code_size` -> `model.code_size`."""
    for table in ("model", "objective", "training"):
        values = getattr(experiment, table).model_dump()
        key = name.removeprefix(f"{table}.")
        if key in values and isinstance(values[key], int | float) and not isinstance(values[key], bool):
            return f"{table}.{key}"
    return None


def _direction(objective: str, experiment: Experiment) -> Direction:
    if objective == experiment.task.score:
        return experiment.task.direction
    if objective != "weights" and setting_named(objective, experiment) is None:
        raise ConfigurationError(
            "an objective must be the score, weights, or a setting that is a number",
            found=repr(objective),
            do=f"name for example --objectives {experiment.task.score},weights",
        )
    return "minimize"


def _fixed_settings(plan: StudyPlan) -> dict[str, Any]:
    """The settings that no trial changes, by dotted name."""
    tables = plan.experiment.model_dump(mode="json", include={"model", "objective", "training"})
    return {
        f"{table}.{key}": value
        for table, values in tables.items()
        for key, value in values.items()
        if f"{table}.{key}" not in plan.space
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Where two studies' attributes differ, for a person; empty where they do not."""
    parts = []
    for key, value in one.items():
        if key in other and other[key] != value:
            if isinstance(value, dict) and isinstance(other[key], dict):
                names = [name for name in {**value, **other[key]} if value.get(name) != other[key].get(name)]
                parts += [f"{key}: {n} is {other[key].get(n)} there, {value.get(n)} here" for n in names]
            else:
                parts.append(f"{key} is {other[key]} there, {value} here")
    return "; ".join(parts[:4])
