"""Images with nothing on them."""

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine
from .statistics import FAINT
from .subject import Subject


class Blank:
    """Finds images of one flat colour, and of nearly one."""

    title = "blank and nearly blank images"

    def find(self, subject: Subject) -> Finding:
        rows = subject.empty
        if not len(rows):
            return fine("no blank images")
        contrast = subject.statistics.contrast
        rows = rows[np.argsort(contrast[rows], kind="stable")]
        flat = np.isin(rows, subject.blank)
        nearly = int((~flat).sum())
        said = (
            *([f"{counted(int(flat.sum()))} of one flat colour"] if flat.any() else []),
            *(
                [f"{counted(nearly)} with a standard deviation below {FAINT:g} of 255 levels"]
                if nearly
                else []
            ),
        )
        return Finding(
            "bad",
            f"{counted(len(rows))} with nothing on them",
            f"{', '.join(said)}{': noise, and no part brighter than another' if nearly else ''}.",
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
