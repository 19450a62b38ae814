"""Rows of numbers that are near each other, found in sorted cells: bounded in time and memory.

A row is compared with at most `MOST` others in each cell that it lies in or nearly lies in, of which
there are at most 2 ** DIMENSIONS. A million images of pure noise take about 320 each at an offset.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float

from ..core.progress import told
from ..core.types import Int64Array

DIMENSIONS: Final = 8  # of a cell: the directions in which rows differ most
WIDTH: Final = 2.5  # of a cell, in parts of the largest distance
REACH: Final = 0.4  # how far beyond its cell a row is looked for, in the same
MOST: Final = 256  # rows of one cell that a row is compared with
BATCH: Final = 1 << 16  # pairs compared at a time: what a core keeps beside itself
SAMPLE: Final = 20_000  # rows that the directions are found from
TOGETHER: Final = 1_000  # pairs in one cell that are compared at once, as a product of matrices
SLACK: Final = 1e-4  # of squared distances in such a product, which are then computed anew

Rows: TypeAlias = Float[np.ndarray, "_rows _numbers"]


def candidates(
    rows: Float[np.ndarray, "_offsets _images numbers"], distance: float
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Pairs of images whose rows are within `distance`: the first, the second, the offset of the first.

    The second image is taken without an offset, which is that of `rows[0]`; of each pair the offset with the
    smallest distance is named.

    Args:
        rows: of each image, at each offset.
    """
    count = rows.shape[1]
    if count < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    turn = _directions(rows[0])
    still = rows[0].astype(np.float32) @ turn
    width = WIDTH * distance
    keys = _fine(_cells(still, width), still, width)
    order = np.argsort(keys, kind="stable")
    keys, held = keys[order], still[order]
    codes, distances, offsets = [], [], []
    for number in told(range(len(rows)), "hashes compared"):
        moved = still if number == 0 else rows[number].astype(np.float32) @ turn
        for query, place, squared in _near(moved, keys, held, distance):
            other = order[place]
            real = query < other if number == 0 else query != other
            codes.append(query[real] * count + other[real])
            distances.append(squared[real])
            offsets.append(np.full(len(codes[-1]), number, dtype=np.int64))
    return _closest(np.concatenate(codes), np.concatenate(distances), np.concatenate(offsets), count)


