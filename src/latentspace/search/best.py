"""The best parameters: written as a recipe, trained in full, and only then evaluated on the test part."""

from pathlib import Path

import tomli_w

from ..core.atomic_files import write_text
from ..core.child_processes import too_many
from ..core.config import without_unset
from ..core.errors import TrainingError
from ..experiment.config import Experiment
from ..runs.directory import Run
from ..training.train import Training, is_run_of, resume, start
from .results import Trial
from .space import experiment_of
from .trials import Trials

RECIPE = "best.toml"
RUN = "best"
FRONT = "front"


def best_trial(trials: Trials) -> Trial:
    """The trial with the best value.

    Raises:
        TrainingError: no trial was completed.
    """
    best = trials.best()
    if best is not None:
        return best
    reasons = [one.notes.reason for one in trials.all() if one.state == "failed"]
    raise TrainingError(
        "a search needs a trial that runs to its end",
        found=f"none did: {reasons[0]}" if reasons else "none did",
        do="run more trials (--resume --trials N), or narrow the space to where trainings succeed",
    )


def plan_of(trials: Trials, trial: Trial, fit: str | None = None) -> Experiment:
    """The trial's training as an experiment of its own, with the trial's own seed and threads.

    Args:
        fit: the parts that are learned from; None: as the trial did.
    """
    base = trials.plan.experiment
    threads = trial.notes.threads
    if threads is None or too_many(threads):  # of a larger machine
        threads = base.threads
    base = base.model_copy(update={"threads": threads})
    plan = experiment_of(trial.params, base, base.seed if trial.notes.seed is None else trial.notes.seed)
    if fit is None:
        return plan
    changes = {**plan.model_dump(), "training": {**plan.training.model_dump(), "fit": fit}}
    return Experiment.parse(changes, "the best trial's plan")


def write_recipes(trials: Trials) -> list[Path]:
    """best.toml, or with several objectives a recipe for each trial of the front; the paths."""
    if trials.plan.single:
        return [_write_recipe(trials, best_trial(trials), trials.directory / RECIPE)]
    folder = trials.directory / FRONT
    return [_write_recipe(trials, one, folder / f"trial-{one.number}.toml") for one in trials.front()]


def final_training(trials: Trials, fit: str | None = None) -> Training:
    """The best trial's training in STUDY/best: new, or as far as it has come.

    The run of an earlier best trial is kept beside it as `best-until-N`, N the number of trials by then.

    Raises:
        TrainingError: no trial was completed.
        LatentspaceError: as `start` and `resume`.
    """
    plan = plan_of(trials, best_trial(trials), fit)
    path = trials.directory / RUN
    if Run.exists(path):
        if is_run_of(Run.open(path), plan):
            return resume(path)
        path.rename(_free_name(trials.directory, trials.progress().counted))
    return start(plan, path)


def evaluated_run(trials: Trials) -> Run | None:
    """STUDY/best, where it is the best trial's run, trained in full and evaluated on the test part.

    None while it is that of an earlier best trial: its result is of other parameters.
    """
    best, run = trials.best(), Run(trials.directory / RUN)
    if best is None or not Run.exists(run.path) or run.result("test") is None:
        return None
    return run if is_run_of(run, plan_of(trials, best, run.experiment.training.fit)) else None


def _write_recipe(trials: Trials, trial: Trial, path: Path) -> Path:
    plan = plan_of(trials, trial)
    values = ", ".join(
        f"{name} {value:.6g}" for name, value in zip(trials.plan.objectives, trial.values, strict=True)
    )
    content = {
        "description": f"trial {trial.number} of {trials.plan.name}: {values} on the validation part",
        "preset": plan.preset,
        "seed": plan.seed,
        "data": plan.data.model_dump(mode="json"),
        "split": plan.split.model_dump(mode="json"),
        plan.kind: {
            table: getattr(plan, table).model_dump(mode="json")
            for table in ("model", "objective", "training")
        },
    }
    command = f"# latentspace train {plan.kind} --recipe {path.name} --threads {plan.threads} --out RUN\n"
    write_text(path, command + tomli_w.dumps(without_unset(content)))
    return path


def _free_name(directory: Path, trials: int) -> Path:
    path, again = directory / f"best-until-{trials}", 1
    while path.exists():
        again += 1
        path = directory / f"best-until-{trials}-{again}"
    return path
