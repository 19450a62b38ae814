"""The analysis of a run -> its pictures, each with the number of the published figure, if there is one."""

from statistics import mean

import numpy as np

from ...analysis import (
    AutoencoderAnalysis,
    ClassifierAnalysis,
    DenoiserAnalysis,
    RunContext,
    VariationalAnalysis,
)
from ...core.wording import counted
from ...evaluation.metrics import BY_CODE_SIZE
from ...figures import (
    Caption,
    Samples,
    Steps,
    Term,
    code_map,
    code_size_caption,
    code_size_plot,
    codes_caption,
    confusion_caption,
    curves_caption,
    denoising_caption,
    draw_codes,
    draw_confusion,
    draw_curves,
    draw_grid,
    draw_rows,
    draw_samples,
    draw_series,
    grid_caption,
    image_grid,
    image_rows,
    labels_caption,
    labels_plot,
    loss_curves,
    mistakes_caption,
    noise_caption,
    noise_plot,
    plane_caption,
    png,
    rows_caption,
    sample_images,
    samples_caption,
    shown_images,
    walks_caption,
)
from ...runs.directory import Run
from ..beside import Beside, PublishedFigure
from ..page import Picture

PIXEL_ERROR = "mean squared error per pixel"
SHORT = 2  # characters of a class name of which two have room over an image


def samples(context: RunContext, beside: Beside | None) -> Picture:
    data = context.run.data
    sheet = sample_images(context.images, seed=context.seed)
    caption = samples_caption(sheet, source=data.source, total=data.images, seed=context.seed)
    image = png(draw_samples(sheet))
    alt = "a sheet of images, each with its label" if sheet.titles else "a sheet of images"
    return framed(caption, image, alt, figure=_figure(beside, context.run, "samples"))


def losses(run: Run, terms: tuple[Term, ...], beside: Beside | None) -> Picture:
    curves = loss_curves(run.metrics, terms)
    refined = run.experiment.encoder is None and bool(getattr(run.experiment.model, "refine", 0))
    caption = curves_caption(curves, model=f"the {run.experiment.task.title}", refined=refined)
    image = png(draw_curves(curves))
    return framed(caption, image, "what was measured, by epoch", figure=_figure(beside, run, "losses"))


def reconstructions(shown: AutoencoderAnalysis, beside: Beside | None) -> Picture:
    rows = image_rows(
        {"original": shown.originals, "reconstruction": shown.reconstructions},
        columns=len(shown.originals),
        errors=shown.errors,
        error_name=PIXEL_ERROR,
    )
    caption = rows_caption(rows, model=name_of(shown.context), split="the test part")
    figure = _figure(beside, shown.context.run, "reconstructions")
    return framed(
        caption, png(draw_rows(rows)), "originals, and under each its reconstruction", figure=figure
    )


def decodes(shown: AutoencoderAnalysis, beside: Beside | None) -> Picture:
    grid = image_grid(shown.decoded, columns=10, drawn_from=f"Codes drawn from {shown.drawn.distribution}.")
    caption = grid_caption(grid, model=name_of(shown.context))
    figure = _figure(beside, shown.context.run, "decodes")
    return framed(caption, png(draw_grid(grid)), "images decoded from random codes", figure=figure)


def code_plane(shown: AutoencoderAnalysis, beside: Beside | None) -> Picture:
    images, plane = shown.context.images, shown.plane
    assert plane is not None  # only a network with a prior has none
    codes = code_map(
        plane.points,
        explained=plane.explained,
        labels=None if images.labels is None else images.labels[shown.mapped],
        class_names=images.class_names,
        size=shown.code_size,
    )
    few = len(shown.mapped) < len(images)
    split = f"{counted(len(shown.mapped))} of all parts" if few else "all images"
    caption = codes_caption(codes, split=split, dimensions=shown.code_size)
    alt = "how many codes lie where" if codes.one_number else "a scatter of the codes"
    alt += ", by class" if codes.class_names else ""
    return framed(caption, png(draw_codes(codes)), alt, figure=_figure(beside, shown.context.run, "codes"))


