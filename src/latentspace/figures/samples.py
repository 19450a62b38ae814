"""Samples: images of the data set, each under the name of its class."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..core.randomness import numpy_generator
from ..data.imageset import ImageSet
from ..data.sampling import balanced_sample
from .mosaic import Shown, Words, check_positive, draw_mosaic, shown


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
    draw = numpy_generator(seed, "figure")
    chosen = images.subset(balanced_sample(np.arange(len(images)), rows * columns, images.labels, draw))
    titles = () if chosen.labels is None else tuple(chosen.class_names[label] for label in chosen.labels)
    return Samples(shown(chosen.pixels), titles, columns)


def draw_samples(samples: Samples) -> Figure:
    return draw_mosaic(samples.images, columns=samples.columns, words=Words(above=samples.titles))
