"""Classes of images from their codes, each by a classifier that has not learned from it or its copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ...core.progress import told
from ...core.types import CodeArray, Int64Array, Probabilities

FOLDS: Final = 5
LANDMARKS: Final = 500  # of the kernel's approximation
LEARNED: Final = 20_000  # images that a classifier learns from, at most


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """What cross-validation says of the classes.

    Args:
        rows: the images that were classified: those of classes with at least `FOLDS` units.
        labels: of these, as indices of `classes`.
        classes: the labels in the set's own numbers.
        probabilities: of each of these classes, for each of these images.
    """

    rows: Int64Array
    labels: Int64Array
    classes: Int64Array
    probabilities: Probabilities

    @property
    def predicted(self) -> Int64Array:
        best: Int64Array = self.probabilities.argmax(axis=1).astype(np.int64)
        return best

    @property
    def accuracy(self) -> float:
        return float((self.predicted == self.labels).mean())


def cross_validated(
    views: Sequence[CodeArray], labels: Int64Array, units: Int64Array, seed: int = 0
) -> CrossValidated | None:
    """Cross-validated probabilities; None of fewer than two classes.

    Kernel logistic regression, by Nystroem's approximation. Images of one unit are in one fold.

    Args:
        views: several codes of the same images: a classifier learns from each, and their mean counts.
    """
    first, member = np.unique(units, return_index=True, return_inverse=True)[1:]
    many = np.bincount(labels[first], minlength=int(labels.max()) + 1)
    classes = np.flatnonzero(many >= FOLDS).astype(np.int64)
    if len(classes) < 2:
        return None
    rows = np.flatnonzero(np.isin(labels, classes) & np.isin(labels[first[member]], classes))
    fold = folds(labels[first], classes, seed)[member]
    place = np.searchsorted(classes, labels)
    probabilities = np.zeros((len(labels), len(classes)))
    for number in told(range(FOLDS), "folds of cross-validation"):
        learned, here = rows[fold[rows] != number], rows[fold[rows] == number]
        learned = np.random.default_rng(seed).permutation(learned)[:LEARNED]
        for codes in views:
            model = classifier(len(learned), codes.shape[1], seed).fit(codes[learned], place[learned])
            probabilities[np.ix_(here, model.classes_)] += model.predict_proba(codes[here]) / len(views)
    return CrossValidated(rows.astype(np.int64), place[rows].astype(np.int64), classes, probabilities[rows])


def folds(labels: Int64Array, classes: Int64Array, seed: int) -> Int64Array:
    """The fold of each unit, dealt out within each class; of other classes -1."""
    fold = np.full(len(labels), -1, dtype=np.int64)
    draw = np.random.default_rng(seed)
    for one in classes:
        members = draw.permutation(np.flatnonzero(labels == one))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold


def classifier(learned: int, size: int, seed: int) -> Any:
    """For so many codes of that size."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(),
        Nystroem(gamma=1 / size, n_components=min(LANDMARKS, learned), random_state=seed),
        LogisticRegression(C=10, max_iter=200, tol=1e-3),
    )
