"""What stands under each figure: its number in the report, what it shows, and how ours differs."""

from dataclasses import dataclass

from .codes import CodeMap
from .curves import LossCurves
from .grid import ImageGrid
from .rows import ImageRows
from .samples import Samples


@dataclass(frozen=True)
class Caption:
    """Args:
    number: the figure's number in the report.
    title: what it shows, a few words.
    text: what exactly, and how it differs from the report's.
    """

    number: str
    title: str
    text: str


def samples_caption(samples: Samples, *, source: str, total: int, seed: int) -> Caption:
    """Figure 1."""
    choice = "the classes in turn" if samples.titles else "without labels"
    text = f"{len(samples.images)} of {total:,} images of {source}, chosen at random (seed {seed}), {choice}."
    return Caption("1", "Samples of the data", text)


def curves_caption(curves: LossCurves, *, number: str, model: str) -> Caption:
    """Figures 2, 6, 9 and 10; `model` with its article: "the autoencoder"."""
    if curves.validated:
        text = (
            "The report drew its test set into this plot. Here the second curve is the validation split, and "
            "the test split was not looked at during training. A training value is the mean over an epoch in "
            "which the weights were still changing; a validation value is taken after the epoch."
        )
    else:
        text = (
            "The report drew its test set into this plot as a second curve. Here the model was fitted to the "
            "training and the validation split together, so there is no second curve; the test split was not "
            "looked at during training."
        )
    return Caption(number, f"The training of {model}", text)


def rows_caption(rows: ImageRows, *, number: str, model: str, split: str) -> Caption:
    """Figures 3, 7 and 11; `split` says whose images these are: "the test split"."""
    text = f"{rows.columns} images of {split}, chosen at random and not for their looks."
    if rows.errors:
        text += f" Under each column: {rows.error_name}."
    return Caption(number, f"Images and what {model} makes of them", text)


def grid_caption(grid: ImageGrid, *, number: str, model: str) -> Caption:
    """Figures 4, 8, 12 and 13."""
    text = f"{len(grid.images)} decoded codes; none was left out. {grid.drawn_from}"
    if grid.across is None:
        text += " The report does not say what distribution it drew from."
    return Caption(number, f"Images decoded by {model}", text)


def codes_caption(codes: CodeMap, *, split: str, dimensions: int) -> Caption:
    """Figure 5."""
    text = f"The codes of {split}, {dimensions} numbers each"
    if codes.explained is None:
        text += ", drawn as they are."
    else:
        text += (
            f", on their first two principal components, which hold {sum(codes.explained):.1%} of the"
            " variance (the report does not state its share)."
        )
    if codes.class_names:
        text += " A class has a colour and a marker; its name stands at the median of its codes."
    if len(codes.points) < codes.codes:
        text += f" {len(codes.points):,} of {codes.codes:,} points are drawn."
    return Caption("5", "The codes in two dimensions", text)
