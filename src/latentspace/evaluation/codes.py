"""What codes look like, and what a linear method of the same size would have kept."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..core.types import CodeArray, ImageArray, Int64Array, Pixels
from .pca import fit_pca

FITTED_TO = 10_000  # images that PCA is fitted to, at most


@dataclass(frozen=True)
class Plane:
    """Codes seen along their two directions of largest variance.

    `explained` is the share of the codes' variance along each of the two.
    """

    points: Float[np.ndarray, "images 2"]
    explained: tuple[float, float]


def principal_plane(codes: CodeArray) -> Plane:
    """Project codes on their first two principal components.

    Codes of one dimension get a second coordinate of zero.
    """
    if codes.shape[1] == 1:
        centred = codes - codes.mean()
        return Plane(np.concatenate([centred, np.zeros_like(centred)], axis=1), (1.0, 0.0))
    pca = fit_pca(codes, 2)
    points = pca.transform(codes)
    first, second = pca.explained_variance_ratio_
    return Plane(points.astype(np.float32), (float(first), float(second)))


def pca_error(pixels: Pixels, fitted: Int64Array, judged: Int64Array, components: int) -> float:
    """The mean squared error per pixel of PCA with `components` numbers an image: the linear baseline.

    Args:
        fitted: the indices of the images that PCA is fitted to.
        judged: of those that the error is measured on.
    """
    from ..data.batches import float_blocks

    pca = fit_pca(_flat(pixels[fitted] / np.float32(255)), components)
    error = np.float64(0)
    for images in map(_flat, float_blocks(pixels, judged, "images given back by PCA")):
        error += np.sum((pca.inverse_transform(pca.transform(images)) - images) ** 2, dtype=np.float64)
    return float(error / (len(judged) * pixels[0].size))


def _flat(images: ImageArray) -> Float[np.ndarray, "_images values"]:
    return images.reshape(len(images), -1)
