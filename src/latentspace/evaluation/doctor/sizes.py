"""Images of another size or shape than the others."""

from collections import Counter
from typing import Final

import numpy as np

from ...core.wording import counted
from ...data.fitting import format_size
from .finding import Finder, Finding, Numbers, fine
from .subject import Subject

USUAL: Final = 0.9  # of the images: what so many have is the set's size
SHAPE: Final = 1.5  # times as wide, or as high, as the middle image is
SMALL: Final = 0.5  # of the side of the middle image
SHOWN: Final = 20  # sizes that are listed


class Sizes:
    """Finds images of another size or shape than most."""

    title = "images of odd size or shape"

    def find(self, subject: Subject) -> Finding:
        files, record = subject.files, subject.images.record
        if files is None and not record.sizes:
            return fine("all images have one size", format_size(subject.images.size))
        if files is None:
            counts = {(one.height, one.width): one.images for one in record.sizes}
            return _listed(subject, counts)
        counts = dict(Counter(zip(files.heights.tolist(), files.widths.tolist(), strict=True)))
        if len(counts) == 1:
            return fine("all images have one size", format_size(next(iter(counts))))
        size, many = max(counts.items(), key=lambda one: one[1])
        if many >= USUAL * len(subject.images):
            odd = (files.heights != size[0]) | (files.widths != size[1])
            rule = f"{many:,} images are {format_size(size)}."
        else:
            shape = np.abs(
                np.log(files.widths / files.heights) - np.log(np.median(files.widths / files.heights))
            )
            side = np.minimum(files.heights, files.widths)
            odd = (shape > np.log(SHAPE)) | (side < SMALL * np.median(side))
            rule = (
                f"They are {SHAPE:g} times as wide or as high, or smaller than {SMALL:.0%} of the side, "
                "of the "
                "middle image."
            )
        rows = np.flatnonzero(odd).astype(np.int64)
        rows = rows[np.argsort(files.heights[rows] * files.widths[rows], kind="stable")]
        if not len(rows):
            return fine("no images of odd size or shape", f"{counted(len(counts), 'size')}")
        found = _listed(subject, counts)
        return Finding(
            "look",
            f"{counted(len(rows))} of odd size or shape",
            rule,
            found.advice,
            found.command,
            rows,
            tuple(format_size((int(files.heights[row]), int(files.widths[row]))) for row in rows),
            tables=found.tables,
        )


def _listed(subject: Subject, counts: dict[tuple[int, int], int]) -> Finding:
    """The sizes alone, where no image is known to have one of them."""
    common = sorted(counts.items(), key=lambda one: -one[1])
    rows = tuple((format_size(size), f"{many:,}") for size, many in common[:SHOWN])
    size = format_size(subject.images.size)
    return Finding(
        "look",
        counted(len(counts), "size"),
        f"All images are brought to {size}.",
        "Choose the size and how images are fitted to it.",
        subject.command("latentspace data info DATA --resize SIZE --fit pad").replace("SIZE", size),
        tables=(Numbers("Sizes", ("size", "images"), rows),),
        count=len(counts),
    )


SIZES: Finder = Sizes()
