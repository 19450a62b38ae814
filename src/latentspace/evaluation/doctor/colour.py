"""Images in colour among grey ones, and grey ones among those in colour."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine
from .subject import Subject

TINT: Final = 2.0  # levels: the mean difference of the channels, below which an image is grey
FEW: Final = 0.2  # of the images: what more have is no exception


class Colour:
    """Finds the few images in colour among grey ones, or the few grey ones."""

    title = "colour among grey, grey among colour"

    def find(self, subject: Subject) -> Finding:
        images = subject.images
        if images.channels != 3:
            return fine("all images have the same channels", images.colour)
        tint = subject.statistics.colour
        coloured = tint > TINT
        few, word = (coloured, "in colour") if coloured.mean() < 0.5 else (~coloured, "grey")
        if not few.any() or few.mean() > FEW:
            return fine(
                "no exceptions in colour", f"{counted(int(coloured.sum()))} in colour, of {len(images):,}"
            )
        rows = np.flatnonzero(few).astype(np.int64)
        order = np.argsort(-tint[rows] if word == "in colour" else tint[rows], kind="stable")
        rows = rows[order]
        others = "grey" if word == "in colour" else "in colour"
        return Finding(
            "look",
            f"{counted(len(rows))} {word}, where the others are {others}",
            f"Grey is an image whose channels differ by less than {TINT:g} levels of 255 in the mean.",
            "Make all of them grey, or leave these out.",
            subject.command("latentspace train ae --data DATA --channels 1 --out runs/grey"),
            rows,
            tuple(f"channels differ by {tint[row]:.1f}" for row in rows),
        )


COLOUR: Finder = Colour()
