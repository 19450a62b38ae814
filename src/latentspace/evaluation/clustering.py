"""How well clusters agree with labels, and clusters of pixels and of PCA too."""

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

        counts = _counts(groups, labels)
        matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
        return cls(nmi=_nmi(counts), ari=_ari(counts), accuracy=float(matched / len(labels)))


def _counts(groups: Int64Array, labels: Int64Array) -> np.ndarray:
    """Images by class and group; no row or column is empty."""
    classes, row = np.unique(labels, return_inverse=True)
    found, column = np.unique(groups, return_inverse=True)
    shape = len(classes), len(found)
    return np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)


def _nmi(counts: np.ndarray) -> float:
    """I(class; group) over the mean of H(class) and H(group), from one table: a card takes hundreds."""
    from scipy.special import entr

    shares = counts / counts.sum()
    joint, classes, groups = (float(entr(one).sum()) for one in (shares, shares.sum(1), shares.sum(0)))
    mean = (classes + groups) / 2
    return min(max((classes + groups - joint) / mean, 0.0), 1.0) if mean else 1.0


def _ari(counts: np.ndarray) -> float:
    """Pairs of images together in both, above what chance gives (https://doi.org/10.1007/BF01908075)."""
    both, classes, groups, every = (
        float((one * (one - 1) // 2).sum()) for one in (counts, counts.sum(1), counts.sum(0), counts.sum())
    )
    expected, most = classes * groups / max(every, 1), (classes + groups) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


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
