"""The caption of each figure: what it shows, and how it was made."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.wording import counted
from ..evaluation.baselines import BaselineRecord
from ..evaluation.code_sizes import numbers_enough
from ..evaluation.confusion import Confusion, Mistakes
from ..evaluation.denoising import DenoisingRecord
from .codes import CodeMap
from .curves import LossCurves
from .grid import ImageGrid
from .rows import ImageRows
from .samples import Samples


@dataclass(frozen=True)
class Caption:
    """A figure's title and text.

    Args:
        title: what it shows, a few words.
        text: what exactly.
    """

    title: str
    text: str


def samples_caption(samples: Samples, *, source: str, total: int, seed: int) -> Caption:
    choice = ", the classes in turn" if samples.titles else ""
    text = f"{len(samples.images)} of {counted(total)} of {source}, chosen at random (seed {seed}){choice}."
    return Caption("Samples of the data", text)


def curves_caption(curves: LossCurves, *, model: str, refined: bool = False) -> Caption:
    """`model` with its article: "the autoencoder"; `refined`: whether its codes are, but not in training."""
    if curves.validated:
        text = (
            "The second curve is of the validation part; the test part was not used during training. "
            "A training value is the mean over an epoch in which the weights were still changing; a "
            "validation value is taken after the epoch."
        )
        if refined:
            text += (
                " Both are without refinement of the codes: compare them with test values that are before "
                "refinement too."
            )
    else:
        text = (
            "The model was fitted to the training and the validation part together, so there is no second "
            "curve; the test part was not used during training."
        )
    return Caption(f"The training of {model}", text)


def rows_caption(rows: ImageRows, *, model: str, split: str) -> Caption:
    """`split` says whose images these are: "the test part"."""
    text = f"{counted(rows.columns)} of {split}, chosen at random."
    if rows.errors:
        text += f" Under each column: {rows.error_name}."
    return Caption(f"Images and what {model} makes of them", text)


def grid_caption(grid: ImageGrid, *, model: str) -> Caption:
    text = f"{counted(len(grid.images), 'decoded code')}; none was left out. {grid.drawn_from}"
    return Caption(f"Images decoded by {model}", text)


def codes_caption(codes: CodeMap, *, split: str, dimensions: int) -> Caption:
    text = f"The codes of {split}, {counted(dimensions, 'number')} each"
    if codes.one_number:
        text += ": how many lie where."
        if codes.class_names:
            text += " A row is a class, scaled to its own highest bar; the line is the median of its codes."
        return Caption("The codes", text)
    if codes.explained is None:
        text += ", drawn as they are."
    else:
        text += (
            f", on their first two principal components, which hold {sum(codes.explained):.1%} of the"
            " variance."
        )
    if codes.class_names:
        text += " A class has a colour and a marker; its name stands at the median of its codes."
    if len(codes.points) < codes.codes:
        text += f" {len(codes.points):,} of {codes.codes:,} points are drawn."
    return Caption("The codes in two dimensions", text)


def denoising_caption(rows: ImageRows, *, corruption: str, before: float, after: float) -> Caption:
    """`before` and `after` are the mean errors of the shown images, per pixel."""
    text = (
        f"{counted(rows.columns)} of the test part, chosen at random, with {corruption}, which the network "
        "never saw; the noisy images are cut to [0, 1] to be drawn, not to be denoised. Mean squared error "
        f"per pixel of these images against the clean ones: {before:.4f} before, {after:.4f} after. Under "
        f"each column: {rows.error_name}."
    )
    return Caption("Noisy images and what the denoising autoencoder makes of them", text)


def plane_caption(grid: ImageGrid, *, words: str, kl: tuple[float, float] | None) -> Caption:
    """The caption of a grid over two dimensions.

    Args:
        words: what varies, and where the other dimensions are.
        kl: the divergence of the two dimensions, in nats; None where a single dimension has none.
    """
    share, most = 0.5 / grid.columns, ""
    if kl is not None:
        most = (
            "These two dimensions, counted from 0, are the ones that the posterior uses most (a mean "
            f"divergence of {kl[0]:.2f} and {kl[1]:.2f} nats over the test images). "
        )
    text = (
        f"{counted(len(grid.images), 'decoded code')}: {words}. {most}Their values stand at the sides: the "
        f"quantiles {share:g} to {1 - share:g} in equal steps."
    )
    return Caption("A grid over two dimensions of the code", text)


def noise_caption(record: DenoisingRecord, *, trained_at: str) -> Caption:
    where: dict[str, list[str]] = {}
    for level, name in zip(record.levels, record.filters, strict=True):
        where.setdefault(name, []).append(f"{level:g}")
    filters = "; ".join(f"{name} at {', '.join(levels)}" for name, levels in where.items())
    text = (
        f"{counted(record.images, 'test image')} with Gaussian noise, the same for each method. The denoiser "
        f"was trained with {trained_at}, and is one network at all levels. The filters are those of SciPy "
        "(Gaussian, median and Wiener, which is told the noise's strength), the best of them and of doing "
        f"nothing chosen at each level on {counted(record.chosen_on, 'validation image')}: {filters}. "
        "Stronger classical methods exist, such as total variation and non-local means; they are not among "
        "these. A plain PCA of the same size shows what a narrow code alone takes away."
    )
    return Caption("Error against noise", text)


def code_size_caption(sizes: Sequence[int | float], errors: Sequence[float], *, images: int) -> Caption:
    enough = numbers_enough(sizes, errors)
    text = (
        f"{counted(images, 'test image')}, each decoded from the first numbers of its code, with zeros for "
        f"the others. {counted(enough, 'number')} of {round(sizes[-1])} "
        f"{'comes' if enough == 1 else 'come'} within a tenth of the error of all."
    )
    return Caption("Error against code size", text)


def labels_caption(record: BaselineRecord) -> Caption:
    draws = len(record.fewer[0].accuracies[next(iter(record.fewer[0].accuracies))])
    text = (
        f"The same four-layer network with the same settings on each input: {counted(record.steps, 'step')} "
        f"with all labels, about {record.fewer_steps:,} with fewer. Fewer labels are drawn "
        f"{counted(draws, 'time')}, the classes in turn: the line is the mean, the band goes from the lowest "
        "to the highest. The encoder has seen all training images, without labels."
    )
    return Caption("Accuracy against the number of labels", text)


def confusion_caption(confusion: Confusion) -> Caption:
    text = (
        f"The whole test part, {counted(int(confusion.counts.sum()))}; a row holds the images of one label, "
        "a column those of one prediction. Darker is a larger share of the row, on a scale that keeps "
        "small shares visible."
    )
    return Caption("The confusion matrix", text)


def mistakes_caption(mistakes: Mistakes, *, numbered: bool = False) -> Caption:
    """`numbered`: what is over each image is its number in a table."""
    over = "number in the table" if numbered else "label, the prediction, and its probability"
    text = (
        f"The {len(mistakes.places)} of {mistakes.of:,} wrong answers on the test images that the classifier "
        f"is surest of, the surest first. Over each: its {over}. Some of the labels may be what is wrong."
    )
    return Caption("The surest mistakes", text)


def walks_caption(rows: ImageRows, *, model: str) -> Caption:
    text = (
        "Each row goes from one test image to another, chosen at random, of another class where there are "
        f"classes: first and last the images themselves, between them {counted(rows.columns - 2, 'code')} in "
        f"equal steps on the straight line between their codes, decoded by {model}."
    )
    return Caption("From one image to another", text)
