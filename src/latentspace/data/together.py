"""Which images stay together in a split: equal ones, those of one group, and near copies."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from ..core.types import Int64Array
from .imageset import ImageSet
from .near_copies import Pairs

SHARE: Final = 20  # near copies join images to a unit of at most one part in so many of all images,
SMALL: Final = 10  # or of so many images


def units(images: ImageSet, pairs: Pairs | None) -> Int64Array:
    """A number for each image, the same for images that may not be parted.

    Copies and groups are joined first, whatever becomes of them. Then come the pairs of near copies, the
    closest first. A pair that would make a unit of more than a twentieth of the images, and more than ten,
    is left apart: chains of images that resemble the next one, as the letters I of many fonts, end there.
    """
    _, copies = np.unique(images.image_hashes, return_inverse=True)
    if images.groups is not None:
        copies = _joined(copies, images.groups)
    if pairs is None or not len(pairs.first):
        return copies.astype(np.int64)
    sizes = np.bincount(copies)
    most = max(SMALL, len(images) // SHARE)
    joined = _joined_up_to(most, sizes, zip(copies[pairs.first], copies[pairs.second], strict=True))
    return np.unique(joined[copies], return_inverse=True)[1].astype(np.int64)


def sets_of_near_copies(images: ImageSet) -> list[Int64Array]:
    """The indices of the images of each unit that near copies make, with exact ones, by the first."""
    _, copies = np.unique(images.image_hashes, return_inverse=True)
    pairs = images.near_copies
    most = max(SMALL, len(images) // SHARE)
    joined = zip(copies[pairs.first], copies[pairs.second], strict=True)
    unit = _joined_up_to(most, np.bincount(copies), joined)
    near = np.zeros(len(unit), dtype=bool)
    near[unit[copies[np.concatenate([pairs.first, pairs.second])]]] = True
    of_image = unit[copies]
    members = np.flatnonzero(near[of_image])
    members = members[np.argsort(of_image[members], kind="stable")]
    parts = np.split(members, np.flatnonzero(np.diff(of_image[members])) + 1) if len(members) else []
    sets = [one.astype(np.int64) for one in parts if len(np.unique(copies[one])) > 1]
    return sorted(sets, key=lambda one: int(one[0]))


def _joined(copies: Int64Array, groups: Int64Array) -> Int64Array:
    from scipy.sparse import coo_array  # here, as what reads a run need not wait for it
    from scipy.sparse.csgraph import connected_components

    _, groups = np.unique(groups, return_inverse=True)
    copies_count = int(copies.max()) + 1
    nodes = copies_count + int(groups.max()) + 1
    ones = np.ones(len(copies), dtype=np.int8)
    graph = coo_array((ones, (copies, copies_count + groups)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[copies], return_inverse=True)[1].astype(np.int64)


def _joined_up_to(most: int, sizes: Int64Array, pairs: Iterable[tuple[int, int]]) -> Int64Array:
    """The unit of each unit, where those of a pair are one unless it would have more than `most` images."""
    parent, held = list(range(len(sizes))), sizes.tolist()

    def root(unit: int) -> int:
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    for one, other in pairs:
        first, second = sorted((root(int(one)), root(int(other))))
        if first != second and held[first] + held[second] <= most:
            parent[second] = first
            held[first] += held[second]
    return np.array([root(unit) for unit in range(len(parent))], dtype=np.int64)
