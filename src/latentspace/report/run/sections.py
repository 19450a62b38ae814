"""The sections of a run's page: what was done, with its tables and pictures; and what the images are."""

from ...analysis import Analysis, RunContext
from ...core.wording import SEEN_BY_ENCODER, colour_of, counted
from ...data.cleaning import sentence
from ...runs.directory import Run
from ..beside import Beside
from ..page import Picture, Section, Table, present
from . import pictures, tables
from .terms import terms_of


def section_of(shown: Analysis, beside: Beside | None) -> Section:
    """What the page of a run shows of it, but for its data.

    Args:
        beside: the published study that it stands beside, or None.
    """
    run = shown.context.run
    title = run.experiment.task.title
    return Section(
        title=f"{title[0].upper()}{title[1:]}",
        text=(*_text(shown), *(() if beside is None else beside.remarks(run.experiment.kind))),
        pictures=(pictures.losses(run, terms_of(run), beside), *_pictures(shown, beside)),
        tables=(
            tables.results_table(shown, beside),
            tables.parameters_table(run, beside),
            *_tables(shown),
        ),
    )


def _text(shown: Analysis) -> list[str]:
    """What was trained, on what, for what; and what to mind when its numbers are read."""
    run = shown.context.run
    plan = run.experiment
    text = [f"{plan.model.summary()}, {_trained(run)}. What is minimised: {plan.objective.summary()}."]
    if shown.autoencoder is not None:
        text[0] += f" An image becomes {counted(shown.autoencoder.code_size, 'number')}."
        if steps := shown.context.trained.model.refine:
            text.append(
                f"Whenever images are encoded, each code is refined by {counted(steps, 'step')} that lower "
                "the error of its own image. Training and its validation are without: compare them with what "
                "is called before refinement here."
            )
    if shown.denoiser is not None:
        text.append(
            f"In training, images were corrupted by {shown.denoiser.corruption}, drawn anew for each batch "
            "and not clipped."
        )
    if shown.variational is not None:
        text.append(
            "The ELBO, with a sampled code, and the importance-weighted bound are bounds of the likelihood; "
            "the loss with the mean code decoded is none. A dimension of the code is in use where the "
            "variance of its mean over the test images is above 0.01."
        )
    if shown.classifier is not None:
        text.append(
            "The split is the encoder's, so no image is evaluated that the encoder or the classifier has "
            "learned from."
        )
        text += [SEEN_BY_ENCODER] if shown.classifier.seen_by_encoder else []
    return text


def _pictures(shown: Analysis, beside: Beside | None) -> tuple[Picture, ...]:
    """Those of each part that there is."""
    plain, denoiser, classifier = shown.autoencoder, shown.denoiser, shown.classifier
    found: list[Picture | None] = []
    if plain is not None:
        if denoiser is None:
            found.append(pictures.reconstructions(plain, beside))
        else:
            found.append(pictures.denoised(shown.context, denoiser, beside))
        found.append(pictures.code_sizes(shown.context))
        found.append(pictures.decodes(plain, beside))
        if shown.variational is None:
            found.append(pictures.code_plane(plain, beside))
        else:
            found.append(pictures.plane(shown.context, shown.variational, beside))
        found.append(pictures.walks(plain))
    if denoiser is not None:
        found.append(pictures.noise(denoiser))
    if classifier is not None:
        found += [
            pictures.confusion(classifier),
            pictures.mistakes(classifier),
            pictures.labels(classifier),
        ]
    return present(*found)


def _tables(shown: Analysis) -> tuple[Table, ...]:
    """Those of each part that there is."""
    found: list[Table | None] = [*tables.dimensions_tables(shown)]
    if shown.classifier is not None:
        found += [
            tables.pairs_table(shown.classifier),
            tables.mistakes_table(shown.classifier),
            tables.baselines_table(shown.classifier),
            tables.times_table(shown.classifier),
        ]
    return present(*found)


def data_section(context: RunContext, beside: Beside | None) -> Section:
    """Some of the images, and what they are."""
    data, split = context.run.data, context.run.split
    rows = (
        ("source", data.source),
        ("images", f"{data.images:,}"),
        ("size", f"{data.height}x{data.width}, {colour_of(data.channels)}"),
        ("classes", _listed(data.class_names)),
        ("split", split.note),
        (
            "exact copies of another image",
            f"{data.duplicate_images:,} in {counted(data.duplicate_groups, 'set')}",
        ),
        ("kept in one part of the split, as copies or groups", f"{split.kept_together:,}"),
        ("in several parts of the split, and should be in one", split.parted or "nothing"),
        ("unreadable files skipped", f"{len(data.cleaning.unreadable):,}"),
        ("content hash", data.content_hash[:16]),
    )
    compared = [(*row, (beside and beside.data(row[0])) or tables.NOTHING) for row in rows]
    return Section(
        title="The data",
        pictures=(pictures.samples(context, beside),),
        tables=(tables.compared("What the images are", compared, beside),),
    )


def _listed(names: tuple[str, ...]) -> str:
    """The first of the names, and how many there are where they are many."""
    if not names:
        return "no labels"
    return f"{len(names)}: {sentence(names, 12)}" if len(names) > 12 else " ".join(names)


def _trained(run: Run) -> str:
    fit = run.experiment.training.fit
    learned = "the training part" if fit == "train" else "the training and the validation part"
    return f"trained for {counted(len(run.metrics), 'epoch')} on {learned}"
