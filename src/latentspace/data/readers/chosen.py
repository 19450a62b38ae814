"""Which of named arrays are the images, their labels, groups and names, by what the arrays are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...core.errors import DataError
from ..cleaning import sentence
from .array_names import CLASS_NAMES, ArrayName, all_taken_apart
from .axes import possible_axes, square_of
from .flat_axes import may_be_flat
from .label_columns import with_asked


@dataclass(frozen=True)
class Stored:
    """An array that is read when it is wanted; `dtype` is that of Python objects where it never is."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]

    @property
    def numeric(self) -> bool:
        return self.dtype.kind in "biuf"


@dataclass(frozen=True)
class Chosen:
    """The arrays of a source by what they are; `images` and `labels` by their parts."""

    images: Mapping[int, Stored]
    labels: Mapping[int, Stored] = field(default_factory=dict)
    groups: Mapping[int, Stored] = field(default_factory=dict)
    class_names: Stored | None = None
    split: Stored | None = None
    files: Stored | None = None


WHOLE = -1  # the part of an array that is no part


def choose(arrays: Sequence[Stored], origin: str, label: str | None = None) -> Chosen:
    """Which of `arrays` are what.

    Args:
        label: the array that has the labels, where a person says so.

    Raises:
        DataError: none can be images, or several can; or there is no such array.
    """
    names = with_asked(_names_of(arrays), None if len(arrays) == 1 else label, origin)
    sets = _by_set(arrays, names, lambda one: names[one.name].role == "images" and one.numeric)
    named = {key: found for key, found in sets.items() if all(map(can_be_images, found.values()))}
    if not named:
        unnamed = _by_set(arrays, names, lambda one: not names[one.name].role and _surely_images(one))
        if len(unnamed) == 1:
            sets = unnamed
        elif not sets:
            raise _no_images(arrays, origin)
    candidates = named or sets
    best = min(candidates, key=_preference)
    rivals = [key for key in candidates if key[0] != best[0] and _preference(key) == _preference(best)]
    if numbered := _numbered_as(candidates[best], arrays):
        raise _several_sets(numbered, origin)
    if rivals:
        raise _several_sets([next(iter(candidates[key].values())).name for key in (best, *rivals)], origin)
    prefix, images = best[0], candidates[best]

    def beside(role: str) -> Mapping[int, Stored]:
        of_role = _by_set(arrays, names, lambda one: names[one.name].role == role)
        fitting = {key: found for key, found in of_role.items() if key[0] in (prefix, ())}
        first = min(fitting, key=lambda key: (key[0] != prefix, key[1]), default=None)
        return {} if first is None else fitting[first]

    labels = beside("labels") or (_lone(arrays, names, images) if label is None else {})
    said = " ".join(one.name for one in labels.values()).casefold()
    own = [
        one
        for one in arrays
        if names[one.name].role == "class_names" and any(word in said for word in names[one.name].prefix)
    ]  # `coarse_label_names` of `coarse_label`
    return Chosen(
        images,
        labels=labels,
        groups=beside("groups"),
        class_names=own[0] if own else next(iter(beside("class_names").values()), None),
        split=next(iter(beside("split").values()), None),
        files=next(iter(beside("files").values()), None),
    )


def _lone(
    arrays: Sequence[Stored], names: Mapping[str, ArrayName], images: Mapping[int, Stored]
) -> Mapping[int, Stored]:
    """The labels where nothing is called so: the only array with a value for each image, of few kinds.

    As the lone column of a table beside images is.
    """

    def may_be(one: Stored) -> bool:
        said = names[one.name]
        return (
            not said.role and len(one.shape) == 1 and one.dtype.kind in "biuUS" and "fold" not in said.prefix
        )

    found = [
        some
        for some in _by_set(arrays, names, may_be).values()
        if some.keys() == images.keys()
        and all(one.shape[0] in images[part].shape for part, one in some.items())
    ]
    if len(found) != 1:
        return {}
    values = np.concatenate([one.read() for one in found[0].values()])
    return found[0] if 2 <= len(np.unique(values)) <= len(values) / 2 else {}


