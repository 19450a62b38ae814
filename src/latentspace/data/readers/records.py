"""Arrays of records (NumPy's structured arrays) -> the array of each field: `image`, `label`.

Fields of single numbers are the pixels of an image where they are as many as a square has, or its colours
where they are called so.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final

import numpy as np

from .array_names import taken_apart
from .axes import square_of
from .chosen import Stored

_INDEX: Final = ("index", "level_0", "id")
_COLOURS: Final = (("r", "g", "b"), ("r", "g", "b", "a"), ("red", "green", "blue"))


def fields_of(one: Stored) -> list[Stored]:
    """The fields of an array of records as arrays; another array as it is."""
    if not one.dtype.names or one.dtype.hasobject or is_deep(one.dtype):
        return [one]
    whole = cache(one.read)
    found = []
    for name in one.dtype.names:
        kind = one.dtype[name]
        field = partial(_field, whole, name)
        found.append(Stored(name, one.shape + kind.shape, kind.base, field))
    pixels = _pixels(found) if all(field.shape == one.shape for field in found) else []
    if not pixels:
        return found
    kind = np.result_type(*(one.dtype for one in pixels))
    images = Stored("images", (*one.shape, len(pixels)), kind, partial(_side_by_side, pixels))
    return [images, *(one for one in found if one not in pixels)]


def within(one: Stored) -> list[Stored]:
    """The fields of a named array, called `array/field`; another array as it is."""
    fields = fields_of(one)
    return (
        fields if fields == [one] else [replace(field, name=f"{one.name}/{field.name}") for field in fields]
    )


def is_deep(dtype: np.dtype) -> bool:
    """Whether a field of records is one of records itself."""
    return any(dtype[name].base.names for name in dtype.names or ())


def _field(whole: Any, name: str) -> np.ndarray:
    return np.asarray(whole()[name])


def _pixels(fields: Sequence[Stored]) -> list[Stored]:
    if tuple(one.name.casefold() for one in fields) in _COLOURS:
        return list(fields)
    if len(fields[0].shape) > 1:
        return []
    numbers = [one for one in fields if one.numeric and one.name.casefold() not in _INDEX]
    left = [one for one in numbers if taken_apart(one.name).role not in ("labels", "groups", "split")]
    return left if square_of(len(left)) else []


def _side_by_side(pixels: Sequence[Stored]) -> np.ndarray:
    return np.stack([one.read() for one in pixels], axis=-1)
