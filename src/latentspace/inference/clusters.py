"""Groups of images without labels, found among their codes.

Groups are found by spectral clustering: the graph that joins each code to its nearest, its Laplacian's first
eigenvectors, and a rotation that assigns each code to a group (Damle, Minden and Ying, "Simple, direct and
efficient multi-way spectral clustering", 2019). So a group may have any shape, as letters of one kind do.
How many there are, where nobody says, is where k-means has the best silhouette (Rousseeuw, 1987).
"""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int64

from ..core.errors import DataError
from ..core.progress import told
from ..core.randomness import derive, numpy_generator
from ..core.types import CodeArray, Int64Array
from ..core.wording import counted, option

MOST: Final = 10_000  # codes that groups are found among; each other one joins the group of those nearest
NEIGHBOURS: Final = 10  # codes that a code is joined to
SAMPLE: Final = 2_000  # codes, at most, that a silhouette is computed from
COUNTS: Final = range(2, 31)  # groups that are tried where no number is given


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of images, the largest first.

    Args:
        groups: of each image, counted from 0.
        distances: of each code to the mean of its group's codes, Euclidean: small for a typical image.
        silhouettes: by number of groups, where the number was chosen by them.
    """

    groups: Int64[np.ndarray, " images"]
    distances: Float[np.ndarray, " images"]
    silhouettes: dict[int, float]

    @property
    def count(self) -> int:
        return int(self.groups.max()) + 1

    @property
    def sizes(self) -> Int64Array:
        """How many images each cluster has."""
        return np.bincount(self.groups)

    def members(self, group: int) -> Int64Array:
        """The images of a cluster, the most typical first."""
        rows = np.flatnonzero(self.groups == group)
        return rows[np.argsort(self.distances[rows], kind="stable")]


def find_clusters(codes: CodeArray, count: int | None = None, seed: int = 0) -> Clusters:
    """`count` groups of codes; None: as many as fit best.

    Raises:
        DataError: codes that are not finite, or too few of them.
    """
    refuse_count(count, len(codes))
    if not np.isfinite(codes).all():
        raise DataError(
            "codes must be finite to be clustered",
            found=f"{int((~np.isfinite(codes)).any(axis=1).sum())} of {len(codes):,} that are not",
            do="look at the training's loss: the network may have diverged",
        )
    state = derive(seed, "sample") % 2**32
    chosen = sample(len(codes), seed)
    silhouettes = {} if count is not None else _silhouettes(codes[chosen], state)
    if count is None:
        count = max(silhouettes, key=lambda one: silhouettes[one], default=1)
    found = spectral_groups(codes[chosen], count, seed)
    if len(chosen) < len(codes):
        from sklearn.neighbors import KNeighborsClassifier

        found = KNeighborsClassifier(5).fit(codes[chosen], found).predict(codes)
    _, found = np.unique(found, return_inverse=True)
    groups = np.argsort(np.argsort(-np.bincount(found), kind="stable"))[found].astype(np.int64)
    means = np.stack([codes[groups == one].mean(axis=0) for one in range(int(groups.max()) + 1)])
    return Clusters(groups, np.linalg.norm(codes - means[groups], axis=1), silhouettes)


def refuse_count(count: int | None, images: int | None = None) -> None:
    """Refuse what is no number of clusters, or too large for this number of images: raises DataError."""
    least = 4 if count is None else 2 * count
    if (count is not None and count < 2) or (images is not None and images < least):
        raise DataError(
            "there must be at least two clusters, and at least two images for each",
            found=f"{'' if count is None else counted(count, 'cluster')}"
            f"{'' if images is None else f' of {counted(images)}'}".strip(),
            do=f"write for example {option('count', 2)}, and give more images",
        )


def sample(images: int, seed: int) -> Int64Array:
    """`MOST` of so many images at random, or all, in ascending order."""
    return np.sort(numpy_generator(seed, "sample").permutation(images)[:MOST])


def spectral_groups(rows: Float[np.ndarray, "_images values"], count: int, seed: int) -> Int64Array:
    """The cluster of each row, counted from 0; a cluster may be empty."""
    from sklearn.cluster import SpectralClustering

    if count == 1:
        return np.zeros(len(rows), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # groups that lie apart are no mistake of the graph's
        rule = SpectralClustering(
            count,
            affinity="nearest_neighbors",
            n_neighbors=min(NEIGHBOURS, len(rows)),
            assign_labels="cluster_qr",
            random_state=derive(seed, "sample") % 2**32,
        )
        return np.asarray(rule.fit_predict(rows), dtype=np.int64)


def _silhouettes(codes: CodeArray, state: int) -> dict[int, float]:
    """The mean silhouette of k-means by number of clusters."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    most = min(len(codes) // 2, len(np.unique(codes, axis=0)))
    sample = min(SAMPLE, len(codes))
    found = {}
    for count in told([one for one in COUNTS if one <= most], "numbers of clusters tried"):
        groups = KMeans(count, n_init=3, random_state=state).fit_predict(codes)
        found[count] = float(silhouette_score(codes, groups, sample_size=sample, random_state=state))
    return found
