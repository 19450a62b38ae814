"""Maps of codes: a place in the plane for every image and for new images, and the code at any place.

PCA is linear, so that it is exact both ways. t-SNE, UMAP and PaCMAP find places for the codes that they are
given and no more. There a new image stands at the mean place of the `NEAREST` images with the nearest codes,
and the code at a place is the mean code of the `NEAREST` images around it, both weighted by 1 / distance.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from jaxtyping import Float

from ..core.errors import ConfigurationError, DataError
from ..core.extras import require_extra
from ..core.randomness import derive, numpy_generator
from ..core.types import CodeArray
from ..core.wording import brief, counted, option
from ..data.given import Given, as_codes
from .pca import fit_pca

if TYPE_CHECKING:
    from sklearn.neighbors import KNeighborsRegressor

Points: TypeAlias = Float[np.ndarray, "_images 2"]

logger = logging.getLogger(__name__)

NEAREST: Final = 5  # images that a place, or the code at a place, is the mean of
FEWEST: Final = 8  # images of a map that is not linear
MOST: Final = 10_000  # images that such a map is computed from; the others are placed on it
FIRST: Final = 2_000  # images that t-SNE places first, where there are more
NAMES: Final[Mapping[str, str]] = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "pacmap": "PaCMAP"}


@dataclass(frozen=True, eq=False)
class Linear:
    """A plane through a code space: `mean`, a code, and `axes`, two directions of length 1.

    `explained` is the share of the codes' variance along each axis. A code of one number has one axis, which
    is that number itself; the other is 0.
    """

    mean: Float[np.ndarray, " code"]
    axes: Float[np.ndarray, "2 code"]
    explained: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Projection:
    """Codes in two dimensions.

    Args:
        method: of `NAMES`.
        codes: of the images that are on the map.
        points: the place of each, x and y.
        linear: the plane, where the method is PCA.
    """

    method: str
    codes: CodeArray
    points: Points
    linear: Linear | None = None

    @property
    def explained(self) -> tuple[float, float] | None:
        """The share of the codes' variance along x and along y; None where the map is not linear."""
        return None if self.linear is None else self.linear.explained

    def place(self, codes: Given) -> Points:
        """The places of other codes, images x 2, float32: by PCA exact, else a mean of the nearest codes'.

        Raises:
            DataError: codes of another size than the map's, or numbers that no code has.
        """
        given, codes, size = codes, as_codes(codes), self.codes.shape[1]
        if codes.ndim != 2 or codes.shape[1] != size:
            raise DataError(
                f"codes must be as long as those of the map, an array of images x {size}",
                found=brief(given),
                do="encode the images with the run that the map was made of",
            )
        if self.linear is not None:
            return np.asarray((codes - self.linear.mean) @ self.linear.axes.T, dtype=np.float32)
        return np.asarray(self._of_codes.predict(codes), dtype=np.float32)

    def codes_at(self, points: Given) -> CodeArray:
        """The code at each place, points x code, float32: by PCA exact, else a mean of those around it.

        Raises:
            DataError: these are no places, points x 2.
        """
        given, points = points, as_codes(points, "places")
        if points.ndim != 2 or points.shape[1] != 2:
            raise DataError(
                "places must be an array of points x 2: x and y of each",
                found=brief(given),
                do="give rows of the map's `points`, or places between them",
            )
        if self.linear is not None:
            return np.asarray(self.linear.mean + points @ self.linear.axes, dtype=np.float32)
        return np.asarray(self._of_points.predict(points), dtype=np.float32)

    @cached_property
    def _of_codes(self) -> "KNeighborsRegressor":
        return _nearest(self.codes, self.points)

    @cached_property
    def _of_points(self) -> "KNeighborsRegressor":
        return _nearest(self.points, self.codes)