def walks(shown: AutoencoderAnalysis) -> Picture:
    """Rows from one image to another, each with the images themselves at its ends."""
    ends, steps = shown.walks.ends, shown.walks.steps
    pairs = np.split(ends / np.float32(255), len(ends) // 2)
    between = np.split(steps, len(pairs))
    rows = {
        f"{number}": np.concatenate([pair[:1], codes, pair[1:]])
        for number, (pair, codes) in enumerate(zip(pairs, between, strict=True), start=1)
    }
    titles = ("from", *(f"{share:.0%}" for share in shown.walks.shares), "to")
    drawn = image_rows(rows, columns=len(titles), titles=titles)
    caption = walks_caption(drawn, model=name_of(shown.context))
    return framed(caption, png(draw_rows(drawn)), "rows of images, each changing into another")


def code_sizes(context: RunContext) -> Picture | None:
    """The error with the first numbers of the codes alone; None of codes that are not ordered, or of one."""
    sizes, errors = (context.result.metrics.get(name) for name in BY_CODE_SIZE)
    if not isinstance(sizes, list) or not isinstance(errors, list) or len(sizes) < 2:
        return None
    caption = code_size_caption(sizes, errors, images=context.result.images)
    image = png(draw_series(code_size_plot(sizes, errors)))
    rows = tuple((f"{size:.0f}", f"{error:.5f}") for size, error in zip(sizes, errors, strict=True))
    return framed(caption, image, "an error that falls with the numbers", (("numbers", "error"), *rows))


def denoised(context: RunContext, shown: DenoiserAnalysis, beside: Beside | None) -> Picture:
    rows = image_rows(
        {"noisy": shown.noisy, "denoised": shown.denoised, "original": shown.originals},
        columns=len(shown.noisy),
        errors=shown.errors,
        error_name=f"{PIXEL_ERROR}, denoised against original",
    )
    caption = denoising_caption(
        rows, corruption=shown.corruption, before=mean(shown.noisy_errors), after=mean(shown.errors)
    )
    figure = _figure(beside, context.run, "denoised")
    alt = "noisy images, the same denoised, and the originals"
    return framed(caption, png(draw_rows(rows)), alt, figure=figure)


def noise(shown: DenoiserAnalysis) -> Picture:
    caption = noise_caption(shown.noise, trained_at=shown.corruption)
    image = png(draw_series(noise_plot(shown.noise)))
    columns, rows = shown.noise.table()
    return framed(caption, image, "error curves that rise with the noise", (columns, *rows))


def plane(context: RunContext, shown: VariationalAnalysis, beside: Beside | None) -> Picture | None:
    """A grid over two dimensions of the code; None for codes of one dimension."""
    if shown.grid is None:
        return None
    plan = shown.grid.plan
    across, down = plan.dimensions
    grid = image_grid(
        shown.grid.decoded,
        columns=len(plan.across),
        drawn_from="",
        across=Steps(f"dimension {across}", plan.across),
        down=Steps(f"dimension {down}", plan.down),
    )
    kl = (shown.kl[across], shown.kl[down]) if shown.kl else None
    caption = plane_caption(grid, words=plan.words, kl=kl)
    figure = _figure(beside, context.run, "plane")
    return framed(
        caption, png(draw_grid(grid)), "a grid of images that change into each other", figure=figure
    )


def confusion(shown: ClassifierAnalysis) -> Picture:
    caption = confusion_caption(shown.confusion)
    names = shown.confusion.class_names
    counts = shown.confusion.counts.tolist()
    table = tuple((name, *map(str, row)) for name, row in zip(names, counts, strict=True))
    image = png(draw_confusion(shown.confusion))
    return framed(caption, image, "a matrix, dark on its diagonal", (("label", *names), *table))


def mistakes(shown: ClassifierAnalysis) -> Picture | None:
    """None where there is no mistake. Over each: its class and the answer, or a number."""
    found, names = shown.mistakes, shown.confusion.class_names
    if not len(found.places):
        return None
    short = max(map(len, names)) <= SHORT
    titles = tuple(
        f"{one.labelled} → {one.taken_for} {one.probability:.0%}" if short else f"{number}"
        for number, one in enumerate(found.named(names), start=1)
    )
    sheet = Samples(shown_images(shown.mistaken), titles, columns=6)
    caption = mistakes_caption(found, numbered=not short)
    return framed(caption, png(draw_samples(sheet)), "images that are hard to tell apart")


def labels(shown: ClassifierAnalysis) -> Picture:
    record = shown.baselines
    names = tuple(record.fewer[0].accuracies)
    rows = tuple(
        (str(one.labels), str(draw + 1), *(f"{one.accuracies[name][draw]:.4f}" for name in names))
        for one in record.fewer
        for draw in range(len(one.accuracies[names[0]]))
    )
    image = png(draw_series(labels_plot(record)))
    table = (("labels", "draw", *names), *rows)
    return framed(labels_caption(record), image, "accuracies that rise with the labels", table)


def name_of(context: RunContext) -> str:
    return f"the {context.run.experiment.task.title}"


def framed(
    caption: Caption,
    image: bytes,
    alt: str,
    numbers: tuple[tuple[str, ...], ...] = (),
    figure: PublishedFigure | None = None,
) -> Picture:
    """The picture with its caption.

    Args:
        figure: the published figure of the same, whose number and remark the picture then has.
    """
    if figure is None:
        return Picture(None, caption.title, caption.text, image, alt, numbers)
    text = f"{caption.text} {figure.remark}".strip()
    return Picture(figure.number, caption.title, text, image, alt, numbers)


def _figure(beside: Beside | None, run: Run, shown: str) -> PublishedFigure | None:
    return None if beside is None else beside.figure(run.experiment.kind, shown)
