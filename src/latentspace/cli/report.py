"""latentspace report"""

from pathlib import Path

from . import console
from .options import OtherData, Quiet, RunPath, Verbose, data_config


def report(
    run: RunPath,
    data: OtherData = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Draw a run's figures, and write them with its tables into one self-contained page.

    [bold]Example[/bold]

      latentspace report runs/letters
    """
    from ..report.write import report_run
    from ..runs import Run

    path = report_run(Run.open(Path(run)), None if data is None else data_config(data))
    console.say(f"figures: {path.parent / 'figures'}")
    console.made(path)
