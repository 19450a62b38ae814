"""latentspace search"""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigurationError
from ..core.wording import counted
from . import console, standing
from .options import (
    Deduplicate,
    Fonts,
    PlannedDevice,
    Precision,
    Quiet,
    Resize,
    SplitShares,
    Strict,
    Verbose,
    data_changes,
    given,
)

if TYPE_CHECKING:
    from ..runs.directory import Run
    from ..search.replication import ReplicationPlan
    from ..search.trials import Trials


def search(
    kind: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="What to search for: ae, dae, vae, classifier.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            rich_help_panel="Data",
            help="The images, as for train. \\[default: the recipe's, auto; with --resume the study's]",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="STUDY", help="The study directory.")] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="How many trials; pruned and failed ones count. \\[default: the recipe's, 100]"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of a trial that is not pruned. \\[default: the recipe's, 50]")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes; they share the cores. \\[default: one a core]"),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each worker.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of suggestions and trainings.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A database for the trials, postgresql://... \\[default: STUDY/journal.log]"
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Begin no trial after this time.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the study, or take part in it; its settings stay.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Try the report's own best parameters first.")
    ] = False,
    fit: Annotated[
        str | None,
        typer.Option(
            metavar="train|train+validation",
            help="Which parts of the split the winner learns from at the end.",
        ),
    ] = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="KxS", help="Train the K best trials again from S seeds each.")
    ] = None,
    objectives: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Search for several at once, such as mse,code_size; nothing is pruned then."
        ),
    ] = None,
    no_final: Annotated[
        bool, typer.Option("--no-final", help="Do not train the winner in full; the test part stays shut.")
    ] = False,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A TOML recipe with a search space, or a built-in one: quick, homework."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Fix a setting, which is then not searched; may be repeated."
        ),
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Classifier: the run to learn from.")
    ] = None,
    split: SplitShares = None,
    device: PlannedDevice = None,
    precision: Precision = None,
    resize: Resize = None,
    deduplicate: Deduplicate = None,
    strict: Strict = None,
    fonts: Fonts = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Search for the best parameters, train the winner in full, and judge it on the test part once.

    Trials are scored on the validation part; the space is the report's, or a recipe's own.

    [bold]Examples[/bold]

      latentspace search ae --data notmnist --out studies/letters

      latentspace search ae --data photos/ --out studies/photos --trials 30 --set model.code_size=4

      latentspace search --out studies/letters --resume --trials 200 --confirm 3x3
    """
    from ..core.config import merged, overrides
    from ..search.replication import ReplicationPlan
    from ..search.request import SearchRequest, draft
    from ..search.trials import begin

    if out is None:
        raise ConfigurationError(
            "search needs a place for the study", found="no --out", do="name a directory with --out"
        )
    extent = None if confirm is None else ReplicationPlan.parse(confirm)
    several = None if objectives is None else tuple(one.strip() for one in objectives.split(","))
    _check(fit, extent, several)
    options: dict[str, Any] = {
        "seed": seed,
        "device": device,
        "precision": precision,
        "threads": threads,
        "data": data_changes(data, resize, deduplicate, strict, fonts),
        "split": {"shares": split},
        "encoder": None if encoder is None else str(encoder),
    }
    request = SearchRequest(
        kind=kind,
        recipe=recipe,
        changes=merged(given(options), overrides(set_ or [])),
        trials=trials,
        epochs=epochs,
        objectives=several,
        storage=storage,
        workers=workers,
        published=published,
    )
    plan, pool = draft(request, out, resume=resume)
    with begin(plan, out, storage or plan.storage, resume=resume) as study:
        if published:
            study.enqueue_published()
        _search_and_finish(study, pool, storage, timeout, fit, extent, no_final=no_final)


def _check(fit: str | None, extent: "ReplicationPlan | None", objectives: tuple[str, ...] | None) -> None:
    if fit not in (None, "train", "train+validation"):
        raise ConfigurationError(
            "--fit takes train or train+validation", found=repr(fit), do="name one of them"
        )
    if objectives is not None and len(set(objectives)) < len(objectives):
        raise ConfigurationError(
            "each objective is named once", found=",".join(objectives), do="leave the second one out"
        )
    if objectives is not None and len(objectives) > 1 and extent is not None:
        raise ConfigurationError(
            "--confirm compares the best trials, and several objectives have no best one",
            found=f"--objectives {','.join(objectives)}",
            do="leave out one of the two options",
        )


def _search_and_finish(
    study: "Trials",
    workers: int,
    url: str | None,
    timeout: float | None,
    fit: str | None,
    extent: "ReplicationPlan | None",
    *,
    no_final: bool,
) -> None:
    from ..search.best import write_recipes
    from ..search.executors.local import search as run

    plan, place = study.plan, study.directory
    standing.introduce(plan, workers)
    try:
        with closing(run(study, workers=workers, url=url, timeout=timeout)) as standings:
            last = standing.follow(standings, plan, workers)
        recipes = write_recipes(study)
        if last.counted < last.asked:
            console.say(
                f"time is up after {last.counted} of {last.asked} trials; go on with: {_again(place)}"
            )
        if last.counted >= last.asked < plan.search.trials:
            console.say("every combination of the space was tried: there is nothing left to search")
        if extent is not None:
            _confirm(study, workers, extent)
        run_made = None if no_final or not plan.single else _final(study, fit)
    except KeyboardInterrupt:
        console.note(f"interrupted; go on with: {_again(place)}")
        raise
    standing.conclude(last, plan, run_made)
    for path in recipes:
        console.say(f"recipe: {path}")
    console.made(place)


def _again(place: Path) -> str:
    return f"latentspace search --out {place} --resume"


def _final(study: "Trials", fit: str | None) -> "Run":
    from ..evaluation.evaluate import evaluate
    from ..search.best import final_training

    training = final_training(study, fit)
    state = training.run.state
    epochs = training.experiment.training.epochs
    console.follow(training.records(), epochs, state.epoch if state else 0, "the winner")
    if "test" not in training.run.results():
        with console.following():
            evaluate(training.run, device=training.experiment.device)
    return training.run


def _confirm(study: "Trials", workers: int, extent: "ReplicationPlan") -> None:
    from ..search.executors.local import confirm
    from ..search.replication import jobs_of, summarise

    jobs = jobs_of(study, extent)
    with closing(confirm(study, jobs, workers=workers)) as counts:
        for done in counts:
            console.say(f"confirmation: {done} of {counted(len(jobs), 'training')}")
    content = summarise(jobs, study.plan, study.directory)
    rows = [
        [str(one["number"]), console.number(one["mean"]), console.number(one["std"]), str(len(one["scores"]))]
        for one in content.to_json()["trials"]
    ]
    console.show_table(
        f"validation {content.score} over {counted(extent.seeds, 'seed')}",
        ["trial", "mean", "standard deviation", "trainings"],
        rows,
        to=console.err,
    )
