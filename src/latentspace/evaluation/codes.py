"""What codes look like, and what a linear method of the same size would have kept."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..data.batches import to_images
from ..types import CodeArray, Pixels
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


def pca_error(learned_from: Pixels, judged: Pixels, components: int) -> float:
    """The mean squared error a pixel of PCA with `components` numbers an image: the linear yardstick.

    Args:
        learned_from: images that PCA is fitted to.
        judged: images that the error is measured on.
    """
    import torch

    train = to_images(torch.from_numpy(learned_from)).flatten(1).numpy()
    test = to_images(torch.from_numpy(judged)).flatten(1).numpy()
    pca = fit_pca(train, components)
    return float(np.mean((pca.inverse_transform(pca.transform(test)) - test) ** 2, dtype=np.float64))
