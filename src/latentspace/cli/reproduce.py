"""latentspace reproduce"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from . import console, progress
from .options import DataOptions, Engine, PlannedDevice, Precision, parsed_engine

if TYPE_CHECKING:
    from ..search.executors.protocol import Executor
    from ..studies.foscarin2021.reproduction import Reproduction
    from ..studies.pipeline import SearchStep, TrainingStep


def reproduce(
    *,
    recipe: Annotated[str, "A TOML recipe: a file, or {recipes}.", "FILE"] = "quick",
    out: Annotated[
        Path | None, "The folder for the runs and the page. \\[default: runs/RECIPE]", "DIR"
    ] = None,
    dry_run: Annotated[
        bool, "Only print the steps, and about how long they would take on this machine."
    ] = False,
    device: PlannedDevice = None,
    precision: Precision = None,
    engine: Engine = "local",
    data: DataOptions,
) -> None:
    """Run, or continue, all studies of the course report, and write one page with the results.

    The recipe's searches are run too, on a cluster with --engine ray; the trainings run on this machine. The
    last line printed is the path of the page.

    [bold]Examples[/bold]

      latentspace reproduce

      latentspace reproduce --recipe homework --data notmnist --out runs/homework --dry-run
    """
    from ..core.config import without_unset
    from ..experiment.recipe import Recipe
    from ..search.executors import opened
    from ..studies.foscarin2021.reproduction import Reproduction

    computing = parsed_engine(engine)
    place = out or Path("runs") / Path(recipe).stem
    changes = without_unset({"device": device, "precision": precision, "data": data.settings()})
    work = Reproduction(Recipe.load(recipe), place, changes)
    if dry_run:
        _foretell(work)
        return
    with opened(computing) as executor:
        for step in work.steps:
            _do(step, executor)
    with console.following():
        page = work.page()
    console.made(page)


def _do(step: "TrainingStep | SearchStep", executor: "Executor") -> None:
    from ..studies.pipeline import SearchStep

    done = step.is_done
    if done:
        console.say(f"{step.name}: {step.place} has ended already")
    if not isinstance(step, SearchStep):
        console.follow(step.records(), step.size, step.done, step.name)
    elif done:
        step.refuse_another()
    else:
        _search(step, executor)


def _search(step: "SearchStep", executor: "Executor") -> None:
    study, workers = step.open()
    with study:
        progress.run(study, executor, workers if executor.room is None else None)
        training = step.final_training(study)
    if training is None:
        console.say(f"{step.name}: no trial ran to its end, so there is no best one to train")
        return
    console.follow_training(training, f"{step.name}, the best trial,")
    with console.following():
        step.evaluate_once(training.run)


def _foretell(work: "Reproduction") -> None:
    """A line a step, and the sum; nothing is written below the place of the reproduction."""
    from ..studies.pipeline import SearchStep

    images = work.images()
    rows, total = [], 0.0
    for step in work.steps:
        seconds = 0.0 if step.is_done else step.seconds_left(images)
        total += seconds
        at_most = "at most " if isinstance(step, SearchStep) else ""
        rows.append(
            [
                step.name,
                f"{step.done}/{step.size} {step.unit}",
                "done" if step.is_done else f"{at_most}{console.clock(seconds)}",
            ]
        )
    rows.append(["in all, and some minutes to evaluate and draw", "", console.clock(total)])
    console.show_table(
        f"{work.out}: what is to be done, on {images.source}", ["", "done", "about h:mm:ss"], rows
    )
    if any(isinstance(step, SearchStep) for step in work.steps):
        console.say(
            "a search takes that long only if no trial is pruned and each has the largest network it may"
        )
