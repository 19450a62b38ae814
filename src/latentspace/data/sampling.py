"""Seeded samples of a part of a set, spread over its classes: data often lie class by class."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64

from ..core.types import Int64Array

HELD: Final = 1 << 25  # values of a sample that is worked on as a whole, at most: 128 MB of float32


def affordable(most: int, shape: Sequence[int], values: int = HELD) -> int:
    """How many images of this shape are worked on at once: `most`, or fewer, with so many values in all."""
    return max(1, min(most, values // math.prod(shape)))


def balanced_sample(
    indices: Int64Array, count: int, labels: Int64Array | None, draw: np.random.Generator
) -> Int64Array:
    """`count` of `indices` at random, or all where there are fewer; the classes take turns in their order.

    So with ten classes every ten images show each class once, until a class has no image left.

    Args:
        labels: of all images, whatever `indices` are; None: a plain random sample.
    """
    order = draw.permutation(indices)
    if labels is None:
        return order[:count]
    classes, turns, _ = _turns(labels[order])
    return order[np.lexsort((classes, turns))][:count]


def stratified_sample(
    indices: Int64Array, count: int, labels: Int64Array | None, draw: np.random.Generator
) -> Int64Array:
    """`count` of `indices` at random, ascending, or all where there are fewer; each class in proportion.

    For what is measured: classes that are rare among `indices` are as rare in the sample.

    Args:
        labels: of all images, whatever `indices` are; None: a plain random sample.
    """
    order = draw.permutation(indices)
    if labels is not None:
        classes, turns, sizes = _turns(labels[order])
        order = order[np.lexsort((classes, (turns + 0.5) / sizes))]
    return np.sort(order[:count])


def _turns(labels: Int64Array) -> tuple[Int64Array, Int64Array, Float64[np.ndarray, " _any"]]:
    """Of each image: its class, its number among the images of that class, and how many those are."""
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.argsort(classes, kind="stable")
    turns = np.empty_like(by_class)
    turns[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return classes, turns, counts[classes].astype(np.float64)
