"""Images without fine detail: out of focus, moved, or enlarged.

Blur takes the fine detail of an image and leaves the coarse: differences of neighbouring pixels change slowly
from one place to the next, whatever their size. Noise on top of blur hides it.
"""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine, skipped
from .statistics import FAINT
from .subject import Subject

SMOOTH: Final = (
    0.65  # mobility, which 95 of 100 images that are blurred by a Gaussian of 1.5 pixels are below
)
SMALLEST: Final = 8  # pixels a side


class Blurred:
    """Finds images without fine detail."""

    title = "blurred images"

    def find(self, subject: Subject) -> Finding:
        if min(subject.images.size) < SMALLEST:
            return skipped(f"images of fewer than {SMALLEST} pixels a side have no sharpness")
        found = subject.statistics
        rows = np.flatnonzero((found.mobility < SMOOTH) & (found.contrast >= FAINT))
        if not len(rows):
            return fine("no blurred images")
        rows = rows[np.argsort(found.mobility[rows], kind="stable")].astype(np.int64)
        return Finding(
            "look",
            counted(len(rows), "blurred image"),
            "The steps from a pixel to its neighbour change slowly: second differences are below "
            f"{SMOOTH:.0%} of first ones (root mean squares), where they are "
            f"{np.median(found.mobility):.0%} in the middle image of the set.",
            "Look whether they were enlarged, out of focus or moved; a cleaned table keeps them, with the "
            "reason.",
            subject.cleaned,
            rows,
            tuple(f"{found.mobility[row]:.0%} of first differences" for row in rows),
        )


BLURRED: Finder = Blurred()
