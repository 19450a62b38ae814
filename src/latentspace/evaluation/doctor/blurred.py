"""Images without a sharp edge, in a set that has them."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .blank import FAINT
from .finding import Finder, Finding, fine, skipped
from .statistics import robust_score
from .subject import Subject

BLUNT: Final = 0.3  # sharpness: that of an edge blurred by a Gaussian of 1.3 pixels
APART: Final = -3.5  # standard deviations from the set's own sharpness
SMALLEST: Final = 8  # pixels a side


class Blurred:
    title = "blurred images"

    def find(self, subject: Subject) -> Finding:
        if min(subject.images.size) < SMALLEST:
            return skipped(f"images of fewer than {SMALLEST} pixels a side have no sharpness")
        found = subject.statistics
        score = robust_score(np.log(np.maximum(found.sharpness, 1e-3)))
        rows = np.flatnonzero((found.sharpness < BLUNT) & (score < APART) & (found.contrast >= FAINT))
        if not len(rows):
            return fine("no blurred images")
        rows = rows[np.argsort(found.sharpness[rows], kind="stable")].astype(np.int64)
        return Finding(
            "look",
            counted(len(rows), "blurred image"),
            f"The largest step from a pixel to its neighbour is below {BLUNT:.0%} of the image's levels, "
            f"where it is {np.median(found.sharpness):.0%} in the middle image of the set.",
            "Look whether they were enlarged, out of focus or moved, and leave them out where they were.",
            subject.cleaned,
            rows,
            tuple(f"sharpness {found.sharpness[row]:.2f}" for row in rows),
        )


BLURRED: Finder = Blurred()
