"""latentspace reproduce"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import console
from .options import Data, Deduplicate, Fonts, Quiet, Resize, Strict, Verbose, data_changes
from .train import given

if TYPE_CHECKING:
    from ..reproduction import Reproduction


def reproduce(
    recipe: Annotated[
        str, typer.Option(metavar="quick|homework|FILE", help="How large, how long.")
    ] = "quick",
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the runs and the page go. [default: runs/RECIPE]"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and about how long it takes here.")
    ] = False,
    resize: Resize = None,
    deduplicate: Deduplicate = None,
    strict: Strict = None,
    fonts: Fonts = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run the report's studies in order, and write one page that shows them; go on where it was interrupted.

    The page's path is the last line printed.

    [bold]Examples[/bold]

      latentspace reproduce

      latentspace reproduce --recipe homework --data notmnist --out runs/homework --dry-run
    """
    from ..experiment import Recipe
    from ..reproduction import Reproduction

    place = out or Path("runs") / Path(recipe).stem
    changes = given({"data": data_changes(data, resize, deduplicate, strict, fonts)})
    work = Reproduction(Recipe.load(recipe), place, changes)
    if dry_run:
        _foretell(work)
        return
    for step in work.steps:
        if step.is_done:
            console.say(f"{step.name}: {step.place} has ended already")
        console.follow(step.records(), step.epochs, step.epochs_done, step.name)
    console.made(work.page())


def _foretell(work: "Reproduction") -> None:
    """A line a step, and the sum; nothing is written below the place of the reproduction."""
    images = work.images()
    rows, total = [], 0.0
    for step in work.steps:
        seconds = 0.0 if step.is_done else step.seconds_left(images)
        total += seconds
        rows.append(
            [
                step.name,
                f"{step.epochs_done}/{step.epochs}",
                "done" if step.is_done else console.clock(seconds),
            ]
        )
    rows.append(["in all, and some minutes to judge and draw", "", console.clock(total)])
    console.show_table(
        f"{work.out}: what is to be done, on {images.source}", ["", "epochs", "about h:mm:ss"], rows
    )
