"""How far images that were decoded from random codes lie from real ones."""

from collections.abc import Iterable
from itertools import chain
from typing import ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from ..core.types import ImageArray
from ..inference.pca import fit_pca
from .cache import Measurement

COMPONENTS = 50

Rows: TypeAlias = Float[np.ndarray, "_images dimensions"]


class FrechetRecord(Measurement):
    """Frechet distances to the test images: of `count` decoded random codes, and of as many training images.

    Args:
        mixture: of as many codes drawn from a mixture of Gaussians fitted to codes of training images; None:
            the network has a prior.
        components: principal components of the pixels in which the images are compared.
    """

    VERSION: ClassVar[int] = 4

    decoded: float
    training: float
    count: int
    test_images: int
    components: int
    mixture: float | None = None


def frechet_record(
    decoded: ImageArray,
    training: ImageArray,
    test: ImageArray,
    components: int = COMPONENTS,
    more: Iterable[ImageArray] = (),
    mixture: ImageArray | None = None,
) -> FrechetRecord:
    """How far `decoded` lies from the test images, and for comparison how far the training images do.

    As many decoded as training images: the distance of fewer images comes out larger.

    Args:
        test, more: as `real` and `more` of a `Likeness`.
        mixture: as many decoded from codes of a mixture.

    Raises:
        ValueError: other numbers of decoded and of training images.
    """
    if len(decoded) != len(training):
        raise ValueError(f"{len(decoded)} decoded images cannot be compared with {len(training)}")
    real = Likeness(test, components, more)
    return FrechetRecord(
        decoded=real.distance(decoded),
        mixture=None if mixture is None else real.distance(mixture),
        training=real.distance(training),
        count=len(decoded),
        test_images=len(real.real),
        components=int(real.pca.n_components_),
    )


def frechet_distance(first: Rows, second: Rows) -> float:
    """|m1 - m2|^2 + trace(S1 + S2 - 2 (S1 S2)^(1/2)): between Gaussians with the rows' means and covariances.

    https://doi.org/10.1016/0047-259X(82)90077-X; in the rows' own unit, squared.
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, other = (np.atleast_2d(np.cov(rows.astype(np.float64), rowvar=False)) for rows in (first, second))
    root = _root(one)
    cross = np.linalg.eigvalsh(root @ other @ root)
    traces = np.trace(one) + np.trace(other) - 2 * np.sqrt(np.clip(cross, 0, None)).sum()
    return float(max(0.0, np.square(means, dtype=np.float64).sum() + traces))


class Likeness:
    """Frechet distance to real images, in their first principal components.

    Pixels in [0, 1], so the distance is a squared difference summed over pixels. Blurry images lack the
    variance of the later components, images of the wrong shapes that of the first.

    Args:
        real: the real images, or as many of them as PCA is fitted to.
        more: the rest of them, some at a time.
    """

    def __init__(
        self, real: ImageArray, components: int = COMPONENTS, more: Iterable[ImageArray] = ()
    ) -> None:
        self.pca = fit_pca(real.reshape(len(real), -1), components)
        self.real = np.concatenate([self._projected(images) for images in chain([real], more)])

    def distance(self, images: ImageArray) -> float:
        return frechet_distance(self._projected(images), self.real)

    def _projected(self, images: ImageArray) -> Rows:
        return np.asarray(self.pca.transform(images.reshape(len(images), -1)))


def _root(matrix: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)
