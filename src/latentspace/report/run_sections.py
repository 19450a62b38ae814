"""The section of each kind of study: what was done, its tables, its pictures."""

from functools import singledispatch
from typing import TypeVar

from ..exhibits import (
    AutoencoderExhibits,
    ClassifierExhibits,
    DenoiserExhibits,
    Exhibits,
    Subject,
    VariationalExhibits,
)
from ..experiment import ClassificationConfig
from ..figures import (
    ACCURACY,
    BCE,
    CROSS_ENTROPY,
    ELBO,
    KL,
    MSE,
    MSE_FROM_CLEAN,
    MSE_FROM_NOISY,
    REPORT_CROSS_ENTROPY,
)
from ..runs import Run
from ..wording import SEEN_BY_ENCODER, counted
from . import run_pictures as pictures
from . import run_tables as tables
from .page import Section, Table

T = TypeVar("T")


@singledispatch
def section_of(shown: Exhibits) -> Section:
    """What the page of one run shows of it, but for its data."""
    raise TypeError(f"no section is known for {type(shown).__name__}")


def data_section(subject: Subject) -> Section:
    """Section 1.1 of the report: figure 1, and what the images are."""
    data, split = subject.run.data, subject.run.split
    rows = (
        ("source", data.source, "notMNIST (small)"),
        ("images", f"{data.images:,}", "18,724"),
        ("size", f"{data.height}x{data.width}, {'grey' if data.channels == 1 else 'colour'}", "28x28, grey"),
        ("classes", " ".join(data.class_names) or "no labels", "A to J"),
        ("split", split.note, "11,234, 3,745 and 3,745"),
        (
            "exact copies of another image",
            f"{data.duplicate_images:,} in {counted(data.duplicate_groups, 'set')}",
            "–",
        ),
        ("kept on one side of the split, as copies or groups", f"{split.kept_together:,}", "–"),
        ("unreadable files skipped", f"{len(data.cleaning.unreadable):,}", "–"),
        ("content hash", data.content_hash[:16], "–"),
    )
    return Section(
        title="The data",
        pictures=(pictures.samples(subject),),
        tables=(Table("What the images are", ("", "here", "the report"), rows),),
    )


@section_of.register
def autoencoder_section(shown: AutoencoderExhibits) -> Section:
    """Section 2 of the report: figures 2 to 5."""
    run = shown.subject.run
    text = (
        f"Three strided convolutions and two linear layers, and the same backwards, {_trained(run)} to give "
        f"back each image from {counted(shown.code_size, 'number')}.",
    )
    return Section(
        title="Autoencoder",
        text=text,
        pictures=(
            pictures.losses(run, "2", (MSE,)),
            pictures.reconstructions(shown, "3"),
            pictures.decodes(shown, "4"),
            pictures.code_plane(shown, "5"),
            pictures.walks(shown),
        ),
        tables=(tables.autoencoder_results(shown), tables.parameters_table(run)),
    )


@section_of.register
def denoiser_section(shown: DenoiserExhibits) -> Section:
    """Section 3 of the report: figures 6 to 8, and the error at other levels of noise."""
    run = shown.plain.subject.run
    text = (
        f"The same network, {_trained(run)} to give back the clean image from a corrupted one: "
        f"{shown.corruption}, drawn anew for each batch of each epoch and not clipped.",
        "The report gives one test loss and does not say whether its test images were noisy. It added noise "
        "in its training step alone, so the error from clean images is the one to set beside it.",
    )
    return Section(
        title="Denoising autoencoder",
        text=text,
        pictures=(
            pictures.losses(run, "6", (MSE_FROM_NOISY, MSE_FROM_CLEAN)),
            pictures.denoised(shown),
            pictures.decodes(shown.plain, "8"),
            pictures.noise(shown),
        ),
        tables=(tables.autoencoder_results(shown.plain), tables.parameters_table(run)),
    )


@section_of.register
def classifier_section(shown: ClassifierExhibits) -> Section:
    """Section 4 of the report: figure 9, and what the codes are worth."""
    run = shown.subject.run
    plan = run.experiment.objective
    reported = isinstance(plan, ClassificationConfig) and plan.loss == "report"
    how = "through the Softmax, as the report did" if reported else "on the cross-entropy of the logits"
    text = (
        f"Four linear layers on the codes of a trained encoder, {_trained(run)} {how}. The split is the "
        "encoder's, so no image that either has learned from is judged.",
        *([SEEN_BY_ENCODER] if shown.seen_by_encoder else []),
    )
    terms = (REPORT_CROSS_ENTROPY if reported else CROSS_ENTROPY, ACCURACY)
    return Section(
        title="Classification of the codes",
        text=text,
        pictures=_those(
            pictures.losses(run, "9", terms),
            pictures.confusion(shown),
            pictures.mistakes(shown),
            pictures.labels(shown),
        ),
        tables=_those(
            tables.classifier_results(shown),
            tables.parameters_table(run),
            tables.pairs_table(shown),
            tables.baselines_table(shown),
            tables.times_table(shown),
        ),
    )


@section_of.register
def variational_section(shown: VariationalExhibits) -> Section:
    """Section 5 of the report: figures 10 to 13."""
    run = shown.plain.subject.run
    text = (
        "Two convolutions and two linear layers, which give a mean and a variance for each of "
        f"{counted(shown.plain.code_size, 'number')}, and the same backwards, {_trained(run)} on the ELBO: "
        "cross-entropy summed over the pixels plus the divergence from the prior.",
        "The report's test loss decodes the mean code. That bounds nothing: the ELBO, with a sampled code, "
        "and the importance-weighted bound are what the likelihood of the images can be judged by.",
    )
    return Section(
        title="Variational autoencoder",
        text=text,
        pictures=_those(
            pictures.losses(run, "10", (ELBO, BCE, KL)),
            pictures.reconstructions(shown.plain, "11"),
            pictures.decodes(shown.plain, "12"),
            pictures.plane(shown),
            pictures.walks(shown.plain),
        ),
        tables=(tables.variational_results(shown), tables.parameters_table(run), tables.kl_table(shown)),
    )


def _trained(run: Run) -> str:
    fit = run.experiment.training.fit
    learned = "the training split" if fit == "train" else "the training and the validation split"
    epochs = len(run.metrics)
    return f"trained for {counted(epochs, 'epoch')} on {learned}"


def _those(*found: T | None) -> tuple[T, ...]:
    return tuple(one for one in found if one is not None)
