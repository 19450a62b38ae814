"""The page of one run of its own."""

from ...analysis import Analysis
from ...core.wording import counted
from ...evaluation.agreement import Agreement
from ...runs.directory import Run
from ..findings import findings
from ..page import Page, numbered
from ..published import Beside
from .sections import data_section, section_of


def run_page(
    shown: Analysis, report: Beside = None, *, agreement: Agreement | None = None, title: str | None = None
) -> Page:
    """Its findings, its figures, its tables and its data.

    Args:
        report: what it stands beside; then its figures have the report's numbers, else their own from 1.
        agreement: of the validation and the test part.
        title: the page's; by default the name of the run and what it is.
    """
    context = shown.context
    run, metrics = context.run, context.result.metrics
    task = run.experiment.task
    told = next((name for name in WORDS if name in metrics), None)
    score = "" if told is None else f", {WORDS[told]} is {metrics[told]:.4g}"
    page = Page(
        title=title or f"{run.path.resolve().name}: {task.title}",
        lead=(
            f"{task.title.capitalize()}, trained on {run.data.source}. On the "
            f"{counted(context.result.images, 'test image')}, opened for this alone{score}."
        ),
        findings=findings(shown, agreement),
        notices=() if report is None else report.notices(run),
        sections=(section_of(shown, report), data_section(context, report)),
        footer=footer(run),
    )
    return page if report is not None else numbered(page)


# What the first metric of a run is called in a sentence.
WORDS = {
    "mean_code_loss": "the loss in nats an image, with the mean code decoded,",
    "mse": "the mean squared error a pixel",
    "accuracy": "the accuracy",
}


def footer(run: Run) -> tuple[str, ...]:
    where = run.environment
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items() if version)
    return (
        f"Seed {run.experiment.seed}, split seed {run.experiment.split.seed}, precision "
        f"{where['precision']}, {counted(where['threads'], 'thread')} on "
        f"{where['processor']} ({where['device']}).",
        f"Python {where['python']}, {versions}; revision {where['revision'] or 'not from a checkout'}.",
    )
