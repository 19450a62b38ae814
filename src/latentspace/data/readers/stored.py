"""Named arrays -> an ImageSet: those of an .npz, of an HDF5 or MATLAB file, of a folder of such files.

Which are images, labels, groups and class names their names say (`array_names`); without such a name, the
only array that can be images is taken. What is not needed is not read, so Python objects beside images do no
harm. The parts of a publisher's split are joined in the order train, validation, test, and kept in
`ImageSet.parts`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array, Pixels
from ...core.wording import counted
from ..cleaning import CleaningRecord, sentence
from ..config import DataConfig
from ..imageset import ImageSet
from ..levels import Levels, to_bytes
from ..memmap import allocate, blocks
from ..transparency import Opacity, flattened
from .array_names import ArrayName, Rows, all_taken_apart, taken_apart
from .axes import Arranged, arranged, possible_axes, square_of
from .emnist import UPRIGHT, is_emnist
from .filenames import numbered, shown
from .labels import as_column, check_count, classes_of_labels

logger = logging.getLogger(__name__)


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


def images_of(
    arrays: Sequence[Stored], *, origin: str, source: str, config: DataConfig, images_last: bool = False
) -> ImageSet:
    """The images among `arrays`, with what stands beside them.

    Args:
        images_last: whether the axis of the images comes last where the shape leaves that open (MATLAB).

    Raises:
        DataError: no images, more than one array that can be images, or arrays that do not fit.
    """
    chosen = choose(arrays, origin)
    _tell(chosen, arrays)
    objects = [one.name for one in chosen.labels.values() if one.dtype.hasobject]
    labels = {} if objects else {part: one.read() for part, one in chosen.labels.items()}
    loaded = []
    for part, one in chosen.images.items():
        count = _count_of(labels.get(part), one.shape)
        array = one.read()
        name = origin if len(chosen.images) == 1 else f"{origin} ({one.name})"
        ordered = arranged(array, name, count=count, images_last=images_last)
        loaded.append(_upright(ordered) if is_emnist(Path(origin).name) and array.ndim == 2 else ordered)
    counts = [len(one.array) for one in loaded]
    pixels, record = as_bytes(
        joined([one.array for one in loaded], origin), config.levels, origin, alpha=loaded[0].alpha
    )
    record = record.after(*dict.fromkeys(note for one in loaded for note in one.notes))
    numbers, class_names, left_out = _labels(chosen, labels, counts, origin)
    if objects:
        left_out = f"labels of {origin} left out: {objects[0]} are Python objects, which are never unpickled"
    return ImageSet(
        pixels,
        source=source,
        labels=numbers,
        class_names=class_names,
        groups=_groups(chosen.groups, len(pixels), origin),
        record=record.model_copy(update={"warnings": (left_out,) if left_out else ()}),
        files=_files(chosen, counts),
        parts=_parts(chosen, counts, origin),
    )


def _upright(rows: Arranged) -> Arranged:
    """EMNIST's images, which lie on their side in its flattened rows."""
    return rows._replace(array=rows.array.swapaxes(2, 3), notes=(*rows.notes, UPRIGHT))


def choose(arrays: Sequence[Stored], origin: str) -> Chosen:
    """Which of `arrays` are what.

    Raises:
        DataError: none can be images, or several can.
    """
    names = _names_of(arrays)
    sets = _by_set(arrays, names, lambda one: names[one.name].role == "images" and one.numeric)
    named = {key: found for key, found in sets.items() if all(map(_can_be_images, found.values()))}
    if not named:
        unnamed = _by_set(arrays, names, lambda one: not names[one.name].role and _surely_images(one))
        if len(unnamed) == 1:
            sets = unnamed
        elif not sets:
            raise _no_images(arrays, origin)
    candidates = named or sets
    best = min(candidates, key=_preference)
    rivals = [key for key in candidates if key[0] != best[0] and _preference(key) == _preference(best)]
    if rivals:
        raise _several_sets([next(iter(candidates[key].values())).name for key in (best, *rivals)], origin)
    prefix, images = best[0], candidates[best]

    def beside(role: str) -> Mapping[int, Stored]:
        of_role = _by_set(arrays, names, lambda one: names[one.name].role == role)
        fitting = {key: found for key, found in of_role.items() if key[0] in (prefix, ())}
        first = min(fitting, key=lambda key: (key[0] != prefix, key[1]), default=None)
        return {} if first is None else fitting[first]

    return Chosen(
        images,
        labels=beside("labels"),
        groups=beside("groups"),
        class_names=next(iter(beside("class_names").values()), None),
        split=next(iter(beside("split").values()), None),
        files=next(iter(beside("files").values()), None),
    )


