"""Named arrays -> an ImageSet: those of an .npz, of an HDF5 or MATLAB file, of a folder of such files.

Which are images, labels, groups and class names their names say (`array_names`); without such a name, the
only array that can be images is taken. What is not needed is not read, so Python objects beside images do no
harm. The parts of a publisher's split are joined in the order train, validation, test, and kept in
`ImageSet.parts`.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ...core.types import Int64Array
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .array_names import Rows, taken_apart
from .axes import Arranged, arranged
from .chosen import WHOLE, Chosen, Stored, choose
from .class_arrays import each_by_its_name
from .emnist import UPRIGHT, is_emnist
from .filenames import numbered, shown
from .flat_axes import flat
from .label_columns import without_columns
from .labels import as_column, check_count, classes_of_labels
from .open_labels import with_open_parts
from .pixels_of import as_bytes, joined

logger = logging.getLogger(__name__)

ORDER: Final = "NCHW"  # images, channels, height, width: what an array `axes` beside images says


def images_of(
    arrays: Sequence[Stored], *, origin: str, source: str, config: DataConfig, images_last: bool = False
) -> ImageSet:
    """The images among `arrays`, with what stands beside them.

    Args:
        images_last: whether the axis of the images comes last where the shape leaves that open (MATLAB).

    Raises:
        DataError: no images, more than one array that can be images, or arrays that do not fit.
    """
    declared, arrays = _declared(arrays)
    each = each_by_its_name(arrays, origin=origin, source=source, config=config, images_last=images_last)
    if each is not None:
        return each
    chosen = choose(arrays, origin, config.label)
    _tell(chosen, arrays)
    objects = [one.name for one in chosen.labels.values() if one.dtype.hasobject]
    labels = {} if objects else {part: one.read() for part, one in chosen.labels.items()}
    loaded, slices = [], []
    for part, one in chosen.images.items():
        count = _count_of(labels.get(part), one.shape)
        array = one.read()
        if declared and array.ndim == 4:
            loaded.append(Arranged(array, (), alpha=False))
            continue
        name = origin if len(chosen.images) == 1 else f"{origin} ({one.name})"
        sliced = flat(array, name, matlab=images_last, labelled=bool(chosen.labels))
        if sliced is not None:
            loaded.append(sliced.found)
            slices += [] if sliced.slices is None else [sliced.slices]
            continue
        ordered = arranged(array, name, count=count, images_last=images_last)
        loaded.append(_upright(ordered) if is_emnist(Path(origin).name) and array.ndim == 2 else ordered)
    counts = [len(one.array) for one in loaded]
    whole = joined([one.array for one in loaded], origin)
    levels = "full" if declared and whole.dtype == np.uint8 and config.levels == "auto" else config.levels
    pixels, record = as_bytes(whole, levels, origin, alpha=loaded[0].alpha)
    record = record.after(*dict.fromkeys(note for one in loaded for note in one.notes))
    numbers, class_names, left_out = _labels(chosen, labels, counts, origin)
    if len(slices) == len(loaded):
        numbers, class_names = _named_slices(np.concatenate(slices), origin, first=int(images_last))
    if objects:
        left_out = f"labels of {origin} left out: {objects[0]} are Python objects, which are never unpickled"
    images = ImageSet(
        pixels,
        source=source,
        labels=numbers,
        class_names=class_names,
        groups=_groups(chosen.groups, len(pixels), origin),
        record=record.model_copy(update={"warnings": (left_out,) if left_out else ()}),
        files=_files(chosen, counts),
        parts=_parts(chosen, counts, origin),
    )
    return without_columns(images, config.label) if len(arrays) == 1 else images


def _declared(arrays: Sequence[Stored]) -> tuple[bool, Sequence[Stored]]:
    """Whether an array called `axes` says NCHW, as `data convert` writes it; and the other arrays."""
    texts = [
        one for one in arrays if one.name.split("/")[-1] == "axes" and one.dtype.kind == "U" and not one.shape
    ]
    if not texts:
        return False, arrays
    return {str(one.read()) for one in texts} == {ORDER}, [one for one in arrays if one not in texts]


def _named_slices(slices: Int64Array, origin: str, *, first: int) -> tuple[Int64Array, tuple[str, ...]]:
    """The classes of images by slice, counted from `first`; the tenth of USPS is the digit 0."""
    names = slices + first
    if Path(origin).name.casefold().startswith("usps") and first and names.max() == 10:
        names = names % 10
    return numbered(names, origin)


def _upright(rows: Arranged) -> Arranged:
    """EMNIST's images, which lie on their side in its flattened rows."""
    return rows._replace(array=rows.array.swapaxes(2, 3), notes=(*rows.notes, UPRIGHT))


def _tell(chosen: Chosen, arrays: Sequence[Stored]) -> None:
    if len(arrays) == 1:
        return
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


def _labels(
    chosen: Chosen, labels: Mapping[int, np.ndarray], counts: Sequence[int], origin: str
) -> tuple[Int64Array | None, tuple[str, ...], str]:
    """The classes of all images; what is said where labels are left out."""
    if not labels:
        return None, (), ""
    there = [part in labels or WHOLE in labels for part in chosen.images]
    if len(labels) == len(counts) == 1:  # `x` and `y_train`
        there = [any(there) or counts[0] in next(iter(labels.values())).shape[:1]]
    if not any(there):
        some = " + ".join(one.name for one in chosen.labels.values())
        return None, (), f"labels of {origin} left out: {some} are not those of the images"
    if WHOLE in labels:
        whole = labels[WHOLE]
    elif len(labels) == len(counts) == 1:
        (whole,) = labels.values()
    else:
        columns = []
        for count, part in zip(counts, chosen.images, strict=True):
            if part not in labels:
                continue
            one = labels[part]
            if one.ndim == 2 and one.shape == (1, count):  # as MATLAB has rows
                one = one.reshape(-1)
            if one.ndim != 1 and 1 not in one.shape and len(one) != count == one.shape[-1]:
                one = one.T  # one-hot columns
            check_count("labels", one, count, f"{origin} ({chosen.labels[part].name})")
            columns.append(one)
        whole = joined(columns, origin)
    named = chosen.class_names
    if named is not None and named.dtype.hasobject:
        logger.warning(
            "names of classes left out: %s are Python objects, which are never unpickled", named.name
        )
        named = None
    names = None if named is None else named.read()
    many = sum(count for count, has in zip(counts, there, strict=True) if has)
    numbers, class_names, left_out = classes_of_labels(whole, names, many, origin)
    if numbers is None:
        return None, (), left_out
    return *with_open_parts(numbers, class_names, counts, there), left_out


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
