"""Figure 1: images of the data set, each under the name of its class."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..data.imageset import ImageSet
from ..randomness import numpy_generator
from ..types import Whole
from .mosaic import Shown, Words, check_positive, draw_mosaic, shown


def choose(images: ImageSet, count: int, *, seed: int) -> Whole:
    """Indices of `count` images at random, or of all where there are fewer.

    Where there are labels, the classes take turns in their order until each has no image left, so with ten
    classes every ten images show each class once.
    """
    order = numpy_generator(seed, "figure").permutation(len(images)).astype(np.int64)
    if images.labels is None:
        return order[:count]
    by_class = order[np.argsort(images.labels[order], kind="stable")]
    labels = images.labels[by_class]
    turn = np.arange(len(labels)) - np.searchsorted(labels, labels)
    return by_class[np.lexsort((labels, turn))][:count]


@dataclass(frozen=True, eq=False)
class Samples:
    """Images row by row, and the class name of each (none where there are no labels)."""

    images: Shown
    titles: tuple[str, ...]
    columns: int


def sample_images(images: ImageSet, *, seed: int, rows: int = 5, columns: int = 10) -> Samples:
    """A balanced choice of rows x columns images.

    Raises:
        ConfigurationError: no row, or no column.
    """
    check_positive("row", rows)
    check_positive("column", columns)
    chosen = images.subset(choose(images, rows * columns, seed=seed))
    titles = () if chosen.labels is None else tuple(chosen.class_names[label] for label in chosen.labels)
    return Samples(shown(chosen.pixels), titles, columns)


def draw_samples(samples: Samples) -> Figure:
    return draw_mosaic(samples.images, columns=samples.columns, words=Words(above=samples.titles))
