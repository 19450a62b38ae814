"""Groups with images in several parts of the publisher's split."""

import numpy as np

from ...core.wording import counted
from ...data.splits import PARTS
from .finding import Finder, Finding, fine, skipped
from .subject import Subject


class Groups:
    """Finds groups with images in several parts of the published split."""

    title = "groups in two parts of the split"

    def find(self, subject: Subject) -> Finding:
        groups, parts = subject.images.groups, subject.images.parts
        if groups is None or parts is None:
            what = "groups" if groups is None else "parts of their own"
            return skipped(f"the images have no {what}")
        _, number = np.unique(groups, return_inverse=True)
        there = np.zeros((number.max() + 1, len(PARTS)), dtype=bool)
        placed = parts >= 0
        there[number[placed], parts[placed]] = True
        torn = np.flatnonzero(there.sum(axis=1) > 1)
        if not len(torn):
            return fine("no group is in two parts of the split")
        rows = np.flatnonzero(np.isin(number, torn) & placed).astype(np.int64)
        rows = rows[np.lexsort((parts[rows], number[rows]))]
        return Finding(
            "bad",
            f"{counted(len(torn), 'group')} in several parts of the split",
            f"{counted(len(rows))} of {counted(len(there), 'group')}: what is evaluated is not new.",
            "Draw a split that keeps groups together.",
            subject.command("latentspace train ae --data DATA --split 60/20/20 --out runs/by-groups"),
            rows,
            tuple(f"{PARTS[parts[row]]}, group {groups[row]}" for row in rows),
            count=len(torn),
        )


GROUPS: Finder = Groups()
