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

_NOT_USED: Final = "is not used, as there is no table of labels for"
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
    """`images`, which come without columns; a warning where one was named."""
    if label in (None, NONE):
        return images
    warning = f"{option('label', str(label))} {_NOT_USED} {images.source}"
    record = images.record.model_copy(update={"warnings": (*images.record.warnings, warning)})
    return replace(images, record=record)


def without_that_warning(images: ImageSet) -> tuple[ImageSet, bool]:
    """`images` without the warning of `without_columns`, and whether they had it."""
    kept = tuple(one for one in images.record.warnings if _NOT_USED not in one)
    return replace(images, record=images.record.model_copy(update={"warnings": kept})), (
        len(kept) < len(images.record.warnings)
    )
