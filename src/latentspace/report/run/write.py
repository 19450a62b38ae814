"""A finished run -> its figures and its page, written into its directory or into another."""

import logging
from collections.abc import Iterator
from pathlib import Path

from ...analysis import RunContext, analyse
from ...core.atomic_files import make_folder, sweep, write_bytes, write_text
from ...core.csv_text import csv_text
from ...core.devices import AUTO
from ...core.output_files import made_folder, refuse_folder, refuse_unwritable
from ...core.wording import option
from ...data.config import DataConfig
from ...models.remembered import refined_once
from ...runs.directory import Run
from ..beside import Find, nothing
from ..page import Page, Picture, render
from .page import run_page

logger = logging.getLogger(__name__)


@refined_once()
def report_run(
    run: Run,
    data: DataConfig | None = None,
    device: str = AUTO,
    title: str | None = None,
    published: Find = nothing,
    out: Path | None = None,
    *,
    force: bool = False,
) -> Path:
    """Write the run's figures and its report.html; return the page's path.

    Args:
        title: of the page; by default the name of the run and what it is.
        published: finds the published study that the page stands beside, if there is one.
        out: a new folder for them; None: the run.
        force: replace a folder that such a command made, with nothing else in it.

    Raises:
        OutputError: the place cannot be written, or is taken.
        RunError: the run has not ended, or its data are gone.
        ConfigurationError: `data` are other images than the run's own.
        DeviceError: this machine has no such device.
    """
    refuse_place(run.path, out, force=force)
    context = RunContext.open(run, data, device)
    shown = analyse(context)
    logger.info("drawing the page of %s", run.path.name)
    beside = published(run.experiment.kind, run.data.comparable)
    page = run_page(shown, beside, agreement=context.agreement, title=title)
    if out is None:
        return write_run_page(page, run)
    with made_folder(out, force=force) as folder:
        return out / write_page(page, folder).name


def refuse_place(directory: Path, out: Path | None, *, force: bool) -> None:
    """Refuse a place where no page can be made: `out`, or else the directory that is reported itself.

    Raises:
        OutputError: so it is.
    """
    if out is None:
        refuse_unwritable(directory, directory / "figures", do=f"name another place with {option('out')}")
    else:
        refuse_folder(out, force=force)


def write_run_page(page: Page, run: Run) -> Path:
    """Into the run's directory: the page, each picture as PNG, and what it draws of numbers as CSV."""
    for picture in _pictures(page):
        run.save_figure(f"{picture.file_name}.png", picture.png)
        if picture.numbers:
            run.save_figure(f"{picture.file_name}.csv", csv_text(picture.numbers).encode())
    return run.save_page(render(page))


def write_page(page: Page, folder: Path) -> Path:
    """A page of several runs: report.html in `folder`, and figures/ as a run has them."""
    make_folder(folder)
    for picture in _pictures(page):
        place = folder / "figures" / picture.file_name
        write_bytes(place.with_suffix(".png"), picture.png)
        if picture.numbers:
            write_text(place.with_suffix(".csv"), csv_text(picture.numbers))
    path = folder / "report.html"
    write_text(path, render(page))
    for place in (folder, folder / "figures"):
        sweep(place)
    return path


def _pictures(page: Page) -> Iterator[Picture]:
    for section in page.sections:
        yield from section.pictures
