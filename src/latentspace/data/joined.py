"""Several image sets -> one: classes joined by name, groups kept apart, one size, one number of channels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ..core.atomic_files import exists
from ..core.errors import DataError
from ..core.types import Int64Array, Pixels
from ..core.wording import counted, option
from .cleaning import CleaningRecord, OriginalSize, Unreadable, original_sizes, sentence
from .fitting import Fit, Size, common_size, fit_words, fitted
from .imageset import ImageSet
from .memmap import allocate, blocks, require_unchanged
from .readers.filenames import natural
from .readers.tables import numbers_of

BETWEEN: Final = " + "  # the SPECs of sets that are joined


def specs_of(spec: str) -> list[str]:
    """The SPECs that one is made of: `a + b` -> `a`, `b`; a path with ` + ` in its name is one."""
    parts = [one.strip() for one in spec.split(BETWEEN)]
    return [spec] if exists(Path(spec)) or not all(parts) else parts


def joined(
    sets: Sequence[ImageSet], origins: Sequence[str], resize: Size | None = None, fit: Fit = "crop"
) -> ImageSet:
    """The images of all of `sets`, in their order.

    Grey images are repeated over three channels where others have colour. Labels stay where all sets
    have some. Sets of different sizes are brought to `resize`, or to the size that `common_size` chooses.

    Args:
        origins: what each is called, for errors and before the names of its images.

    Raises:
        DataError: numbers of channels that cannot be brought together.
    """
    notes = [note for one in sets for note in one.record.conversions]
    originals = list(sets)
    sets = _of_one_size(sets, resize, fit, notes)
    pixels = _pixels(sets, origins, notes)
    labels, class_names = _labels(sets, origins, notes)
    sizes = _original_sizes(originals, origins, sets[0].size)
    return ImageSet(
        pixels,
        source=" + ".join(dict.fromkeys(one.source for one in sets)),
        labels=labels,
        class_names=class_names,
        groups=_groups(sets),
        parts=_parts(sets),
        files=_names(sets, origins),
        record=CleaningRecord(
            unreadable=tuple(
                Unreadable(name=f"{origin}/{bad.name}", reason=bad.reason)
                for origin, one in zip(origins, sets, strict=True)
                for bad in one.record.unreadable
            ),
            duplicates_dropped=sum(one.record.duplicates_dropped for one in sets),
            conversions=tuple(dict.fromkeys(notes)),
            sizes=sizes,
            levels=tuple(dict.fromkeys(kept for one in sets for kept in one.record.levels)),
        ),
    )


def _of_one_size(sets: Sequence[ImageSet], resize: Size | None, fit: Fit, notes: list[str]) -> list[ImageSet]:
    sizes: Counter[Size] = Counter()
    for one in sets:
        sizes[one.size] += len(one)
    if len(sizes) == 1:
        return list(sets)
    size = resize or common_size(sizes)
    changed = sum(many for there, many in sizes.items() if there != size)
    notes.append(f"{counted(changed)} {fit_words(sizes, size, fit)}")
    return [_at_size(one, size, fit, enlarge=resize is not None) for one in sets]


def _original_sizes(
    sets: Sequence[ImageSet], origins: Sequence[str], final: Size
) -> tuple[OriginalSize, ...]:
    counts: Counter[Size] = Counter()
    examples: dict[Size, str] = {}
    for one, origin in zip(sets, origins, strict=True):
        first = one.names_of(np.zeros(1, dtype=np.int64))[0]
        own = OriginalSize(height=one.size[0], width=one.size[1], images=len(one), example=first)
        for size in one.record.sizes or (own,):
            counts[size.height, size.width] += size.images
            examples.setdefault((size.height, size.width), f"{origin}/{size.example}")
    return original_sizes(counts, examples, final)


def _at_size(images: ImageSet, size: Size, fit: Fit, *, enlarge: bool) -> ImageSet:
    if images.size == size:
        return images
    pixels: Pixels = allocate((len(images), images.channels, *size), images.pixels)
    for number, one in enumerate(images.pixels):
        require_unchanged(images.pixels)
        pixels[number] = fitted(one.transpose(1, 2, 0), size, fit, enlarge=enlarge).transpose(2, 0, 1)
    return replace(images, pixels=pixels, comparable=False)


def _pixels(sets: Sequence[ImageSet], origins: Sequence[str], notes: list[str]) -> Pixels:
    channels = {one.channels: origin for one, origin in zip(sets, origins, strict=True)}
    most = max(channels)
    if not set(channels) <= {1, most} or (len(channels) > 1 and most != 3):
        raise DataError(
            "the images of sets that are joined must have one number of channels, or be grey and colour",
            found=sentence([f"{count} in {origin}" for count, origin in channels.items()]),
            do=f"bring them to one, for example {option('channels', '3')}",
        )
    grey = sum(len(one) for one in sets if one.channels != most)
    if grey:
        notes.append(f"{counted(grey)} repeated from grey over three channels, as others have colour")
    total = sum(map(len, sets))
    pixels: Pixels = allocate((total, most, *sets[0].size), sets[0].pixels)
    start = 0
    for one in sets:
        for here in blocks(one.pixels):
            require_unchanged(one.pixels)
            pixels[start + here.start : start + here.stop] = one.pixels[here]  # grey is broadcast
        start += len(one)
    return pixels


def _labels(
    sets: Sequence[ImageSet], origins: Sequence[str], notes: list[str]
) -> tuple[Int64Array | None, tuple[str, ...]]:
    bare = [origin for one, origin in zip(sets, origins, strict=True) if not one.labelled]
    if bare:
        if len(bare) < len(sets):
            notes.append(f"labels left out, as there are none in {sentence(bare, most=3)}")
        return None, ()
    orders = {one.class_names for one in sets}
    order = orders.pop() if len(orders) == 1 else ()
    if not order:
        order = tuple(sorted({name for one in sets for name in one.class_names}, key=natural))
    places = [numbers_of(one.class_names, order)[one.labels] for one in sets]
    return np.concatenate(places), order


def _groups(sets: Sequence[ImageSet]) -> Int64Array | None:
    """The groups of each set apart from those of others; in a set without any, each image is one."""
    if all(one.groups is None for one in sets):
        return None
    columns, first = [], 0
    for one in sets:
        given = np.arange(len(one)) if one.groups is None else one.groups
        column = np.unique(given, return_inverse=True)[1].astype(np.int64) + first
        first = int(column.max()) + 1
        columns.append(column)
    return np.concatenate(columns)


def _parts(sets: Sequence[ImageSet]) -> Int64Array | None:
    if all(one.parts is None for one in sets):
        return None
    return np.concatenate(
        [np.full(len(one), -1, dtype=np.int64) if one.parts is None else one.parts for one in sets]
    )


def _names(sets: Sequence[ImageSet], origins: Sequence[str]) -> tuple[str, ...]:
    """As each set has them, where all differ; else with what the set is called before them."""
    names = tuple(name for one in sets for name in one.names)
    if len(set(names)) == len(names):
        return names
    return tuple(f"{origin}/{name}" for one, origin in zip(sets, origins, strict=True) for name in one.names)