def _names_of(arrays: Sequence[Stored]) -> dict[str, ArrayName]:
    """What the names say; where there are labels besides, a short text called `classes` names them.

    A text as long as some part of the images is that part's labels: `y_test` beside a longer `y_train`; if
    it is called `names`, it names these images.
    """
    names = all_taken_apart([one.name for one in arrays])
    counts = {one.shape[0] for one in arrays if names[one.name].role == "images" and one.shape}
    for one in arrays:
        said = names[one.name]
        if (
            said.role == "class_names"
            and CLASS_NAMES[said.rank] == "names"
            and one.shape[:1]
            and one.shape[0] in counts
        ):
            names[one.name] = replace(said, role="files")
        text = len(one.shape) == 1 and one.shape[0] not in counts and one.dtype.kind in "US"
        others = [name for name, said in names.items() if said.role == "labels" and name != one.name]
        if names[one.name].role == "labels" and text and others and one.shape[0] < max(counts, default=0):
            names[one.name] = ArrayName((), "class_names")
    return names


def _numbered_as(chosen: Mapping[int, Stored], arrays: Sequence[Stored]) -> list[str]:
    """Arrays without names that can all be images, as of `numpy.savez(path, x_train, y_train, x_test)`."""
    first = chosen.get(WHOLE)
    if first is None or first.name != "arr_0":
        return []
    alike = [one for one in arrays if one.name.startswith("arr_") and one.shape[1:] == first.shape[1:]]
    return [one.name for one in alike] if len(alike) > 1 and len(first.shape) > 1 else []


def _preference(key: tuple[tuple[str, ...], int]) -> tuple[bool, int]:
    """The lower, the rather: a name without a prefix, then the rank of its word."""
    return bool(key[0]), key[1]


def _by_set(
    arrays: Sequence[Stored], names: Mapping[str, ArrayName], wanted: Callable[[Stored], bool]
) -> dict[tuple[tuple[str, ...], int], dict[int, Stored]]:
    """The arrays that are wanted by their prefix and rank; in each the whole, or the parts in their order."""
    sets: dict[tuple[tuple[str, ...], int], dict[int, Stored]] = {}
    for one in filter(wanted, arrays):
        name = names[one.name]
        found = sets.setdefault((name.prefix, name.rank), {})
        found.setdefault(WHOLE if name.part is None else name.part, one)
    return {
        key: {WHOLE: found[WHOLE]} if WHOLE in found else dict(sorted(found.items()))
        for key, found in sets.items()
    }


def can_be_images(one: Stored) -> bool:
    """Whether an array can be images, by its shape."""
    if len(one.shape) == 2:
        return any(map(square_of, one.shape))
    return one.numeric and (
        bool(possible_axes(one.shape))
        or len(possible_axes(one.shape, images_last=True)) > 0
        or may_be_flat(one.shape)
    )


def _surely_images(one: Stored) -> bool:
    """Whether an array of which the name says nothing can be images: flattened ones must be bytes."""
    if len(one.shape) == 2:
        return one.dtype == np.uint8 and can_be_images(one)
    return can_be_images(one)


def _no_images(arrays: Sequence[Stored], origin: str) -> DataError:
    return DataError(
        f"{origin} must hold images under a name such as images, x or X_train, or one array alone that "
        "can be images",
        found=sentence([f"{one.name} {_kind(one.dtype)}{one.shape}" for one in arrays]) or "no array",
        do="save them so: numpy.savez(path, images=..., labels=...)",
    )


def _several_sets(names: Sequence[str], origin: str) -> DataError:
    return DataError(
        f"{origin} must hold one set of images, or its parts train, val and test",
        found=sentence(names),
        do="name one of the files, or save the arrays of one set in a file of their own",
    )


def _kind(dtype: np.dtype) -> str:
    if dtype.hasobject:
        return "of Python objects, which are never unpickled, "
    return "of records " if dtype.names else f"{dtype} "
