"""Arrays whose names say no more than a class, or the name of one image: each is a class, or each an image.

So are the files of a folder (Quick Draw's `full_numpy_bitmap_cat.npy`) and the arrays of one file
(`numpy.savez(path, cat=..., dog=...)`, `cat/images` and `dog/images` in HDF5). In one file that is only done
where all arrays that can be images are alike, none is called images, and nothing beside them has labels.
"""

import logging
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import counted
from ..cleaning import sentence
from ..config import DataConfig
from ..imageset import ImageSet
from .array_names import IMAGES, PARTS, ArrayName, Rows, all_taken_apart
from .axes import arranged, square_of
from .chosen import Stored, can_be_images
from .filenames import natural_order, numbered
from .label_columns import NONE
from .pixels_of import as_bytes, joined

logger = logging.getLogger(__name__)

# Words that are images beside labels, and classes beside others.
_WEAK: Final = frozenset(("face", "faces", "digit", "digits"))
# Words of what is a second picture of the same thing, and no class.
_SECOND: Final = frozenset(
    (
        *("mask", "masks", "segmentation", "segmentations", "seg", "gt", "groundtruth", "depth", "edges"),
        *("clean", "noisy", "normals", "flow", "original", "originals", "reconstruction", "reconstructions"),
    )
)
_NO_CLASS: Final = {*PARTS, *IMAGES} - _WEAK
_WORDS: Final = "|".join(sorted(_NO_CLASS, key=len, reverse=True))
_PART_BEFORE: Final = re.compile(rf"^(?:{'|'.join(PARTS)})(?=\d+$)", re.IGNORECASE)  # `train0`
_AROUND: Final = re.compile(rf"^(?:{_WORDS})[\W_]+(?=.)|(?<=.)[\W_]+(?:{_WORDS})$", re.IGNORECASE)


def is_image(one: Stored) -> bool:
    """Whether an array is one image: height x width, perhaps with channels last, and no flattened ones."""
    if len(one.shape) == 3:
        return one.shape[2] in (1, 3, 4) and min(one.shape[:2]) > one.shape[2]
    rows = len(one.shape) == 2 and square_of(one.shape[1]) is not None and one.shape[0] != one.shape[1]
    return len(one.shape) == 2 and not rows


def each_by_its_name(
    arrays: Sequence[Stored], *, origin: str, source: str, config: DataConfig, images_last: bool
) -> ImageSet | None:
    """The images in the arrays of one file whose names are classes, or names of images; None: they are not.

    Raises:
        DataError: arrays that cannot be read.
    """
    said = all_taken_apart([one.name for one in arrays])
    several = [one for one in arrays if _may_be_several(one, images_last=images_last)]
    single = [one for one in arrays if is_image(one) and (len(one.shape) == 3 or one.dtype.kind == "u")]
    single = [one for one in single if min(one.shape[:2]) >= 8]
    pictures = len({one.shape for one in single}) == 1 and len(single) >= max(2, len(several))
    found = single if pictures else several
    if config.label not in (None, NONE) or not _are_alike(found, said, images_last=images_last):
        return None
    if any(said[one.name].role in ("labels", "split") for one in arrays if one not in found):
        return None
    names = [one.name for one in found]
    parts = [said[name].part for name in names]
    if None in parts and len(set(parts)) > 1:
        return None
    if pictures:
        return one_image_each(origin, names, found, config)
    classes = [_class_in(name) for name in names]
    if len(set(classes)) < 2 or "" in classes or any(one.casefold() in _SECOND for one in classes):
        return None
    order = sorted(natural_order(names), key=lambda place: parts[place] or 0)
    found, classes, parts = ([column[place] for place in order] for column in (found, classes, parts))  # type: ignore[assignment]
    counted_parts = None if None in parts else [part or 0 for part in parts]
    return one_class_each(
        origin,
        [one.name for one in found],
        found,
        config,
        classes=classes,
        parts=counted_parts,
        source=f"{source}, a class each ({counted(len(found), 'array')})",
        images_last=images_last,
    )


def _may_be_several(one: Stored, *, images_last: bool) -> bool:
    if len(one.shape) == 2:
        return one.dtype == np.uint8 and square_of(one.shape[1]) is not None
    return one.numeric and can_be_images(one) and (images_last or not is_image(one))


