"""Images without a sharp edge: out of focus, moved, or enlarged.

The largest steps from a pixel to the next are set beside the levels of the image, and beside those over three
pixels. Either alone is deceived, by faint noise or by a ramp of full contrast; a blurred edge is low in both.
"""

from typing import Final

import numpy as np

from ...core.wording import counted
from .blank import FAINT
from .finding import Finder, Finding, fine, skipped
from .subject import Subject

BLUNT: Final = 0.3  # sharpness, of an edge blurred by a Gaussian of 1.3 pixels
FLAT: Final = 0.4  # steepness, of the same edge
SMALLEST: Final = 8  # pixels a side


class Blurred:
    title = "blurred images"

    def find(self, subject: Subject) -> Finding:
        if min(subject.images.size) < SMALLEST:
            return skipped(f"images of fewer than {SMALLEST} pixels a side have no sharpness")
        found = subject.statistics
        soft = (found.sharpness < BLUNT) & (found.steepness < FLAT)
        rows = np.flatnonzero(soft & (found.contrast >= FAINT))
        if not len(rows):
            return fine("no blurred images")
        rows = rows[np.argsort(found.sharpness[rows], kind="stable")].astype(np.int64)
        return Finding(
            "look",
            counted(len(rows), "blurred image"),
            f"The largest step from a pixel to its neighbour is below {BLUNT:.0%} of the image's levels, "
            f"where it is {np.median(found.sharpness):.0%} in the middle image of the set, and below "
            f"{FLAT:.0%} of that over three pixels, where it is {np.median(found.steepness):.0%}.",
            "Look whether they were enlarged, out of focus or moved, and leave them out where they were.",
            subject.cleaned,
            rows,
            tuple(f"sharpness {found.sharpness[row]:.2f}" for row in rows),
        )


BLURRED: Finder = Blurred()
