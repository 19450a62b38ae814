"""The section of each kind of study: what was done, its tables, its pictures."""

from functools import singledispatch
from typing import TypeVar

from ...analysis import (
    Analysis,
    AutoencoderAnalysis,
    ClassifierAnalysis,
    DenoiserAnalysis,
    RunContext,
    VariationalAnalysis,
)
from ...core.wording import SEEN_BY_ENCODER, counted
from ...data.cleaning import sentence
from ...objectives.classification import ClassificationConfig
from ...runs.directory import Run
from ..page import Section
from ..published import DATA, REMARKS, Beside
from . import pictures, tables
from .terms import terms_of

T = TypeVar("T")


@singledispatch
def section_of(shown: Analysis, report: Beside) -> Section:  # noqa: ARG001
    """What the page of one run shows of it, but for its data; `report` is what it stands beside, or None."""
    raise TypeError(f"no section is known for {type(shown).__name__}")


def data_section(context: RunContext, report: Beside) -> Section:
    """Some of the images, and what they are."""
    data, split = context.run.data, context.run.split
    rows = (
        ("source", data.source),
        ("images", f"{data.images:,}"),
        ("size", f"{data.height}x{data.width}, {'grey' if data.channels == 1 else 'colour'}"),
        ("classes", _listed(data.class_names)),
        ("split", split.note),
        (
            "exact copies of another image",
            f"{data.duplicate_images:,} in {counted(data.duplicate_groups, 'set')}",
        ),
        ("kept on one side of the split, as copies or groups", f"{split.kept_together:,}"),
        ("unreadable files skipped", f"{len(data.cleaning.unreadable):,}"),
        ("content hash", data.content_hash[:16]),
    )
    beside = [(*row, DATA.get(row[0], tables.NOTHING)) for row in rows]
    return Section(
        title="The data",
        pictures=(pictures.samples(context, report),),
        tables=(tables.compared("What the images are", beside, report),),
    )


def _listed(names: tuple[str, ...]) -> str:
    """The first of the names, and how many there are where they are many."""
    if not names:
        return "no labels"
    return f"{len(names)}: {sentence(names, 12)}" if len(names) > 12 else " ".join(names)


@section_of.register
def autoencoder_section(shown: AutoencoderAnalysis, report: Beside) -> Section:
    run = shown.context.run
    text = (
        f"{run.experiment.model.words}, {_trained(run)} to give back each image from "
        f"{counted(shown.code_size, 'number')}.",
    )
    return Section(
        title=_title(run),
        text=text,
        pictures=(
            pictures.losses(run, terms_of(run), report),
            pictures.reconstructions(shown, report),
            pictures.decodes(shown, report),
            pictures.code_plane(shown, report),
            pictures.walks(shown),
        ),
        tables=(tables.autoencoder_results(shown, report), tables.parameters_table(run, report)),
    )


@section_of.register
def denoiser_section(shown: DenoiserAnalysis, report: Beside) -> Section:
    run = shown.plain.context.run
    text = (
        f"{run.experiment.model.words}, {_trained(run)} to give back the clean image from a corrupted one: "
        f"{shown.corruption}, drawn anew for each batch of each epoch and not clipped.",
        *_remarks(run, report),
    )
    return Section(
        title=_title(run),
        text=text,
        pictures=(
            pictures.losses(run, terms_of(run), report),
            pictures.denoised(shown, report),
            pictures.decodes(shown.plain, report),
            pictures.noise(shown),
        ),
        tables=(tables.autoencoder_results(shown.plain, report), tables.parameters_table(run, report)),
    )


@section_of.register
def classifier_section(shown: ClassifierAnalysis, report: Beside) -> Section:
    run = shown.context.run
    plan = run.experiment.objective
    reported = isinstance(plan, ClassificationConfig) and plan.loss == "report"
    how = (
        "on the cross-entropy of what a Softmax puts out"
        if reported
        else "on the cross-entropy of the logits"
    )
    text = (
        f"Four linear layers on the codes of a trained encoder, {_trained(run)} {how}. The split is the "
        "encoder's, so no image that either has learned from is judged.",
        *([SEEN_BY_ENCODER] if shown.seen_by_encoder else []),
        *_remarks(run, report),
    )
    return Section(
        title="Classification of the codes",
        text=text,
        pictures=_those(
            pictures.losses(run, terms_of(run), report),
            pictures.confusion(shown),
            pictures.mistakes(shown),
            pictures.labels(shown),
        ),
        tables=_those(
            tables.classifier_results(shown, report),
            tables.parameters_table(run, report),
            tables.pairs_table(shown),
            tables.mistakes_table(shown),
            tables.baselines_table(shown),
            tables.times_table(shown),
        ),
    )


@section_of.register
def variational_section(shown: VariationalAnalysis, report: Beside) -> Section:
    run = shown.plain.context.run
    text = (
        f"{run.experiment.model.words}, with a distribution over {counted(shown.plain.code_size, 'number')} "
        f"for each image, {_trained(run)} on the ELBO: what the decoded image loses, summed over the pixels, "
        "plus the divergence from the prior.",
        "The loss with the mean code decoded bounds nothing: the ELBO, with a sampled code, and the "
        "importance-weighted bound are what the likelihood of the images can be judged by.",
        *_remarks(run, report),
    )
    return Section(
        title=_title(run),
        text=text,
        pictures=_those(
            pictures.losses(run, terms_of(run), report),
            pictures.reconstructions(shown.plain, report),
            pictures.decodes(shown.plain, report),
            pictures.plane(shown, report),
            pictures.walks(shown.plain),
        ),
        tables=_those(
            tables.variational_results(shown, report),
            tables.parameters_table(run, report),
            tables.kl_table(shown),
        ),
    )


def _title(run: Run) -> str:
    title = run.experiment.task.title
    return f"{title[0].upper()}{title[1:]}"


def _remarks(run: Run, report: Beside) -> tuple[str, ...]:
    return () if report is None else REMARKS.get(run.experiment.kind, ())


def _trained(run: Run) -> str:
    fit = run.experiment.training.fit
    learned = "the training split" if fit == "train" else "the training and the validation split"
    epochs = len(run.metrics)
    return f"trained for {counted(epochs, 'epoch')} on {learned}"


def _those(*found: T | None) -> tuple[T, ...]:
    return tuple(one for one in found if one is not None)
