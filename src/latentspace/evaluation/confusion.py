"""What a classifier takes for what: the confusion matrix, and the mistakes it is most sure of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from ..core.types import Int64Array, Probabilities


@dataclass(frozen=True, eq=False)
class Confusion:
    """counts[true, taken_for]: images."""

    counts: Int64[np.ndarray, "classes classes"]
    class_names: tuple[str, ...]

    @property
    def recall(self) -> Float[np.ndarray, " classes"]:
        """The recall of each class: the share of its images with that answer; NaN without images."""
        total = self.counts.sum(axis=1)
        return np.where(total > 0, np.diag(self.counts) / np.maximum(total, 1), np.nan)


@dataclass(frozen=True)
class Pair:
    """How many images of one class are classified as another, and which share of the class they are."""

    labelled: str
    taken_for: str
    images: int
    share: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Wrong answers: places of the images among those evaluated, labels, predictions, probabilities."""

    places: Int64Array
    labelled: Int64Array
    taken_for: Int64Array
    probabilities: Float[np.ndarray, " mistakes"]
    of: int

    def named(self, class_names: tuple[str, ...]) -> tuple["Mistake", ...]:
        columns = zip(self.labelled, self.taken_for, self.probabilities, strict=True)
        return tuple(
            Mistake(class_names[one], class_names[other], float(sure)) for one, other, sure in columns
        )


@dataclass(frozen=True)
class Mistake:
    """An image of class `labelled` that was taken for `taken_for`, with the probability of that class."""

    labelled: str
    taken_for: str
    probability: float


def confusion(labels: Int64Array, probabilities: Probabilities, class_names: tuple[str, ...]) -> Confusion:
    """The confusion matrix of `probabilities`, images x classes: rows are labels, columns predictions."""
    counts = np.zeros((len(class_names), len(class_names)), dtype=np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return Confusion(counts, class_names)


def worst_pairs(found: Confusion, most: int = 10) -> tuple[Pair, ...]:
    """The most frequent confusions of two classes, the most frequent first."""
    wrong = found.counts.copy()
    np.fill_diagonal(wrong, 0)
    total = found.counts.sum(axis=1)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    places = [divmod(int(place), len(wrong)) for place in order]
    return tuple(
        Pair(
            found.class_names[row],
            found.class_names[column],
            int(wrong[row, column]),
            float(wrong[row, column] / total[row]),
        )
        for row, column in places
        if wrong[row, column]
    )


def surest_mistakes(labels: Int64Array, probabilities: Probabilities, most: int = 18) -> Mistakes:
    """The wrong answers with the highest probability, the surest first."""
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    sure = probabilities[wrong, answers[wrong]]
    places = wrong[np.argsort(-sure, kind="stable")][:most]
    return Mistakes(
        places=places,
        labelled=labels[places],
        taken_for=answers[places],
        probabilities=probabilities[places, answers[places]],
        of=len(wrong),
    )
