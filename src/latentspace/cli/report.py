"""latentspace report"""

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigurationError, RunError
from . import console
from .options import Device, MovedData, moved
from .pictures import ReplaceFolder


def report(
    *,
    path: Annotated[
        Path, typer.Argument(metavar="RUN|STUDY", help="A run directory, or a study directory of a search.")
    ],
    title: Annotated[str | None, "Title of the page. \\[default: the directory's name]", "TEXT"] = None,
    data: MovedData = None,
    storage: Annotated[str | None, "Study: the URL of its database, if it needs a password.", "URL"] = None,
    out: Annotated[
        Path | None, "A new folder for the page and the figures. \\[default: the directory itself]", "DIR"
    ] = None,
    force: ReplaceFolder = False,
    device: Device = "auto",
) -> None:
    """Draw the figures of a run or of a search, and write them with the tables into one self-contained page.

    [bold]Examples[/bold]

      latentspace report runs/letters

      latentspace report runs/photos --title "Photographs of the harbour"

      latentspace report studies/letters
    """
    from ..core.atomic_files import exists
    from ..runs.directory import Run
    from ..studies import published

    if exists(path / "study.json"):
        _refuse("--data", data, "a study is reported from its trials, without images")
        _refuse("--device", None if device == "auto" else device, "a study's page is drawn, not computed")
        from ..report.search.page import report_study

        page = report_study(path, storage, title, published, out, force=force)
        console.say(f"trials: {page.parent / 'trials.csv'}")
    elif Run.exists(path):
        _refuse("--storage", storage, "a run has no database")
        from ..report.run.write import report_run

        run = Run.open(path)
        with console.following():
            page = report_run(run, moved(run, data), device, title, published, out, force=force)
    else:
        raise RunError(
            f"{path} must be a run directory (with a config.json) or a study directory (with a study.json)",
            found="neither of them there" if exists(path) else "no such directory",
            do="name a directory that `latentspace train` or `latentspace search` made",
        )
    if (page.parent / "figures").is_dir():  # a search without a value has none
        console.say(f"figures: {page.parent / 'figures'}")
    console.made(page)


def _refuse(option: str, given: str | None, why: str) -> None:
    if given is not None:
        raise ConfigurationError(
            f"{option} has no meaning here: {why}", found=given, do=f"leave {option} out"
        )
