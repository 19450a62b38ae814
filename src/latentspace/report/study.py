"""The page of one run of its own."""

from ..exhibits import Exhibits
from ..runs import Run
from ..wording import counted
from .page import Page
from .run_sections import data_section, section_of


def run_page(shown: Exhibits) -> Page:
    """Its data, its figures and its tables."""
    subject = shown.subject
    run, metrics = subject.run, subject.result.metrics
    purpose = run.experiment.purpose
    score = next(iter(purpose.published))
    return Page(
        title=f"{run.path.resolve().name}: {purpose.name}",
        lead=(
            f"Trained on {run.data.source}; on the {counted(subject.result.images, 'test image')}, opened "
            f"for this alone, {WORDS[score]} is {metrics[score]:.4g}."
        ),
        notices=notices(run),
        sections=(section_of(shown), data_section(subject)),
        footer=footer(run),
    )


# What the metrics that the report published are called in a sentence.
WORDS = {
    "mse": "the mean squared error a pixel",
    "accuracy": "the accuracy",
    "mean_code_loss": "the loss in nats an image, with the mean code decoded,",
}


def notices(run: Run) -> tuple[str, ...]:
    """What must be known before any number is read."""
    if run.data.comparable:
        return ()
    return (
        f"These images are {run.data.source}. They are not known to be the report's notMNIST, so no figure "
        "here can be compared with the report's.",
    )


def footer(run: Run) -> tuple[str, ...]:
    where = run.environment
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items() if version)
    return (
        f"Seed {run.experiment.seed}, split seed {run.experiment.split.seed}, precision "
        f"{where['precision']}, {counted(where['threads'], 'thread')} on "
        f"{where['processor']} ({where['device']}).",
        f"Python {where['python']}, {versions}; revision {where['revision'] or 'not from a checkout'}.",
    )
