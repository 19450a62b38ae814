"""latentspace reproduce"""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Data, Deduplicate, Fonts, Quiet, Resize, Strict, Verbose, data_changes
from .train import given


def reproduce(
    recipe: Annotated[
        str, typer.Option(metavar="quick|homework|FILE", help="How large, how long.")
    ] = "quick",
    data: Data = "auto",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the runs and the page go. [default: runs/RECIPE]"),
    ] = None,
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

      latentspace reproduce --recipe homework --data notmnist --out runs/homework
    """
    from ..experiment import Recipe
    from ..reproduction import Reproduction

    place = out or Path("runs") / Path(recipe).stem
    changes = given({"data": data_changes(data, resize, deduplicate, strict, fonts)})
    work = Reproduction(Recipe.load(recipe), place, changes)
    for kind in work.kinds:
        training = work.training(kind)
        state = training.run.state
        epochs = training.experiment.training.epochs
        if training.run.finished:
            console.say(f"{kind}: {training.run.path} has ended already")
        console.follow(training.records(), epochs, state.epoch if state else 0, kind)
    console.made(work.page())
