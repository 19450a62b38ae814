"""The one page of all studies: every figure of the report under its number, every table, ours beside."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis import Analysis, AutoencoderAnalysis, CodeSizeResult, RunContext
from ...core.wording import counted
from ...evaluation.metrics import METRICS
from ...figures import Caption, draw_rows, image_rows, png
from ...report.page import Page, Picture, Section, Table
from ...report.run.page import footer
from ...report.run.pictures import framed
from ...report.run.tables import NOTHING
from ...runs.directory import Run
from .differences import differences_section
from .published import REPORT, RESULTS, least_softmax_loss

BESIDE = 10  # random decodes of each network, side by side


@dataclass(frozen=True)
class Studies:
    """What is shown of all runs of a reproduction.

    Args:
        description: the recipe's.
        reported: the classifier again, trained through the Softmax as the report did.
        growth: plain autoencoders that differ from `ae` in the size of their code alone.
        data: the section on the images.
        sections: of the four kinds, in the report's order.
        searches: sections on how the parameters were searched for.
    """

    description: str
    ae: Analysis
    dae: Analysis
    classifier: Analysis
    vae: Analysis
    reported: RunContext
    growth: tuple[CodeSizeResult, ...]
    data: Section
    sections: tuple[Section, ...]
    searches: tuple[Section, ...] = ()


def whole_page(studies: Studies) -> Page:
    """Results first, then the studies, then what compares them."""
    run = studies.ae.context.run
    return Page(
        title=_title(run),
        lead=_lead(studies),
        notices=REPORT.notices(run),
        sections=(
            Section(
                "Results beside the report's",
                text=(
                    "Every number was measured in float32 on test images that no training and no choice has "
                    "seen.",
                ),
                tables=(results_table(studies),),
            ),
            studies.data,
            *studies.sections,
            decodes_section(studies),
            *studies.searches,
            differences_section(run),
        ),
        footer=footer(run),
    )


def _title(run: Run) -> str:
    letters = run.data.class_names == tuple("ABCDEFGHIJ")
    return f"Unsupervised models on {'letters A to J' if letters else run.data.source}"


def _lead(studies: Studies) -> str:
    ae, dae, vae, classifier = (
        one.context.result.metrics for one in (studies.ae, studies.dae, studies.vae, studies.classifier)
    )
    what = studies.description or "a reproduction of four studies"
    return (
        f"{what[0].upper()}{what[1:]}. Trained on {studies.ae.context.run.data.source}. On "
        f"{counted(studies.ae.context.result.images, 'test image')}: autoencoder {ae['mse']:.4f} and "
        f"denoising autoencoder {dae['mse']:.4f} mean squared error per pixel, variational autoencoder "
        f"{vae['mean_code_loss']:.1f} nats per image, classifier of codes {classifier['accuracy']:.1%} right."
    )


def results_table(studies: Studies) -> Table:
    """Ours beside what the report published, and whether the two may be compared."""
    ae, dae, vae, classifier = (
        one.context for one in (studies.ae, studies.dae, studies.vae, studies.classifier)
    )
    reported, other_loss = studies.reported, ("trained on another loss",)
    accuracy, through = RESULTS["classifier", "accuracy"], RESULTS["classifier", "report_cross_entropy"]
    least = least_softmax_loss(len(classifier.run.data.class_names))
    rows = (
        _row("autoencoder, mean squared error", ae, "mse", RESULTS["ae", "mse"]),
        _row("denoising autoencoder, the same from clean images", dae, "mse", RESULTS["dae", "mse"]),
        _row("the same from noisy images", dae, "mse_from_noisy"),
        _row("classifier, accuracy", classifier, "accuracy", accuracy, other_loss),
        _row("trained on the report's loss, accuracy", reported, "accuracy", accuracy),
        _row(f"the same, that loss (at least {least:.4f})", reported, "report_cross_entropy", through),
        _row(
            "variational autoencoder, loss of the mean code",
            vae,
            "mean_code_loss",
            RESULTS["vae", "mean_code_loss"],
        ),
        _row("the same, negative ELBO", vae, "elbo_loss"),
    )
    reasons: dict[str, list[str]] = {}
    for label, _, published, answer in rows:
        if published != NOTHING:
            reasons.setdefault(answer, []).append(label)
    compared = " ".join(
        f"{answer[0].upper()}{answer[1:]} ({'; '.join(of)})." for answer, of in reasons.items()
    )
    note = (
        "Mean squared errors are per pixel, with pixels in [0, 1]; losses are nats per image. A classifier's "
        "codes are the autoencoder's, so what limits that also limits it. May the numbers be compared? "
        f"{compared}"
    )
    columns = ("measure", "here", REPORT.name, "compare")
    short = tuple((*row[:3], row[3].partition(":")[0]) for row in rows)
    return Table("Ours and the report's", columns, short, note)


def _row(
    label: str, context: RunContext, metric: str, published: str = "", but: tuple[str, ...] = ()
) -> tuple[str, str, str, str]:
    value = context.result.metrics[metric]
    here = f"{value:.{METRICS[metric].digits}f}"
    compared = REPORT.verdict(context.run, *but) if published else NOTHING
    return label, here, published or NOTHING, compared


def decodes_section(studies: Studies) -> Section:
    """Figures 4, 8 and 12 together, and the same as the code grows."""
    text = (
        "The report finds random decodes of a plain autoencoder blurry, worse with larger codes, and those "
        "of a variational one much better. Here they stand side by side, with a number for how far they lie "
        "from letters.",
    )
    rows = {f"{counted(one.code_size, 'number')}": one.decoded[:BESIDE] for one in studies.growth}
    growth = image_rows(rows, columns=BESIDE)
    image = png(draw_rows(growth))
    return Section(
        title="Random decodes compared",
        text=text,
        pictures=(
            _beside(
                {
                    "4: plain": _autoencoder(studies.ae),
                    "8: denoising": _autoencoder(studies.dae),
                    "12: variational": _autoencoder(studies.vae),
                }
            ),
            framed(
                growth_caption(growth.columns), image, "rows of decoded images, a row for each size of code"
            ),
        ),
        tables=(growth_table(studies.growth),),
    )


def _autoencoder(shown: Analysis) -> AutoencoderAnalysis:
    if shown.autoencoder is None:
        raise TypeError(f"{shown.context.run.path} decodes nothing")
    return shown.autoencoder


def _beside(networks: dict[str, AutoencoderAnalysis]) -> Picture:
    first = next(iter(networks.values()))
    rows = {name: shown.decoded[:BESIDE] for name, shown in networks.items()}
    rows["test images"] = (first.originals[:BESIDE] / np.float32(255)).astype(np.float32)
    columns = min(len(images) for images in rows.values())
    drawn = image_rows({name: images[:columns] for name, images in rows.items()}, columns=columns)
    distances = {name.partition(": ")[2]: float(shown.likeness.decoded) for name, shown in networks.items()}
    caption = beside_caption(columns, distances, float(first.likeness.training))
    return framed(caption, png(draw_rows(drawn)), "rows of decoded images, and one of test images")


def beside_caption(columns: int, distances: Mapping[str, float], training: float) -> Caption:
    """Figures 4, 8 and 12 together. `distances`: Frechet distances to the test images, by network."""
    numbers = ", ".join(f"{name} {distance:.1f}" for name, distance in distances.items())
    text = (
        f"The first {counted(columns, 'random decode')} of figures 4, 8 and 12, none left out, and test "
        "images. Frechet distance to the test images (in the first principal components of their pixels; "
        f"lower is more alike): {numbers}; training images {training:.1f}."
    )
    return Caption("Random decodes of the three autoencoders side by side", text)


def growth_caption(columns: int) -> Caption:
    text = (
        f"{counted(columns, 'random decode')} of plain autoencoders that differ in the size of their code "
        "alone, none left out. The report says that they get worse as the code grows; the table gives the "
        "numbers."
    )
    return Caption("Random decodes as the code grows", text)


def growth_table(grown: tuple[CodeSizeResult, ...]) -> Table:
    rows = tuple(
        (
            f"{counted(one.code_size, 'number')}",
            f"{one.mse:.4f}",
            f"{one.likeness.decoded:.1f}",
            str(one.epochs),
        )
        for one in grown
    )
    note = (
        "Test error: mean squared error per pixel. Distance: Frechet distance between "
        f"{grown[0].likeness.count:,} random decodes and the test images, in the first "
        f"{grown[0].likeness.components} principal components of the pixels; training images are at "
        f"{grown[0].likeness.training:.1f}."
    )
    columns = ("code", "test error", "distance of random decodes", "epochs")
    return Table("As the code grows", columns, rows, note)
