"""Which column, or which array, has the labels, where a person says so: `data.label`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...core.errors import DataError
from ...core.wording import option
from ..cleaning import sentence
from ..imageset import ImageSet
from .array_names import ArrayName, same_words
from .filenames import shown
from .tables import plain

NONE: Final = "none"  # the column that stands for no labels


class UnknownColumnError(DataError):
    """A column of labels that a table does not have."""


@dataclass(frozen=True)
class Wanted:
    """What is known of the labels in a table: the name of their column, and some of the classes."""

    label: str | None = None
    classes: Sequence[str] = ()


def asked_column(names: Sequence[str], label: str | None, origin: object) -> int | None:
    """The place of the column that is asked for; None where none is.

    Raises:
        UnknownColumnError: there is none of that name; says which there are.
    """
    if label is None or label == NONE:
        return None
    for spelled in (str, plain):
        found = [place for place, name in enumerate(names) if spelled(name) == spelled(label)]
        if len(found) == 1:
            return found[0]
    raise unknown_column(names, label, origin)


def unknown_column(names: Sequence[str], label: str, origin: object) -> UnknownColumnError:
    listed = sentence([shown(name[:60]) for name in names], most=12)
    return UnknownColumnError(
        f"{origin} must have the column of labels that is asked for",
        found=f"no {label!r}; there are {listed}" if names else f"no {label!r}, and no names of columns",
        do=f"name one of them ({option('label', 'COLUMN')}), or leave it out",
    )


def with_asked(names: Mapping[str, ArrayName], label: str | None, origin: object) -> dict[str, ArrayName]:
    """What the names of arrays say, where the labels are those in the array `label` and no others.

    Raises:
        UnknownColumnError: there is no such array.
    """
    if label is None or label == NONE:
        return dict(names)
    found = {name for name in names if same_words(name, label)}
    if not found:
        rest = [name for name, said in names.items() if said.role != "images"]
        raise unknown_column(rest, label, origin)
    changed = {name: replace(said, role="other") for name, said in names.items() if said.role == "labels"}
    asked = {name: ArrayName((), "labels", part=names[name].part) for name in found}
    return {**names, **changed, **asked}


def without_columns(images: ImageSet, label: str | None) -> ImageSet:
    """`images`, which come without columns, with a note of the one that was named, if one was."""
    return images if label in (None, NONE) else _with_unused(images, str(label))


def with_used(images: ImageSet) -> ImageSet:
    """`images` without that note: something else has the column."""
    return _with_unused(images, "")


def with_unused_told(images: ImageSet) -> ImageSet:
    """`images` with that note as a warning."""
    label = images.record.unused_label
    if not label:
        return images
    warning = f"{option('label', label)} is not used, as there is no table of labels for {images.source}"
    record = images.record
    told = record.model_copy(update={"warnings": (*record.warnings, warning), "unused_label": ""})
    return replace(images, record=told)


def _with_unused(images: ImageSet, label: str) -> ImageSet:
    return replace(images, record=images.record.model_copy(update={"unused_label": label}))
