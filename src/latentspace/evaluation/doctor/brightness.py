"""Images that are dark, bright, or low in contrast."""

from typing import Final

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from .finding import Finder, Finding, fine
from .statistics import Statistics
from .subject import Subject

DARKEST: Final = 50.0  # levels: 99 % of a dark image's pixels are below it
BRIGHTEST: Final = 205.0  # 99 % of a bright image's pixels are above it
NARROW: Final = 64.0  # from the 1st to the 99th percentile of a low contrast
MOST: Final = 0.5  # of the images: so many are how the set is


def _dark(found: Statistics) -> np.ndarray:
    return found.high < DARKEST


def _bright(found: Statistics) -> np.ndarray:
    return found.low > BRIGHTEST


def _seen(subject: Subject) -> np.ndarray:
    """Not blank."""
    return ~np.isin(np.arange(len(subject.images)), subject.empty)


def _finding(subject: Subject, chosen: np.ndarray, worst: np.ndarray, what: str, rule: str) -> Finding:
    rows: Int64Array = np.flatnonzero(chosen).astype(np.int64)
    if not len(rows):
        return fine(f"no {what} images")
    rows = rows[np.argsort(worst[rows], kind="stable")]
    found = subject.statistics
    usual = len(rows) > MOST * len(subject.images)
    return Finding(
        "look",
        f"{counted(len(rows), f'{what} image')}",
        rule + (" That is how most of the set is." if usual else ""),
        "Stretch the levels of the whole set."
        if usual
        else "Look whether they show what they should; a cleaned table keeps them, with the reason.",
        subject.command("latentspace train ae --data DATA --levels percentile --out runs/stretched")
        if usual
        else subject.cleaned,
        rows,
        tuple(f"levels {found.low[row]:.0f} to {found.high[row]:.0f}" for row in rows),
    )


class Dark:
    """Finds images whose pixels are nearly all dark."""

    title = "dark images"

    def find(self, subject: Subject) -> Finding:
        found = subject.statistics
        rule = f"99% of the pixels of each are below level {DARKEST:g} of 255."
        return _finding(subject, _dark(found) & _seen(subject), found.high, "dark", rule)


class Bright:
    """Finds images whose pixels are nearly all bright."""

    title = "bright images"

    def find(self, subject: Subject) -> Finding:
        found = subject.statistics
        rule = f"99% of the pixels of each are above level {BRIGHTEST:g} of 255."
        return _finding(subject, _bright(found) & _seen(subject), -found.low, "bright", rule)


class LowContrast:
    """Finds images whose levels differ little."""

    title = "images low in contrast"

    def find(self, subject: Subject) -> Finding:
        found = subject.statistics
        chosen = (found.range < NARROW) & _seen(subject) & ~_dark(found) & ~_bright(found)
        rule = (
            f"From the 1st to the 99th percentile the pixels of each span less than {NARROW:g} of 255 levels."
        )
        return _finding(subject, chosen, found.range, "low-contrast", rule)


DARK: Finder = Dark()
BRIGHT: Finder = Bright()
LOW_CONTRAST: Finder = LowContrast()
