"""Whether groups that were found without labels are what labels say, beside groups of pixels and of PCA."""

from dataclasses import dataclass

import numpy as np

from ..core.types import Int64Array
from ..data.imageset import ImageSet
from ..inference.clusters import Clusters, sample, spectral_groups
from ..inference.pca import fit_pca
from .codes import flat


@dataclass(frozen=True)
class GroupAgreement:
    """How far groups and classes are one; all measures are 1 where they are the same.

    Args:
        nmi: the normalised mutual information: 0 where they have nothing to do with each other.
        ari: the adjusted Rand index: 0 by chance.
        accuracy: the share of images in the group that stands for their class, where each group stands for
            one class at most, so that most agree.
    """

    nmi: float
    ari: float
    accuracy: float

    @classmethod
    def of(cls, groups: Int64Array, labels: Int64Array) -> "GroupAgreement":
        from scipy.optimize import linear_sum_assignment
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
        from sklearn.metrics.cluster import contingency_matrix

        counts = contingency_matrix(labels, groups)
        matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
        return cls(
            nmi=float(normalized_mutual_info_score(labels, groups)),
            ari=float(adjusted_rand_score(labels, groups)),
            accuracy=float(matched / len(labels)),
        )


def agreements(images: ImageSet, found: Clusters, code_size: int, seed: int = 0) -> dict[str, GroupAgreement]:
    """Of the groups of codes, and of as many of raw pixels and of PCA with as many numbers as a code has.

    All by the same method and on the same images: `inference.clusters.MOST` of them at random, at most.
    """
    assert images.labels is not None
    chosen = sample(len(images), seed)
    labels = images.labels[chosen]
    pixels = flat(images.pixels[chosen])
    pca = fit_pca(pixels, code_size).transform(pixels).astype(np.float32)
    return {
        "codes": GroupAgreement.of(found.groups[chosen], labels),
        "pixels": GroupAgreement.of(spectral_groups(pixels, found.count, seed), labels),
        "pca": GroupAgreement.of(spectral_groups(pca, found.count, seed), labels),
    }
