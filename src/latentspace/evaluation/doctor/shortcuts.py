"""Classes that can be told by something that should not tell them: border, brightness, size, type, day.

A network learns what is easiest: Geirhos and others, "Shortcut Learning in Deep Neural Networks" (2020).
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from .classification import FOLDS, folds
from .finding import Finder, Finding, Numbers, fine, skipped
from .subject import Subject

TELLING: Final = 0.8  # F1 of a class, from which it can be told so
LEAVES: Final = 4  # of a decision tree, for each class
FEWEST: Final = 20  # images of a class that is looked at
SHOWN: Final = 20  # images of each class that is told


def rules(subject: Subject) -> Iterator[tuple[str, np.ndarray]]:
    """What a class is tried to be told by: a name, and numbers of each image."""
    found = subject.statistics
    yield "border", np.column_stack([found.border_mean, found.border_contrast])
    yield "mean grey", found.mean[:, None]
    files = subject.files
    if files is not None:
        yield "size in pixels", np.column_stack([files.heights, files.widths])
        yield "size in bytes", files.sizes[:, None]
        yield "file type", np.eye(len(files.type_names))[files.types]
        yield "day of the file", files.days[:, None]


class Shortcuts:
    """Finds classes that simple properties, such as brightness or size, tell apart."""

    title = "classes told by a shortcut"

    def find(self, subject: Subject) -> Finding:
        labels = subject.images.labels
        if labels is None or len(np.unique(labels)) < 2:
            return skipped("the images have no labels" if labels is None else "there is one class alone")
        lines: list[tuple[str, ...]] = []
        rows: list[Int64Array] = []
        said: list[str] = []
        for rule, numbers in rules(subject):
            if len(np.unique(numbers, axis=0)) < 2:
                continue
            predicted = _told(numbers, labels, subject.units)
            for one, score in _scores(labels, predicted):
                if score < TELLING:
                    continue
                name = subject.images.class_names[one]
                right = predicted[labels == one] == one
                chance = float((labels == one).mean())
                lines.append((name, rule, f"{right.mean():.1%}", f"{score:.2f}", f"{chance:.1%}"))
                members = np.flatnonzero((labels == one) & (predicted == one))[:SHOWN].astype(np.int64)
                rows.append(members)
                said += [f"told by its {rule}"] * len(members)
        if not lines:
            return fine("no class is told by border, brightness or file alone")
        columns = ("class", "told by", "found", "F1", "share of the set")
        return Finding(
            "bad",
            f"{counted(len(lines), 'shortcut')}: {lines[0][0]} by its {lines[0][1]}",
            f"A small decision tree on that alone, cross-validated, tells the class with an F1 of at least "
            f"{TELLING:g}; a network will learn that in place of what is shown.",
            "Make the classes alike in it: crop the border, fetch all classes from one source, save them "
            "alike.",
            subject.command("latentspace data info DATA"),
            np.concatenate(rows),
            tuple(said),
            examples=True,
            tables=(Numbers("Classes told by a shortcut", columns, tuple(lines)),),
            count=len(lines),
        )


def _told(numbers: np.ndarray, labels: Int64Array, units: Int64Array) -> Int64Array:
    """The class that a decision tree says of each image, trained on the other folds; -1 of rare classes."""
    first, member = np.unique(units, return_index=True, return_inverse=True)[1:]
    classes = np.flatnonzero(np.bincount(labels) >= FEWEST).astype(np.int64)
    fold = folds(labels[first], classes, seed=0)[member]
    predicted = np.full(len(labels), -1, dtype=np.int64)
    common = np.isin(labels, classes)
    for number in range(FOLDS):
        learned, here = common & (fold != number), common & (fold == number)
        if here.any() and learned.any():
            predicted[here] = (
                _tree(len(classes)).fit(numbers[learned], labels[learned]).predict(numbers[here])
            )
    return predicted


def _tree(classes: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_leaf_nodes=LEAVES * max(2, classes), min_samples_leaf=5, class_weight="balanced", random_state=0
    )


def _scores(labels: Int64Array, predicted: Int64Array) -> list[tuple[int, float]]:
    """F1 of each class that was evaluated, the highest first."""
    from sklearn.metrics import f1_score

    there = predicted >= 0
    classes = np.unique(labels[there])
    if len(classes) < 2:
        return []
    scores = f1_score(labels[there], predicted[there], labels=classes, average=None, zero_division=0)
    return sorted(zip(classes.tolist(), scores.tolist(), strict=True), key=lambda one: -one[1])


SHORTCUTS: Finder = Shortcuts()
