"""Classes of codes: a linear classifier that the page computes itself, and which images to label next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float64

from ..core.randomness import numpy_generator
from ..core.types import CodeArray, Int64Array, Probabilities
from ..core.wording import counted

LEARNED_FROM: Final = 5_000  # labelled images at most
FOLDS: Final = 3
SEARCHED: Final = 20_000  # images at most that suggestions are chosen among
CANDIDATES: Final = 10  # uncertain images for each one that is suggested


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """softmax(weights @ code + bias), by logistic regression.

    Args:
        names: of the classes.
        images: how many labelled ones it is fitted to.
        accuracy: of the labelled images, each classified by a classifier that has not seen it; None: too few.
    """

    names: tuple[str, ...]
    weights: Float64[np.ndarray, "classes code"]
    bias: Float64[np.ndarray, " classes"]
    images: int
    accuracy: float | None

    def probabilities(self, codes: CodeArray) -> Probabilities:
        """Codes -> the probability of each class, images x classes."""
        from scipy.special import softmax

        return np.asarray(softmax(codes @ self.weights.T + self.bias, axis=1), dtype=np.float32)

    @property
    def words(self) -> str:
        """What it is, in a sentence."""
        learned = f"Logistic regression on the codes of {counted(self.images, 'labelled image')}"
        if self.accuracy is None:
            return f"{learned}; too few to say how often it is right."
        return f"{learned}; {self.accuracy:.0%} right in {FOLDS}-fold cross-validation."

    def about(self) -> dict[str, Any]:
        """As the page takes it."""
        return {
            "names": list(self.names),
            "weights": self.weights.tolist(),
            "bias": self.bias.tolist(),
            "words": self.words,
        }


def fitted(codes: CodeArray, labels: Int64Array, names: Sequence[str]) -> LinearClassifier | None:
    """The classifier of labelled codes; None where they are of fewer than two classes.

    Args:
        labels: of each code, as the place of its class in `names`; -1: it has none.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.flatnonzero(labels >= 0)
    used, counts = np.unique(labels[rows], return_counts=True)
    if len(used) < 2:
        return None
    rows = numpy_generator(0, "sample").permutation(rows)[:LEARNED_FROM]
    given, wanted = np.asarray(codes[rows], dtype=np.float64), labels[rows]
    used = np.unique(wanted)
    rule = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = None
    if counts.min() >= FOLDS and np.unique(wanted, return_counts=True)[1].min() >= FOLDS:
        accuracy = float(cross_val_score(rule, given, wanted, cv=FOLDS).mean())
    rule.fit(given, wanted)
    scaler, regression = rule[0], rule[1]
    weights, bias = regression.coef_, regression.intercept_
    if len(weights) == 1:  # of two classes the second alone has weights
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / scaler.scale_
    bias = bias - weights @ scaler.mean_
    return LinearClassifier(tuple(names[one] for one in used), weights, bias, len(rows), accuracy)


def of_labels(codes: CodeArray, names: Sequence[str], labels: Mapping[str, str]) -> LinearClassifier | None:
    """The classifier of labels that a person gave by the names of images; None as `fitted`."""
    classes = sorted(set(labels.values()))
    place = {label: number for number, label in enumerate(classes)}
    given = np.array([place[labels[name]] if name in labels else -1 for name in names], dtype=np.int64)
    return fitted(codes, given, classes)


def suggested(
    codes: CodeArray, unlabelled: Int64Array, count: int, classifier: LinearClassifier | None
) -> Int64Array:
    """The rows of `count` images to label next: spread over the codes and, given a classifier, uncertain.

    Uncertain images have the two likeliest classes nearly as likely (margin sampling); of `CANDIDATES` times
    as many of these the ones nearest to the centres of k-means are taken, so that no two are alike (Zhdanov,
    "Diverse mini-batch Active Learning", https://arxiv.org/abs/1901.05954). Without a classifier all images
    are candidates.

    Args:
        unlabelled: the rows to choose among.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import pairwise_distances_argmin
    from sklearn.preprocessing import StandardScaler

    rows = np.sort(numpy_generator(0, "sample").permutation(unlabelled)[:SEARCHED])
    weights = np.ones(len(rows))
    if classifier is not None and len(rows) > count:
        likeliest = np.sort(classifier.probabilities(codes[rows]), axis=1)
        margins = likeliest[:, -1] - likeliest[:, -2]
        chosen = np.argsort(margins, kind="stable")[: CANDIDATES * count]
        rows, weights = rows[chosen], 1 - margins[chosen] + 1e-6
    if len(rows) <= count:
        return rows
    scaled = StandardScaler().fit_transform(np.asarray(codes[rows], dtype=np.float64))
    means = MiniBatchKMeans(count, random_state=0, n_init=1).fit(scaled, sample_weight=weights)
    nearest = np.unique(pairwise_distances_argmin(means.cluster_centers_, scaled))
    spare = np.setdiff1d(np.arange(len(rows)), nearest)[: count - len(nearest)]  # two centres may share one
    return np.asarray(rows[np.concatenate([nearest, spare])], dtype=np.int64)