def _names_of(arrays: Sequence[Stored]) -> dict[str, ArrayName]:
    """What the names say; where there are labels besides, a short text called `classes` names them.

    A text as long as some part of the images is that part's labels: `y_test` beside a longer `y_train`.
    """
    names = all_taken_apart([one.name for one in arrays])
    counts = {one.shape[0] for one in arrays if names[one.name].role == "images" and one.shape}
    for one in arrays:
        text = len(one.shape) == 1 and one.shape[0] not in counts and one.dtype.kind in "US"
        others = [name for name, said in names.items() if said.role == "labels" and name != one.name]
        if names[one.name].role == "labels" and text and others and one.shape[0] < max(counts, default=0):
            names[one.name] = ArrayName((), "class_names")
    return names


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


def _can_be_images(one: Stored) -> bool:
    if len(one.shape) == 2:
        return any(map(square_of, one.shape))
    return one.numeric and (
        bool(possible_axes(one.shape)) or len(possible_axes(one.shape, images_last=True)) > 0
    )


def _surely_images(one: Stored) -> bool:
    """Whether an array of which the name says nothing can be images: flattened ones must be bytes."""
    if len(one.shape) == 2:
        return one.dtype == np.uint8 and _can_be_images(one)
    return _can_be_images(one)


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


def _tell(chosen: Chosen, arrays: Sequence[Stored]) -> None:
    used = [*chosen.images.values(), *chosen.labels.values(), *chosen.groups.values()]
    used += [one for one in (chosen.class_names, chosen.split, chosen.files) if one is not None]
    labels = " + ".join(one.name for one in chosen.labels.values())
    images = " + ".join(one.name for one in chosen.images.values())
    logger.info("images from %s, %s", images, f"labels from {labels}" if labels else "no labels")
    rest = [one.name for one in arrays if one not in used]
    if rest:
        logger.info("not read: %s", sentence(rest))


def _count_of(labels: np.ndarray | None, shape: tuple[int, ...]) -> int | None:
    """How many images the labels speak of, where that is one of the sizes of the images."""
    sizes = [size for size in (labels.shape if labels is not None else ()) if size > 1 and size in shape]
    return max(sizes, default=None)


def joined(arrays: Sequence[np.ndarray], origin: str) -> np.ndarray:
    """One array of parts that have one shape and one type; on disk where one of them is.

    Raises:
        DataError: they have not.
    """
    if len(arrays) == 1:
        return arrays[0]
    if len({(one.shape[1:], one.dtype.newbyteorder("=")) for one in arrays}) > 1:
        raise DataError(
            f"the parts of {origin} must have one shape and one kind of numbers",
            found=", ".join(f"{one.dtype} {one.shape}" for one in arrays),
            do="save each part in a file of its own, and name that",
        )
    mapped = next((one for one in arrays if isinstance(one, np.memmap)), None)
    if mapped is None or mapped.dtype != np.uint8:
        return np.concatenate(arrays)
    whole, start = allocate((sum(map(len, arrays)), *mapped.shape[1:]), mapped), 0
    for one in arrays:
        for here in blocks(one):
            whole[start + here.start : start + here.stop] = one[here]
        start += len(one)
    return whole


