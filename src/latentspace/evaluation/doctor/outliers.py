"""Images far from all others, by their codes."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine, skipped
from .statistics import robust_score
from .subject import Subject

NEIGHBOURS: Final = 10
APART: Final = 3.5  # standard deviations of the logarithm of the distance
MOST: Final = 0.01  # of the images


class Outliers:
    title = "images unlike all others"

    def find(self, subject: Subject) -> Finding:
        if subject.why_no_codes:
            return skipped(subject.why_no_codes)
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

        codes = StandardScaler().fit_transform(subject.codes)
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(codes) - 1)).fit(codes)
        distance = near.kneighbors()[0].mean(axis=1)
        far = robust_score(np.log(distance + 1e-9))
        missed = robust_score(np.log(subject.errors + 1e-9))
        score = np.maximum(far, missed)
        score[subject.blank] = -np.inf  # they have a finding of their own
        rows = np.argsort(-score, kind="stable")[: max(1, int(MOST * len(codes)))]
        rows = rows[score[rows] > APART].astype(np.int64)
        if not len(rows):
            return fine("no image is unlike all others", f"by {subject.coder.words}")
        return Finding(
            "look",
            f"{counted(len(rows))} unlike all others",
            f"By {subject.coder.words}: the mean distance to the {NEIGHBOURS} nearest codes, or the error "
            "of the "
            f"reconstruction, is more than {APART:g} standard deviations above the middle. At most the "
            f"{MOST:.0%} farthest are named.",
            "Look whether they belong to the set.",
            subject.cleaned,
            rows,
            tuple(f"distance {far[row]:+.1f}, error {missed[row]:+.1f}" for row in rows),
        )


OUTLIERS: Finder = Outliers()
