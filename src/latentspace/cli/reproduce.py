"""latentspace reproduce"""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import console, standing
from .options import (
    Data,
    Deduplicate,
    Fonts,
    PlannedDevice,
    Precision,
    Quiet,
    Resize,
    Strict,
    Verbose,
    data_changes,
    given,
)

if TYPE_CHECKING:
    from ..studies.foscarin2021.reproduction import Reproduction
    from ..studies.pipeline import SearchStep, TrainingStep


def reproduce(
    recipe: Annotated[
        str, typer.Option(metavar="quick|homework|FILE", help="The recipe: a TOML file, or a built-in one.")
    ] = "quick",
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder for the runs and the page. \\[default: runs/RECIPE]"),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what would be done, and about how long it would take here."),
    ] = False,
    device: PlannedDevice = None,
    precision: Precision = None,
    resize: Resize = None,
    deduplicate: Deduplicate = None,
    strict: Strict = None,
    fonts: Fonts = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run the report's studies in order, and write one page that shows them; go on where it was interrupted.

    The recipe's searches are run too. The page's path is the last line printed.

    [bold]Examples[/bold]

      latentspace reproduce

      latentspace reproduce --recipe homework --data notmnist --out runs/homework --dry-run
    """
    from ..experiment.recipe import Recipe
    from ..studies.foscarin2021.reproduction import Reproduction

    place = out or Path("runs") / Path(recipe).stem
    read_as = data_changes(data, resize, deduplicate, strict, fonts)
    changes = given({"device": device, "precision": precision, "data": read_as})
    work = Reproduction(Recipe.load(recipe), place, changes)
    if dry_run:
        _foretell(work)
        return
    for step in work.steps:
        _do(step)
    with console.following():
        page = work.page()
    console.made(page)


def _do(step: "TrainingStep | SearchStep") -> None:
    from ..studies.pipeline import SearchStep

    done = step.is_done
    if done:
        console.say(f"{step.name}: {step.place} has ended already")
    if not isinstance(step, SearchStep):
        console.follow(step.records(), step.size, step.done, step.name)
    elif done:
        step.refuse_another()
    else:
        _search(step)


def _search(step: "SearchStep") -> None:
    from ..search.executors.local import search

    study, workers = step.open()
    with study:
        standing.introduce(study.plan, workers)
        with closing(search(study, workers=workers)) as standings:
            standing.follow(standings, study.plan, workers)
        training = step.winner(study)
    if training is None:
        console.say(f"{step.name}: no trial ran to its end, so there is no winner to train")
        return
    state, epochs = training.run.state, training.experiment.training.epochs
    console.follow(training.records(), epochs, state.epoch if state else 0, f"{step.name}, the winner,")
    with console.following():
        step.judge(training.run)


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
    rows.append(["in all, and some minutes to judge and draw", "", console.clock(total)])
    console.show_table(
        f"{work.out}: what is to be done, on {images.source}", ["", "done", "about h:mm:ss"], rows
    )
    if any(isinstance(step, SearchStep) for step in work.steps):
        console.say(
            "a search takes that long only if no trial is pruned and each has the largest network it may"
        )
