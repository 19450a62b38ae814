"""latentspace search"""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from ..core.errors import ConfigurationError
from ..core.wording import counted
from ..search.executors import opened
from . import console, progress
from .options import LEARNED, DataOptions, Engine, ExperimentOptions, Task, parsed_engine

if TYPE_CHECKING:
    from ..runs.directory import Run
    from ..search.executors.protocol import Executor
    from ..search.replication import ReplicationPlan
    from ..search.trials import Trials


@dataclass(frozen=True, kw_only=True)
class SearchedData(DataOptions):
    """The images of a study."""

    data: Annotated[
        list[str] | None,
        "The images, as for train. \\[default: the recipe's, else auto; with --resume the study's]",
        "SPEC",
    ] = None


@dataclass(frozen=True, kw_only=True)
class SearchedExperiment(ExperimentOptions):
    """Settings of the trials; here are those that mean something else than in train."""

    set_: Annotated[
        list[str] | None, "Fix a setting, so that it is not searched; may be repeated.", "KEY=VALUE"
    ] = None
    seed: Annotated[int | None, "Seed of suggestions and trainings."] = None
    threads: Annotated[int | None, "Threads of each worker.", {"min": 1}] = None
    data: SearchedData


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How trials are made, and what becomes of the best one."""

    panel: ClassVar = "Search"

    trials: Annotated[
        int | None,
        "How many trials; pruned and failed ones count. \\[default: the recipe's, else the preset's]",
    ] = None
    epochs: Annotated[
        int | None, "Epochs of a complete trial. \\[default: the recipe's, else the preset's]"
    ] = None
    workers: Annotated[
        int | None,
        "How many trials at a time. \\[default: one per core; on a cluster as many as have room]",
        {"min": 1, "max": 1_024},
    ] = None
    engine: Engine = "local"
    trial_cpus: Annotated[float | None, "With --engine ray: CPUs per trial. \\[default: 1]", {"min": 0}] = (
        None
    )
    trial_gpus: Annotated[
        float | None, "With --engine ray: GPUs per trial, such as 0.25. \\[default: 0]", {"min": 0}
    ] = None
    timeout: Annotated[float | None, "Start no new trial after this time.", "SECONDS", {"min": 0}] = None
    objectives: Annotated[
        str | None, "Several objectives, such as mse,code_size; then nothing is pruned.", "A,B"
    ] = None
    published: Annotated[bool, "Make the default settings of the preset the first trial."] = False
    storage: Annotated[
        str | None, "A database for the trials, postgresql://... \\[default: STUDY/journal.log]", "URL"
    ] = None
    confirm: Annotated[str | None, "Train the K best trials again, with S seeds each.", "KxS"] = None
    learn_from: Annotated[
        str | None,
        "Which parts the final training uses; --fit train+validation is the same.",
        "train|train+validation",
    ] = None
    no_final: Annotated[bool, "No final training of the best; the test part is not used."] = False

    @property
    def several(self) -> tuple[str, ...] | None:
        """The objectives, where any is named."""
        return None if self.objectives is None else tuple(one.strip() for one in self.objectives.split(","))

    def replications(self) -> "ReplicationPlan | None":
        """What --confirm asks for. Raises: ConfigurationError: options that cannot be meant."""
        from ..search.replication import ReplicationPlan

        plan = None if self.confirm is None else ReplicationPlan.parse(self.confirm)
        if self.learn_from not in (None, *LEARNED):
            raise ConfigurationError(
                f"--learn-from takes {' or '.join(LEARNED)}",
                found=repr(self.learn_from),
                do="name one of them",
            )
        objectives = self.several or ()
        if len(set(objectives)) < len(objectives):
            raise ConfigurationError(
                "each objective is named once", found=",".join(objectives), do="leave the second one out"
            )
        if len(objectives) > 1 and plan is not None:
            raise ConfigurationError(
                "--confirm compares the best trials, and several objectives have no best one",
                found=f"--objectives {','.join(objectives)}",
                do="leave out one of the two options",
            )
        return plan


def search(
    *,
    kind: Task = None,
    out: Annotated[Path | None, "The study directory.", "STUDY"] = None,
    resume: Annotated[bool, "Continue the study, or join its workers; its settings stay."] = False,
    options: SearchOptions,
    experiment: SearchedExperiment,
) -> None:
    """Search for the best settings, train with them, and evaluate once on the test part.

    Trials are scored on the validation part. The search space is that of the preset, or of a recipe.

    [bold]Examples[/bold]

      latentspace search ae --data notmnist --out studies/letters

      latentspace search ae --data photos/ --out studies/photos --trials 30 --set model.code_size=4

      latentspace search --out studies/letters --resume --trials 200 --confirm 3x3

      latentspace search ae --data notmnist --out studies/letters --engine ray://head:10001
    """
    from ..search.request import SearchRequest, draft
    from ..search.trials import begin

    if out is None:
        raise ConfigurationError(
            "search needs a place for the study", found="no --out", do="name a directory with --out"
        )
    options = replace(options, learn_from=options.learn_from or experiment.learn_from)
    replications = options.replications()
    engine = parsed_engine(options.engine, options.trial_cpus, options.trial_gpus)
    changes = experiment.changes()
    with opened(engine) as executor:
        room = executor.room
        if room is not None and not resume:
            changes.setdefault("threads", max(1, int(engine.cpus)))
        request = SearchRequest(
            kind=kind,
            recipe=experiment.recipe,
            changes=changes,
            trials=options.trials,
            epochs=options.epochs,
            objectives=options.several,
            storage=options.storage,
            workers=options.workers or room,
            published=options.published,
            elsewhere=room is not None,
        )
        plan, workers = draft(request, out, resume=resume)
        with begin(plan, out, options.storage or plan.storage, resume=resume) as study:
            if options.published:
                study.enqueue_published()
            _search_and_finish(study, executor, options.workers if room else workers, options, replications)


def _search_and_finish(
    study: "Trials",
    executor: "Executor",
    workers: int | None,
    options: SearchOptions,
    replications: "ReplicationPlan | None",
) -> None:
    from ..search.best import write_recipes

    plan, place = study.plan, study.directory
    again = f"latentspace search --out {place} --resume"
    try:
        last = progress.run(study, executor, workers, url=options.storage, timeout=options.timeout)
        recipes = write_recipes(study)
        if last.counted < last.asked:
            console.say(f"time is up after {last.counted} of {last.asked} trials; go on with: {again}")
        if last.counted >= last.asked < plan.search.trials:
            console.say("every combination of the space was tried: there is nothing left to search")
        if replications is not None:
            _replicate(study, executor, workers, replications)
        final = None if options.no_final or not plan.single else _final(study, options.learn_from)
    except KeyboardInterrupt:
        console.note(f"interrupted; go on with: {again}")
        raise
    progress.conclude(last, plan, final)
    for path in recipes:
        console.say(f"recipe: {path}")
    console.made(place)


def _final(study: "Trials", fit: str | None) -> "Run":
    from ..evaluation.evaluate import evaluate
    from ..search.best import final_training

    training = final_training(study, fit)
    console.follow_training(training, "the best trial")
    if training.run.result("test") is None:
        with console.following():
            evaluate(training.run, device=training.experiment.device)
    return training.run


def _replicate(study: "Trials", executor: "Executor", workers: int | None, plan: "ReplicationPlan") -> None:
    from ..search.replication import replications_of, summarise
    from ..search.run import replicate

    replications = replications_of(study, plan)
    with closing(replicate(study, replications, executor, workers=workers)) as counts:
        for done in counts:
            console.say(f"replication: {done} of {counted(len(replications), 'training')}")
    content = summarise(replications, study.plan, study.directory)
    rows = [
        [str(one["number"]), console.number(one["mean"]), console.number(one["std"]), str(len(one["scores"]))]
        for one in content.to_json()["trials"]
    ]
    console.show_table(
        f"validation {content.score} over {counted(plan.seeds, 'seed')}",
        ["trial", "mean", "standard deviation", "trainings"],
        rows,
        to=console.err,
    )
