"""Copies of one image in two parts of the publisher's split."""

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from ...data.splits import PARTS
from .finding import Finder, Finding, fine, skipped
from .subject import Subject


class Leaks:
    """Finds copies in two parts of the published split."""

    title = "copies in two parts of the split"

    def find(self, subject: Subject) -> Finding:
        parts = subject.images.parts
        if parts is None:
            return skipped("the images have no parts of their own")
        exact = _parted(subject.copies, parts)
        near = _parted(_near_sets(subject), parts)
        seen = {row for row, _ in exact}
        near = [(row, one) for row, one in near if row not in seen]
        if not exact + near:
            return fine("no copies in two parts of the split")
        rows, earlier = np.array(exact + near, dtype=np.int64).T
        said = tuple(
            f"{PARTS[parts[row]]}, beside it {PARTS[parts[one]]}"
            for row, one in zip(rows, earlier, strict=True)
        )
        return Finding(
            "bad",
            f"{counted(len(rows))} with a copy in an earlier part",
            f"{counted(len(exact), 'exact copy')}, {counted(len(near), 'near copy')} of an image that is "
            "learned "
            "from: scores on them are too good.",
            "Leave out the copies that are learned from, or draw another split.",
            subject.cleaned,
            rows,
            said,
            earlier,
            drop=_learned(subject, rows),
        )


def _near_sets(subject: Subject) -> list[Int64Array]:
    """Each pair of near copies, with the exact copies of both."""
    if subject.near is None:
        return []
    members = {int(one[0]): one for one in subject.copies}
    return [
        np.concatenate([members.get(int(one), np.array([one])) for one in pair])
        for pair in zip(subject.near.first, subject.near.second, strict=True)
    ]


def _parted(sets: list[Int64Array], parts: Int64Array) -> list[tuple[int, int]]:
    """Each image of a set with the first of an earlier part, once."""
    found: dict[int, int] = {}
    for one in sets:
        placed = one[parts[one] >= 0]
        if len(np.unique(parts[placed])) < 2:
            continue
        for row in placed[parts[placed] > parts[placed].min()].tolist():
            found.setdefault(row, int(placed[np.argmin(parts[placed])]))
    return list(found.items())


def _learned(subject: Subject, evaluated: Int64Array) -> Int64Array:
    """The images of earlier parts with a copy, exact or near, among `evaluated`."""
    parts, wanted = subject.images.parts, set(evaluated.tolist())
    assert parts is not None
    found: set[int] = set()
    for one in [*subject.copies, *_near_sets(subject)]:
        last = max((int(parts[row]) for row in one.tolist() if row in wanted), default=-1)
        found.update(row for row in one.tolist() if 0 <= parts[row] < last)
    return np.array(sorted(found), dtype=np.int64)


LEAKS: Finder = Leaks()