def _directions(rows: Float[np.ndarray, "_images numbers"]) -> Float[np.ndarray, "numbers numbers"]:
    """A rotation after which the first numbers differ most."""
    some = rows[:: max(1, len(rows) // SAMPLE)].astype(np.float64)
    _, vectors = np.linalg.eigh(np.cov(some.T))
    return np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)


def _cells(rows: Float[np.ndarray, "_images numbers"], width: float) -> Int64Array:
    key = np.zeros(len(rows), dtype=np.int64)
    for one in range(min(DIMENSIONS, rows.shape[1])):
        key = key * 32 + _place(rows[:, one], width)
    return key


def _place(numbers: Float[np.ndarray, " _images"], width: float) -> Int64Array:
    return np.clip(np.floor(numbers / width + 16), 0, 31).astype(np.int64)


def _fine(cells: Int64Array, rows: Float[np.ndarray, "_images numbers"], width: float) -> Int64Array:
    """The cells, and within a cell the place in the direction in which rows differ most."""
    within = (rows[:, 0] / width + 16) % 1
    return cells * 4096 + (within * 4095).astype(np.int64)


def _near(
    rows: Float[np.ndarray, "_images numbers"],
    keys: Int64Array,
    held: Float[np.ndarray, "_images numbers"],
    distance: float,
) -> Iterator[tuple[Int64Array, Int64Array, Float[np.ndarray, " _pairs"]]]:
    """Batches of rows, the places of what is near them, and the squared distances."""
    query, cells = _looked_in(rows, WIDTH * distance, REACH * distance)
    order = np.argsort(cells, kind="stable")
    query, cells = query[order], cells[order]
    low: Int64Array = np.searchsorted(keys, cells * 4096)
    high: Int64Array = np.searchsorted(keys, (cells + 1) * 4096)
    many = np.flatnonzero(high - low > MOST)
    if len(many):
        middle = np.searchsorted(keys, _fine(cells[many], rows[query[many]], WIDTH * distance))
        first = np.clip(middle - MOST // 2, low[many], np.maximum(low[many], high[many] - MOST))
        low[many], high[many] = first, np.minimum(first + MOST, high[many])
    filled = high > low
    query, low, high = query[filled], low[filled], high[filled]
    edges = np.flatnonzero(np.diff(low, prepend=-1) | np.diff(high, prepend=-1))
    pairs = (high - low) * np.repeat(np.diff(edges, append=len(low)), np.diff(edges, append=len(low)))
    many = pairs >= TOGETHER
    for asked, place in (
        *_in_products(rows, held, distance, query[many], low[many], high[many]),
        *_one_by_one(rows, held, distance, query[~many], low[~many], high[~many]),
    ):
        squared = _squared(rows[asked], held[place])
        near = np.flatnonzero(squared < distance**2)
        yield asked[near], place[near], squared[near]


def _in_products(
    rows: Rows, held: Rows, distance: float, query: Int64Array, low: Int64Array, high: Int64Array
) -> Iterator[tuple[Int64Array, Int64Array]]:
    """Pairs that may be near, of rows that are compared with the same others: as products of matrices."""
    lengths, lengths_held = (np.einsum("ij,ij->i", one, one) for one in (rows, held))
    edges = np.flatnonzero(np.diff(low, prepend=-1) | np.diff(high, prepend=-1)).tolist()
    asked, places, waiting = [], [], 0
    for start, end in pairwise((*edges, len(low)) if edges else ()):
        first, last = int(low[start]), int(high[start])
        step = max(1, 4 * BATCH // (last - first))
        for at in range(start, end, step):
            some = query[at : min(at + step, end)]
            apart = lengths_held[first:last] - 2 * (rows[some] @ held[first:last].T)
            near = np.flatnonzero(apart < distance**2 + SLACK - lengths[some, None])
            if len(near):
                asked.append(some[near // (last - first)])
                places.append(first + near % (last - first))
                waiting += len(near)
        if waiting > BATCH:
            yield np.concatenate(asked), np.concatenate(places)
            asked, places, waiting = [], [], 0
    if waiting:
        yield np.concatenate(asked), np.concatenate(places)


def _one_by_one(
    rows: Rows, held: Rows, distance: float, query: Int64Array, low: Int64Array, high: Int64Array
) -> Iterator[tuple[Int64Array, Int64Array]]:
    """Pairs that may be near, by their first numbers."""
    sizes = high - low
    ends = np.cumsum(sizes)
    rough, rough_held = np.ascontiguousarray(rows[:, :4]), np.ascontiguousarray(held[:, :4])
    start = 0
    while start < len(query):
        done = int(ends[start - 1]) if start else 0
        stop: int = max(start + 1, int(np.searchsorted(ends, done + BATCH, side="right")))
        some = sizes[start:stop]
        number = np.repeat(np.arange(start, stop), some)
        place = np.arange(int(some.sum())) - np.repeat(np.cumsum(some) - some, some) + low[number]
        asked = query[number]
        near = np.flatnonzero(_squared(rough[asked], rough_held[place]) < distance**2)
        yield asked[near], place[near]
        start = stop


def _squared(
    one: Float[np.ndarray, "_pairs _numbers"], other: Float[np.ndarray, "_pairs _numbers"]
) -> Float[np.ndarray, " _pairs"]:
    """The squared distance of each row to the other."""
    apart = one - other
    found: Float[np.ndarray, " _pairs"] = np.einsum("ij,ij->i", apart, apart)
    return found


def _looked_in(
    rows: Float[np.ndarray, "_images numbers"], width: float, reach: float
) -> tuple[Int64Array, Int64Array]:
    """Each row with the cells within `reach` of it: its own, and those beside it that it nearly lies in."""
    query, cells = np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64)
    for one in range(min(DIMENSIONS, rows.shape[1])):
        numbers = rows[query, one]
        low, high = _place(numbers - reach, width), _place(numbers + reach, width)
        both = np.flatnonzero(low != high)
        cells = np.concatenate([cells * 32 + low, cells[both] * 32 + high[both]])
        query = np.concatenate([query, query[both]])
    return query, cells


def _closest(
    codes: Int64Array, distances: Float[np.ndarray, " _pairs"], offsets: Int64Array, count: int
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Each pair once, in the way round and at the offset of its smallest distance."""
    first, second = np.divmod(codes, count)
    pair = np.minimum(first, second) * count + np.maximum(first, second)
    order = np.lexsort((offsets, distances, pair))
    kept = order[np.flatnonzero(np.diff(pair[order], prepend=-1))]
    return first[kept], second[kept], offsets[kept]
