"""What a set of images holds, for `latentspace data info`: figures, and the names of its odd images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int64

from ..core.types import Int64Array
from .cleaning import blank, sets_of_copies
from .fitting import format_size
from .imageset import ImageSet
from .memmap import blocks
from .name_labels import Suggestion, suggestion
from .splits import PARTS


@dataclass(frozen=True, eq=False)
class Facts:
    """Figures of a set, each worked out once, when it is asked for; pixels are walked in blocks.

    Args:
        near: the indices of the images of each set of near copies, or None where they were not looked for.
    """

    images: ImageSet
    near: Sequence[Int64Array] | None = None

    @cached_property
    def histogram(self) -> Int64[np.ndarray, "256"]:
        """How often each byte occurs."""
        counts = np.zeros(256, dtype=np.int64)
        for here in blocks(self.images.pixels):
            counts += np.bincount(self.images.pixels[here].reshape(-1), minlength=256)
        return counts

    @cached_property
    def mean_and_deviation(self) -> tuple[float, float]:
        """Of all pixels, in 0..1: exact up to the last division."""
        values, shares = np.arange(256) / 255, self.histogram / self.histogram.sum()
        mean = float(values @ shares)
        return mean, float(np.sqrt((values - mean) ** 2 @ shares))

    @property
    def levels(self) -> dict[str, int]:
        """How many of the 256 bytes occur, the lowest and the highest of them."""
        there = np.flatnonzero(self.histogram)
        return {"used": len(there), "lowest": int(there[0]), "highest": int(there[-1])}

    @cached_property
    def blank(self) -> Int64Array:
        return blank(self.images.pixels)

    @cached_property
    def copies(self) -> list[Int64Array]:
        return sets_of_copies(self.images.image_hashes)

    @cached_property
    def conflicts(self) -> list[Int64Array]:
        """The sets of copies that have more than one label."""
        labels = self.images.labels
        return [] if labels is None else [one for one in self.copies if len(np.unique(labels[one])) > 1]

    @property
    def per_class(self) -> dict[str, int]:
        names = self.images.class_names
        labels = np.zeros(0, np.int64) if self.images.labels is None else self.images.labels
        return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))

    @property
    def parts(self) -> dict[str, int]:
        """The images of each part of the publisher's split; `none`: of no part."""
        if self.images.parts is None:
            return {}
        none, *counts = np.bincount(self.images.parts + 1, minlength=1 + len(PARTS)).tolist()
        found = dict(zip(PARTS, counts, strict=True)) | {"none": none}
        return {name: many for name, many in found.items() if many}

    @property
    def groups(self) -> dict[str, int] | None:
        """How many groups there are, and the images of the smallest and the largest."""
        if self.images.groups is None:
            return None
        _, counts = np.unique(self.images.groups, return_counts=True)
        return {"count": len(counts), "smallest": int(counts.min()), "largest": int(counts.max())}

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that the images had before they were brought to one, and how many had each."""
        found = {format_size((one.height, one.width)): one.images for one in self.images.record.sizes}
        return found or {format_size(self.images.size): len(self.images)}

    @property
    def near_copies(self) -> dict[str, int] | None:
        """Near copies: the sets of them, and the images beyond the first of each set."""
        if self.near is None:
            return None
        return {"sets": len(self.near), "images": sum(len(one) - 1 for one in self.near)}

    @cached_property
    def suggestion(self) -> Suggestion | None:
        """The pattern with which names would give classes, where there are no labels."""
        return suggestion(self.images)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.images.record.warnings

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        images, record = self.images, self.images.record
        mean, deviation = self.mean_and_deviation
        height, width = images.size
        unreadable = [f"{one.name}: {one.reason}" for one in record.unreadable]
        copies, blank = self._names(self.copies), list(images.names_of(self.blank))
        names = {
            "blank": blank,
            "copies": copies,
            "near_copies": self._names(self.near or ()),
            "conflicts": self._names(self.conflicts),
            "unreadable": [one.name for one in record.unreadable],
        }
        return {
            "source": images.source,
            "images": len(images),
            "height": height,
            "width": width,
            "channels": images.channels,
            "sizes": self.sizes,
            "levels": self.levels,
            "mean": mean,
            "standard_deviation": deviation,
            "blank": len(blank),
            "duplicate_groups": images.duplicates.groups,
            "duplicate_images": images.duplicates.extra,
            "largest_duplicate_group": images.duplicates.largest,
            "near_copies": self.near_copies,
            "conflicts": len(self.conflicts),
            "unreadable": unreadable,
            "duplicates_dropped": record.duplicates_dropped,
            "conversions": list(record.conversions),
            "warnings": list(self.warnings),
            "content_hash": images.content_hash,
            "per_class": self.per_class,
            "label_by": None if self.suggestion is None else self.suggestion.pattern,
            "parts": self.parts,
            "groups": self.groups,
            "blank_images": blank,
            "copies": copies,
            "names": names,
        }

    def _names(self, sets: Sequence[Int64Array]) -> list[list[str]]:
        return [list(self.images.names_of(one)) for one in sets]
