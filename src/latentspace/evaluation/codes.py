"""What a linear method of the same size as the codes would have kept."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from ..core.types import ImageArray, Int64Array, Pixels
from ..inference.pca import fit_pca

FITTED_TO = 10_000  # images that PCA is fitted to, at most


class LinearErrors(NamedTuple):
    """Mean squared errors per pixel: of images as PCA gives them back, and of one mean image for all."""

    pca: float
    mean_image: float


def linear_errors(pixels: Pixels, fitted: Int64Array, evaluated: Int64Array, components: int) -> LinearErrors:
    """The errors of PCA with `components` numbers an image, the linear baseline, and of its mean image.

    Args:
        fitted: the indices of the images that PCA is fitted to.
        evaluated: of those that the errors are measured on.
    """
    from ..data.batches import float_blocks

    pca = fit_pca(flat(pixels[fitted]), components)
    errors = np.zeros(2)
    for images in map(flat, float_blocks(pixels, evaluated, "images given back by PCA")):
        for number, made in enumerate((pca.inverse_transform(pca.transform(images)), pca.mean_)):
            errors[number] += np.sum((made - images) ** 2, dtype=np.float64)
    return LinearErrors(*(errors / (len(evaluated) * pixels[0].size)).tolist())


def flat(images: Pixels | ImageArray) -> Float32[np.ndarray, "_images values"]:
    """Images, bytes or in [0, 1], as rows of numbers in [0, 1]."""
    rows = images.reshape(len(images), -1)
    return rows / np.float32(255) if rows.dtype == np.uint8 else rows.astype(np.float32, copy=False)
