"""Equal or nearly equal images with different labels."""

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine, skipped
from .subject import Subject


class Conflicts:
    """Finds exact and near copies with different labels."""

    title = "copies with different labels"

    def find(self, subject: Subject) -> Finding:
        labels = subject.images.labels
        if labels is None:
            return skipped("the images have no labels")
        torn = [one for one in subject.copies if len(np.unique(labels[one])) > 1]
        pairs = [(row, one[0]) for one in torn for row in one[1:]]
        exact = len(pairs)
        if subject.near is not None:
            both = zip(subject.near.second, subject.near.first, strict=True)
            pairs += [(row, first) for row, first in both if labels[row] != labels[first]]
        if not pairs:
            return fine("no copies with different labels")
        rows, first = np.array(pairs, dtype=np.int64).T
        said = tuple(
            f"{subject.images.class_of(int(row))}, beside it {subject.images.class_of(int(one))}"
            for row, one in zip(rows, first, strict=True)
        )
        drop = np.concatenate([np.zeros(0, np.int64), *torn])
        return Finding(
            "bad",
            counted(len(rows), "pair") + " of copies with different labels",
            f"{counted(exact, 'exact copy')}, {counted(len(rows) - exact, 'near copy')}. One label of each "
            "pair is wrong, or the picture belongs to both classes.",
            "Mend the labels; a cleaned table leaves out exact copies with different labels.",
            subject.cleaned,
            rows,
            said,
            first,
            drop=drop,
        )


CONFLICTS: Finder = Conflicts()
