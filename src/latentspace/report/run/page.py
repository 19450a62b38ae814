"""The page of one run."""

from ...analysis import Analysis
from ...core.wording import counted
from ...evaluation.agreement import Agreement
from ...evaluation.metrics import title_and_unit
from ...runs.directory import Run
from ..beside import Beside
from ..findings import findings
from ..page import Page, Section, numbered
from .sections import data_section, section_of


def run_page(
    shown: Analysis,
    beside: Beside | None = None,
    *,
    agreement: Agreement | None = None,
    title: str | None = None,
    section: Section | None = None,
) -> Page:
    """Its findings, its figures, its tables and its data.

    Args:
        beside: a published study; then figures have the numbers of its figures, else their own from 1.
        agreement: of the validation and the test part.
        title: the page's; by default the name of the run and what it is.
        section: what `section_of` makes of it, where that was drawn already.
    """
    context = shown.context
    run, task = context.run, context.run.experiment.task
    page = Page(
        title=title or f"{run.path.resolve().name}: {task.title}",
        lead=(
            f"{task.title.capitalize()}, trained on {run.data.source}. Evaluated on "
            f"{counted(context.result.images, 'test image')}, kept apart until now{_score(shown)}."
        ),
        findings=findings(shown, agreement),
        notices=() if beside is None else beside.notices(run),
        sections=(section or section_of(shown, beside), data_section(context, beside)),
        footer=footer(run),
    )
    return page if beside is not None else numbered(page)


def _score(shown: Analysis) -> str:
    """The value of the score that the task selects by, on the test images."""
    name = shown.context.run.experiment.task.score
    value = shown.context.result.metrics.get(name)
    if value is None or isinstance(value, list):
        return ""
    title, unit = title_and_unit(name)
    return f": {title} {value:.4g}" + (f" ({unit})" if unit else "")


def footer(run: Run) -> tuple[str, ...]:
    """What made the run: seeds, hardware, versions."""
    where = run.environment
    parent = where.get("parent")
    weights = str(where.get("parent_hash"))[:16]
    began = () if parent is None else (f"Began from the weights of {parent} ({weights}).",)
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items() if version)
    return (
        f"Seed {run.experiment.seed}, split seed {run.experiment.split.seed}, precision "
        f"{where['precision']}, {counted(where['threads'], 'thread')} on "
        f"{where['processor']} ({where['device']}).",
        f"Python {where['python']}, {versions}; revision {where['revision'] or 'not from a checkout'}.",
        *began,
    )
