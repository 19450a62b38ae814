"""What a linear method of the same size as the codes would have kept."""

import numpy as np
from jaxtyping import Float32

from ..core.types import ImageArray, Int64Array, Pixels
from ..inference.pca import fit_pca

FITTED_TO = 10_000  # images that PCA is fitted to, at most


def pca_error(pixels: Pixels, fitted: Int64Array, evaluated: Int64Array, components: int) -> float:
    """The mean squared error per pixel of PCA with `components` numbers an image: the linear baseline.

    Args:
        fitted: the indices of the images that PCA is fitted to.
        evaluated: of those that the error is measured on.
    """
    from ..data.batches import float_blocks

    pca = fit_pca(flat(pixels[fitted]), components)
    error = np.float64(0)
    for images in map(flat, float_blocks(pixels, evaluated, "images given back by PCA")):
        error += np.sum((pca.inverse_transform(pca.transform(images)) - images) ** 2, dtype=np.float64)
    return float(error / (len(evaluated) * pixels[0].size))


def flat(images: Pixels | ImageArray) -> Float32[np.ndarray, "_images values"]:
    """Images, bytes or in [0, 1], as rows of numbers in [0, 1]."""
    rows = images.reshape(len(images), -1)
    return rows / np.float32(255) if rows.dtype == np.uint8 else rows.astype(np.float32, copy=False)
