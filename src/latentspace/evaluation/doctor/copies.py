"""Exact and near copies within a class and a part; conflicts.py and leaks.py have the others."""

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted
from ...data.cleaning import kept_of_copies
from ...data.imageset import ImageSet
from .finding import Finder, Finding, fine, skipped
from .subject import Subject


def alike(subject: Subject, one: Int64Array, other: Int64Array) -> np.ndarray:
    """Of pairs: whether the two have one label and are of one part."""
    images = subject.images
    same = np.ones(len(one), dtype=bool)
    for known in (images.labels, images.parts):
        if known is not None:
            same &= known[one] == known[other]
    return same


def _within(images: ImageSet) -> str:
    """Where copies are looked for here."""
    names = [name for name, known in (("class", images.labels), ("part", images.parts)) if known is not None]
    return f" within a {' and a '.join(names)}" if names else ""


class Copies:
    """Finds exact copies."""

    title = "exact copies"

    def find(self, subject: Subject) -> Finding:
        images = subject.images
        rows = np.concatenate([np.zeros(0, np.int64), *(one[1:] for one in subject.copies)])
        first = np.concatenate(
            [np.zeros(0, np.int64), *(np.full(len(one) - 1, one[0]) for one in subject.copies)]
        )
        same = alike(subject, rows, first) & ~np.isin(rows, subject.blank)
        rows, first = rows[same], first[same]
        if not len(rows):
            return fine(f"no {self.title}{_within(images)}")
        kept = kept_of_copies(images.image_hashes, images.labels, images.parts, "first")
        sets = len(np.unique(first))
        return Finding(
            "bad" if len(rows) > len(images) / 100 else "look",
            counted(len(rows), "exact copy"),
            f"{counted(sets, 'set')} of equal images"
            + (" of one class" if images.labels is not None else "")
            + f"; {len(rows) / len(images):.1%} of the images are beyond the first of their set.",
            "Keep one of each set. A split keeps copies in one part, but they weigh more than others do.",
            subject.command("latentspace train ae --data DATA --deduplicate --out runs/without-copies"),
            rows,
            beside=first,
            drop=np.setdiff1d(rows, kept),
        )


class NearCopies:
    """Finds near copies."""

    title = "near copies"

    def find(self, subject: Subject) -> Finding:
        pairs = subject.near
        if pairs is None:
            return skipped("near copies are looked for among at most a million images")
        same = alike(subject, pairs.first, pairs.second)
        rows, first = pairs.second[same], pairs.first[same]
        rows, place = np.unique(rows, return_index=True)
        order = np.argsort(place)
        rows, first = rows[order], first[place[order]]
        if not len(rows):
            return fine(f"no {self.title}{_within(subject.images)}")
        return Finding(
            "look",
            counted(len(rows), "near copy"),
            f"One picture, moved by a pixel or two, saved anew, scaled or brightened; "
            f"{len(rows) / len(subject.images):.1%} of the images, the closest first.",
            "A split that is drawn keeps them in one part, so scores stay honest. Look whether they are "
            "wanted.",
            subject.command("latentspace data info DATA --list near-copies"),
            rows,
            beside=first,
        )


COPIES: Finder = Copies()
NEAR_COPIES: Finder = NearCopies()