def as_bytes(
    array: np.ndarray, levels: str, origin: str, *, alpha: bool = False
) -> tuple[Pixels, CleaningRecord]:
    """Images x channels x height x width of any numbers -> bytes; and what was done to them.

    Args:
        alpha: whether the last of four channels is alpha, where most of its values are 0 or 255.
    """
    pixels, record = to_bytes(array, Levels.parse(levels), origin)
    if alpha and pixels.shape[1] == 4:
        opacity = pixels[:, 3:]
        if 2 * np.isin(opacity, (0, 255)).sum() >= opacity.size:
            seen, shows = Opacity(), (opacity != 255).any(axis=(1, 2, 3))
            last = pixels[shows].transpose(0, 2, 3, 1)
            seen.add(last[..., :3], last[..., 3:], int(shows.sum()))
            pixels = flattened(pixels[:, :3], opacity, seen.ground)
            if seen.images:
                record = record.then(f"{counted(seen.images)} {seen.words}")
        else:
            record = record.then("images of 4 channels, all of them kept: the fourth is no alpha")
    return pixels if isinstance(pixels, np.memmap) else np.ascontiguousarray(pixels), record


def _labels(
    chosen: Chosen, labels: Mapping[int, np.ndarray], counts: Sequence[int], origin: str
) -> tuple[Int64Array | None, tuple[str, ...], str]:
    """The classes of all images; what is said where labels are left out."""
    if not labels:
        return None, (), ""
    if set(labels) != set(chosen.images):
        if WHOLE not in labels:
            some = " + ".join(one.name for one in chosen.labels.values())
            return None, (), f"labels of {origin} left out: {some} are not those of all images"
        whole = labels[WHOLE]
    elif len(labels) == 1:
        (whole,) = labels.values()
    else:
        columns = []
        for count, (part, one) in zip(counts, labels.items(), strict=True):
            if one.ndim == 2 and one.shape == (1, count):  # as MATLAB has rows
                one = one.reshape(-1)  # noqa: PLW2901
            if one.ndim != 1 and 1 not in one.shape and len(one) != count == one.shape[-1]:
                one = one.T  # noqa: PLW2901 - one-hot columns
            check_count("labels", one, count, f"{origin} ({chosen.labels[part].name})")
            columns.append(one)
        whole = joined(columns, origin)
    names = None if chosen.class_names is None else chosen.class_names.read()
    return classes_of_labels(whole, names, sum(counts), origin)


def _groups(groups: Mapping[int, Stored], count: int, origin: str) -> Int64Array | None:
    if not groups:
        return None
    column = joined([one.read() for one in groups.values()], origin)
    check_count("groups", column, count, origin)
    whole, _ = as_column(column, count)  # numbers may be floats, as pandas has them
    return numbered(column if whole is None else whole, origin)[0]


def _parts(chosen: Chosen, counts: Sequence[int], origin: str) -> Int64Array | None:
    if len(chosen.images) > 1:
        return np.repeat(np.array(list(chosen.images), dtype=np.int64), counts)
    if chosen.split is None or chosen.split.dtype.kind not in "USiu":
        return None
    column = chosen.split.read()
    check_count("parts", column, counts[0], origin)
    if column.dtype.kind in "iu":
        if int(column.min()) >= -1 and int(column.max()) <= 2:
            return column.astype(np.int64)
        logger.warning("parts of %s left out: numbers other than 0, 1, 2 and -1", origin)
        return None
    numbers, names = numbered(column, origin)
    parts = [taken_apart(name).part for name in names]
    known = np.array([WHOLE if part is None else part for part in parts], dtype=np.int64)
    return np.asarray(known[numbers])


def _files(chosen: Chosen, counts: Sequence[int]) -> Sequence[str] | None:
    """The name of each image, where there are names of all; else its row in one of several arrays."""
    if len(counts) > 1:
        return Rows([one.name for one in chosen.images.values()], counts)
    if chosen.files is None or chosen.files.dtype.kind not in "US" or chosen.files.shape != (counts[0],):
        return None
    column = chosen.files.read()
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8", "backslashreplace")
    return tuple(shown(name) for name in column.tolist())
