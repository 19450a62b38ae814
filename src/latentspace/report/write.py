"""Gather, draw, write: a finished run -> its figures and its page."""

from pathlib import Path

from ..data.sources import DataConfig
from ..exhibits import gather
from ..runs import Run
from .page import render
from .study import run_page


def report_run(run: Run, data: DataConfig | None = None) -> Path:
    """Write the run's figures and its report.html; return the page's path.

    Raises:
        RunError: the run has not ended, or its data are gone.
    """
    page = run_page(run, gather(run, data))
    for section in page.sections:
        for picture in section.pictures:
            run.save_figure(f"figure-{int(picture.number or 0):02}", picture.png)
    return run.save_page(render(page))
