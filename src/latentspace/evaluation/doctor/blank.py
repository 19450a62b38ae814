"""Images with nothing on them."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine
from .subject import Subject

FAINT: Final = 3.0  # levels of 255: the standard deviation below which nothing can be seen


class Blank:
    title = "blank and nearly blank images"

    def find(self, subject: Subject) -> Finding:
        contrast = subject.statistics.contrast
        rows = np.flatnonzero(contrast < FAINT).astype(np.int64)
        if not len(rows):
            return fine("no blank images")
        rows = rows[np.argsort(contrast[rows], kind="stable")]
        flat = np.isin(rows, subject.blank)
        return Finding(
            "bad",
            f"{counted(len(rows))} with nothing on them",
            f"{counted(int(flat.sum()))} of one flat colour; of the others the standard deviation is below "
            f"{FAINT:g} of 255 levels.",
            "Leave them out: a network learns them at once, and its error looks better than it is.",
            subject.cleaned,
            rows,
            tuple(
                "one colour" if one else f"standard deviation {contrast[row]:.1f}"
                for row, one in zip(rows, flat, strict=True)
            ),
            drop=rows,
        )


BLANK: Finder = Blank()
