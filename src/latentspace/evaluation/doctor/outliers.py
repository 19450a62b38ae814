"""Images unlike all others, by their codes and by their reconstructions."""

from typing import Final

import numpy as np

from ...core.wording import counted
from ...inference.anomalies import NEIGHBOUR, relative_error, surprise
from ...inference.nearest import nearest
from .finding import Finder, Finding, fine, skipped
from .subject import Subject

RARE: Final = 1e-4  # the share of usual images that score as high, about
MOST: Final = 0.01  # of the images
AT_ONCE: Final = 8_192  # images


class Outliers:
    title = "images unlike all others"

    def find(self, subject: Subject) -> Finding:
        if subject.why_no_codes:
            return skipped(subject.why_no_codes)
        pixels, codes = subject.images.pixels, subject.codes
        starts = range(0, len(codes), AT_ONCE)
        error = np.concatenate(
            [
                relative_error(subject.errors[one : one + AT_ONCE], pixels[one : one + AT_ONCE])
                for one in starts
            ]
        )
        distance = nearest(codes, codes, NEIGHBOUR, own=np.arange(len(codes))).distances[:, -1]
        missed, far = surprise(error, error), surprise(distance, distance)
        score = missed + far
        score[subject.blank] = -np.inf  # they have a finding of their own
        rows = np.argsort(-score, kind="stable")[: max(1, int(MOST * len(codes)))]
        rows = rows[(1 + score[rows]) * np.exp(-score[rows]) < RARE].astype(np.int64)  # of two exponentials
        if not len(rows):
            return fine("no image is unlike all others", f"by {subject.coder.words}")
        return Finding(
            "look",
            f"{counted(len(rows))} unlike all others",
            f"By {subject.coder.words}, as `latentspace anomalies` ranks: the error of the reconstruction "
            f"and the distance to the fifth nearest code are together as high for about one image in "
            f"{round(1 / RARE):,}. At most the {MOST:.0%} most unusual are named.",
            "Look whether they belong to the set; a cleaned table keeps them, with the reason.",
            subject.cleaned,
            rows,
            tuple(f"-log p: distance {far[row]:.1f}, error {missed[row]:.1f}" for row in rows),
        )


OUTLIERS: Finder = Outliers()