def _are_alike(found: Sequence[Stored], said: dict[str, ArrayName], *, images_last: bool) -> bool:
    """Whether there are several arrays of one size, and their names have no more than a class or a name."""
    if len(found) < 2 or len({one.dtype.newbyteorder("=") for one in found}) > 1:
        return False
    shapes = [one.shape for one in found]
    first, last = ({shape[cut] for shape in shapes} for cut in (slice(1, None), slice(0, -1)))
    if len(first) > 1 and not (images_last and len(last) == 1):
        return False
    letters = len(found) > 2 and all(len(one.name) == 1 for one in found)
    roles = {
        said[one.name].role == "images" and bool(said[one.name].prefix or one.name.casefold() not in _WEAK)
        for one in found
    }
    if letters or roles == {False}:
        return True
    return roles == {True} and all(said[one.name].prefix for one in found)


def _class_in(name: str) -> str:
    """The class that a name says: `cat` of `train/cat`, `cat/images` and `cat_test`, `0` of `test0`."""
    left = [one for one in name.split("/") if one.casefold() not in _NO_CLASS or len(one) == 1]
    text = left[-1] if left else ""
    while (shorter := _AROUND.sub("", text)) != text:
        text = shorter
    return _PART_BEFORE.sub("", text)


def one_image_each(
    origin: str, names: Sequence[str], arrays: Sequence[Stored], config: DataConfig
) -> ImageSet:
    """The images in arrays of one image each; folders of names are classes, where all have one."""
    images = [one.read()[None] for one in arrays]
    _require_one_size(origin, names, images)
    found = arranged(np.concatenate(images), origin)
    pixels, record = as_bytes(found.array, config.levels, origin, alpha=found.alpha)
    labels: Int64Array | None = None
    class_names: tuple[str, ...] = ()
    if all("/" in name for name in names):  # class folders
        labels, class_names = numbered(np.array([name.split("/")[-2] for name in names]), origin)
    return ImageSet(
        pixels,
        source="arrays, an image each",
        labels=labels,
        class_names=class_names,
        record=record.after(*found.notes),
        files=tuple(names),
        parts=_each(parts_in(names), [1] * len(names)),
    )


def one_class_each(
    origin: str,
    names: Sequence[str],
    arrays: Sequence[Stored],
    config: DataConfig,
    *,
    classes: Sequence[str],
    parts: Sequence[int] | None,
    source: str,
    images_last: bool,
) -> ImageSet:
    """The images in arrays that are a class each, called by `classes`."""
    logger.info("each of %s is a class: %s", counted(len(names), "array"), sentence(classes))
    last = images_last and len({one.shape[1:] for one in arrays}) > 1  # nothing but their number differs
    found = [
        arranged(
            one.read(), f"{origin} ({name})", count=one.shape[-1] if last else None, images_last=images_last
        )
        for name, one in zip(names, arrays, strict=True)
    ]
    images = [one.array for one in found]
    _require_one_size(origin, names, images)
    counts = [len(one) for one in images]
    pixels, record = as_bytes(joined(images, origin), config.levels, origin, alpha=found[0].alpha)
    numbers, class_names = numbered(np.array(classes), origin)
    said = dict.fromkeys(note for one in found for note in one.notes)
    return ImageSet(
        pixels,
        source=source,
        labels=np.repeat(numbers, counts),
        class_names=class_names,
        record=record.after(*said),
        files=Rows(names, counts),
        parts=_each(parts, counts),
    )


def parts_in(names: Sequence[str]) -> list[int] | None:
    """The part of each name, where every one lies in a folder called train, val or test."""
    parts = [next((PARTS[one] for one in name.split("/")[:-1] if one in PARTS), None) for name in names]
    return None if None in parts else [part for part in parts if part is not None]


def _each(parts: Sequence[int] | None, counts: Sequence[int]) -> Int64Array | None:
    if parts is None or len(set(parts)) == 1:
        return None
    return np.repeat(np.array(parts, dtype=np.int64), counts)


def _require_one_size(origin: str, names: Sequence[str], images: Sequence[np.ndarray]) -> None:
    kinds = {
        (one.shape[1:], one.dtype.newbyteorder("=")): name for name, one in zip(names, images, strict=True)
    }
    if len(kinds) > 1:
        listed = [f"{dtype} {shape} in {name}" for (shape, dtype), name in kinds.items()]
        raise DataError(
            f"the images of {origin} must all have one size and one kind of numbers",
            found=sentence(listed),
            do="name one of the files, or bring them to one size",
        )
