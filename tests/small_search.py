"""A search that takes a second: its recipe, its plan, and its study."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna

from latentspace.search.executors.protocol import WorkerTask
from latentspace.search.executors.worker import work
from latentspace.search.plan import StudyPlan
from latentspace.search.request import SearchRequest, draft
from latentspace.search.trials import Trials, begin

RECIPE = """
[ae.model]
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8

[ae.search]
trials = {trials}
epochs = {epochs}
startup_trials = {startup_trials}
warmup_steps = {warmup_steps}

[ae.search.space]
"model.code_size" = {{ low = 2, high = 4 }}
"training.learning_rate" = {{ low = {lowest}, high = {highest}, log = true }}
"training.optimizer" = {{ choices = ["adam", "rmsprop"] }}
"training.batch_size" = {{ low = 20, high = 70 }}
"""
SIZES: dict[str, Any] = {
    "trials": 4,
    "epochs": 3,
    "startup_trials": 2,
    "warmup_steps": 1,
    "lowest": 1e-4,
    "highest": 1e-2,
}


def write_recipe(folder: Path, **sizes: Any) -> Path:
    path = folder / "small.toml"
    path.write_text(RECIPE.format(**{**SIZES, **sizes}))
    return path


def small_plan(
    archive: Path, out: Path, objectives: tuple[str, ...] | None = None, **sizes: Any
) -> StudyPlan:
    recipe = write_recipe(out.parent, **sizes)
    return _drafted(archive, recipe.read_text(), objectives).model_copy(update={"name": out.name})


@cache
def _drafted(archive: Path, recipe: str, objectives: tuple[str, ...] | None) -> StudyPlan:
    """The same for all studies of these images and this recipe, which many tests begin."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "small.toml"
        place.write_text(recipe)
        request = SearchRequest(
            kind="ae",
            recipe=str(place),
            changes={"data": {"spec": str(archive)}, "threads": 1, "precision": "32", "seed": 3},
            objectives=objectives,
            workers=1,
        )
        return draft(request, Path(folder) / "study", resume=False)[0]


def small_study(archive: Path, out: Path, url: str | None = None, **sizes: Any) -> Trials:
    return begin(small_plan(archive, out, **sizes), out, url, resume=False)


def run_all(trials: Trials, url: str | None = None) -> list[optuna.trial.FrozenTrial]:
    """Run trials in this process until there are none left."""
    work(WorkerTask(directory=trials.directory, storage=url), lambda: False)
    return trials.study.get_trials()
