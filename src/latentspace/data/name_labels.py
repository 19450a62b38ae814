"""The classes of images from their names: `cat.12.jpg` is a cat, if a pattern says so."""

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..core.errors import ConfigurationError
from ..core.wording import counted, option
from .by_names import TILE, ByName
from .config import DataConfig
from .imageset import ImageSet
from .readers.label_columns import NONE
from .readers.listed import described, noted

_FEW: Final = 10  # images, of which each may be a class by itself
_LOOKED_AT: Final = 20_000  # names that a pattern is tried on
_LEAST: Final = 4  # images, of which names may tell something
# How names with labels in them look: `great_pyrenees_12.jpg`, `cat12.jpg`, `cat-a.jpg`, `0012_cat.png`.
PATTERNS: Final = (
    r"^(.+?)[\W_]+\d+\.\w+$",
    r"^([^\W\d_]+)\d+\.\w+$",
    r"^([^\W\d_]+)[\W_]",
    r"[\W_]([^\W\d_]+)\.\w+$",
    r"[\W_](\d+)\.\w+$",
)


@dataclass(frozen=True)
class Suggestion:
    """A pattern that would give classes, and how many images each would have."""

    pattern: str
    counts: dict[str, int]


def labelled_by(images: ImageSet, text: str) -> ImageSet:
    """`images` with the classes that `text` gives them by their names; those without one are left out.

    Raises:
        ConfigurationError, DataError: as `ByName.of`; or each image is a class.
    """
    by_name = ByName("label", text)
    if images.files is None and not text.casefold().endswith((".csv", ".tsv")):
        raise ConfigurationError(
            f"{by_name.written} needs images with names",
            found=f"{images.source}: rows, without names of files",
            do="name a CSV of row and label, or leave it out",
        )
    labels = by_name.of([TILE.sub("", name) for name in images.names])
    classes = {label for label in labels if label is not None}
    if len(classes) == len(images) > _FEW:
        raise ConfigurationError(
            f"{by_name.written} must put several images into a class",
            found=f"{counted(len(classes), 'class')} of {counted(len(images))}",
            do="write a pattern whose parentheses hold the label alone",
        )
    note = f"{counted(len(classes), 'class')} from {by_name.written}"
    bare = replace(images, labels=None, class_names=())
    return described(noted(bare, note), labels, origin=by_name.written)


def without_label_column(config: DataConfig) -> DataConfig:
    """How images are read whose labels come from their names: without others, so that none is left out.

    Raises:
        ConfigurationError: a column of labels is asked for as well.
    """
    if config.label_by is None:
        return config
    if config.label is not None:
        raise ConfigurationError(
            "labels come from one place",
            found=f"{option('label', config.label)} and {option('label_by', config.label_by)}",
            do="leave out one of the two",
        )
    return config.model_copy(update={"label": NONE})


def suggestion(images: ImageSet) -> Suggestion | None:
    """A pattern for images without labels whose names seem to have some; None where they do not."""
    if images.labelled or images.files is None or not len(images) >= _LEAST:
        return None
    step = -(-len(images) // _LOOKED_AT)
    return suggested([posixpath.basename(TILE.sub("", name)) for name in images.names[::step]])


def suggested(names: Sequence[str]) -> Suggestion | None:
    """The first of the usual patterns that puts every name into one of a few classes of several images."""
    for pattern in PATTERNS:
        found = [re.search(pattern, name) for name in names]
        counts = Counter(one[1] for one in found if one)
        if counts.total() == len(names) and 2 <= len(counts) <= len(names) / 2:
            return Suggestion(pattern, dict(counts.most_common()))
    return None