def project(codes: CodeArray, method: str = "pca", seed: int = 0) -> Projection:
    """A map of `codes`, images x code: the same for the same codes, method and seed.

    t-SNE, UMAP and PaCMAP are computed from `MOST` of the codes at most, drawn at random; the others are
    placed on the map that these make.

    Args:
        method: pca, tsne, umap or pacmap; the last two are extras of the package.

    Raises:
        ConfigurationError: another method, or one whose library is not installed.
        DataError: no codes, codes that are not finite, or fewer than `FEWEST` for a map that is not linear.
    """
    refuse_method(method)
    if not len(codes) or not np.isfinite(codes).all():
        raise DataError(
            "a map needs at least one code, all of them finite",
            found=f"{counted(len(codes), 'code')}, "
            f"{int((~np.isfinite(codes)).any(axis=1).sum())} of them not finite",
            do="look at the training's loss: the network may have diverged",
        )
    if method == "pca":
        linear = principal_plane(codes)
        return Projection(
            method,
            codes,
            np.asarray((codes - linear.mean) @ linear.axes.T, dtype=np.float32),
            linear,
        )
    if len(codes) < FEWEST:
        raise DataError(
            f"a map by {NAMES[method]} needs at least {FEWEST} images",
            found=counted(len(codes)),
            do=f"give more images, or take {option('method', 'pca')}",
        )
    chosen = np.sort(numpy_generator(seed, "sample").permutation(len(codes))[:MOST])
    logger.info("%s of %s", NAMES[method], counted(len(chosen), "code"))
    found = _METHODS[method](codes[chosen], derive(seed, "figure") % 2**32)
    fitted = Projection(method, codes[chosen], np.asarray(found, dtype=np.float32))
    if len(chosen) == len(codes):
        return fitted
    points = fitted.place(codes)
    points[chosen] = fitted.points
    return Projection(method, codes, points)


def refuse_method(method: str) -> None:
    """Refuse what is no method, or one whose library is missing: raises ConfigurationError."""
    if method not in NAMES:
        raise ConfigurationError(
            f"a map is made by one of: {', '.join(NAMES)}",
            found=brief(method),
            do=f"write for example {option('method', 'pca')}",
        )
    if method in ("umap", "pacmap"):
        require_extra(method, method, to=f"make a map by {NAMES[method]}")


def principal_plane(codes: CodeArray) -> Linear:
    """The mean of the codes and their first two principal components; zeros where there are fewer.

    Of codes of one number it is that number: its mean is taken as 0.
    """
    axes = np.zeros((2, codes.shape[1]))
    explained = [0.0, 0.0]
    if codes.shape[1] == 1:
        return Linear(np.zeros(1), np.array([[1.0], [0.0]]), (float(np.ptp(codes) > 0), 0.0))
    mean = codes.mean(axis=0, dtype=np.float64)
    if len(codes) > 1 and np.ptp(codes, axis=0).any():
        pca = fit_pca(codes, 2)
        mean = pca.mean_.astype(np.float64)
        axes[: len(pca.components_)] = pca.components_
        explained[: len(pca.components_)] = pca.explained_variance_ratio_.tolist()
    return Linear(mean, axes, (explained[0], explained[1]))


def _nearest(known: np.ndarray, values: np.ndarray) -> "KNeighborsRegressor":
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(min(NEAREST, len(known)), weights="distance").fit(known, values)


def _tsne(codes: CodeArray, seed: int) -> np.ndarray:
    """On one thread, as the sums of several may come out otherwise another time.

    Of many, `FIRST` are placed first; the others begin beside the nearest of these, and all are moved for a
    quarter of the iterations, which take nearly all of the time (Kobak and Berens, "The art of using t-SNE
    for single-cell transcriptomics", 2019, https://doi.org/10.1038/s41467-019-13056-x).
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="openmp"):
        if len(codes) <= FIRST:
            return _moved(codes, seed, init="pca" if codes.shape[1] > 1 else "random")
        first = np.sort(numpy_generator(seed, "sample").permutation(len(codes))[:FIRST])
        few = _moved(codes[first], seed, init="pca" if codes.shape[1] > 1 else "random")
        start = np.asarray(_nearest(codes[first], few).predict(codes), dtype=np.float32)
        rate = len(codes) / 12  # with nothing exaggerated: the groups lie apart already
        return _moved(codes, seed, init=start, early_exaggeration=1.0, learning_rate=rate, max_iter=250)


def _moved(codes: CodeArray, seed: int, **settings: Any) -> np.ndarray:
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=min(30.0, (len(codes) - 1) / 3), random_state=seed, **settings)
    return np.asarray(tsne.fit_transform(codes), dtype=np.float32)


def _umap(codes: CodeArray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ImportWarning
        )  # it says that Tensorflow, which it can do without, is not there
        from umap import UMAP

    made = UMAP(n_neighbors=min(15, len(codes) - 1), random_state=seed, n_jobs=1)
    return np.asarray(made.fit_transform(codes))


def _pacmap(codes: CodeArray, seed: int) -> np.ndarray:
    from pacmap import PaCMAP

    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns of every seed
    return np.asarray(PaCMAP(n_neighbors=min(10, len(codes) // 3), random_state=seed).fit_transform(codes))


_METHODS: Final[Mapping[str, Callable[[CodeArray, int], np.ndarray]]] = {
    "tsne": _tsne,
    "umap": _umap,
    "pacmap": _pacmap,
}
