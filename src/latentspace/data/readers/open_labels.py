"""Images without a label among others that have one, and classes that are called by numbers of WordNet.

A publisher's `train/CLASS/` beside a flat `test/` leaves labels open. Tables may have them (`sidecar`);
images that are then still without one are left out, as a set has a label for each image, or none at all.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ...core.types import Int64Array
from ...core.wording import counted, option
from ..imageset import ImageSet
from ..splits import PARTS
from .label_columns import NONE, with_unused_told
from .layout import NO_LABEL
from .tables import some

_SYNSET: Final = re.compile(r"n[0-9]{8}")
_LINE: Final = re.compile(r"^\s*(n[0-9]{8})[\s,]+(.+)$", re.MULTILINE)
_PAIR: Final = re.compile(r'"(n[0-9]{8})"\s*[:,]\s*"([^"]+)"')  # in JSON


def are_open(images: ImageSet) -> bool:
    """Whether some images have a label, and others do not."""
    return NO_LABEL in images.class_names


def unlabelled(images: ImageSet) -> np.ndarray:
    """The indices of the images without a label, among others that have one."""
    assert images.labels is not None
    return np.flatnonzero(images.labels == images.class_names.index(NO_LABEL))


def with_open_parts(
    labels: Int64Array, names: tuple[str, ...], counts: Sequence[int], there: Sequence[bool]
) -> tuple[Int64Array, tuple[str, ...]]:
    """Labels of some parts of a set -> those of all images, and the classes; others have no label.

    Args:
        labels: of the images of the parts that have any, one part after the other.
        counts: how many images each part has.
        there: whether a part has labels.
    """
    if all(there):
        return labels, names
    names = names if NO_LABEL in names else (*names, NO_LABEL)
    whole = np.full(sum(counts), len(names) - 1, dtype=np.int64)
    whole[np.repeat(np.array(there), counts)] = labels
    return whole, names


def without_labels(images: ImageSet) -> ImageSet:
    """All of `images`, none with a label."""
    return replace(images, labels=None, class_names=())


def settled(images: ImageSet, label: str | None) -> ImageSet:
    """`images` with a label for each or for none: those without one are left out, and that is a warning.

    So is a column of labels that was asked for and not used.

    Args:
        label: which column has the labels: `none` leaves them out instead.
    """
    if label == NONE:
        return without_labels(images)
    images = with_unused_told(images)
    if not are_open(images):
        return images
    out = unlabelled(images)
    kept = np.setdiff1d(np.arange(len(images)), out)
    there = sorted({int(part) for part in images.parts[out]}) if images.parts is not None else []
    where = " and ".join(f"the part {PARTS[part]}" for part in there if part >= 0)
    warning = (
        f"{counted(len(out))}{f' of {where}' if where else ''} left out, as they have no label and "
        f"{counted(len(kept))} have one: {some(images.names_of(out))}; {option('label', NONE)} keeps all "
        "images, without labels"
    )
    images = images.subset(kept)
    record = images.record
    return replace(
        images,
        class_names=images.class_names[:-1],
        record=record.model_copy(update={"warnings": (*record.warnings, warning)}),
        parts=images.parts if images.parts is None or (images.parts != images.parts[0]).any() else None,
    )


def are_synsets(names: Iterable[str]) -> bool:
    """Whether classes are called as ImageNet's are: `n01443537`."""
    found = [name for name in names if name != NO_LABEL]
    return len(found) > 1 and all(map(_SYNSET.fullmatch, found))


def words_of(text: str, wanted: Iterable[str]) -> Mapping[str, str]:
    """The words for each of `wanted` in a table such as `words.txt`; none where it has not all of them.

    The first of several words for one thing is taken, where no two classes have it in common.
    """
    found: dict[str, str] = {}
    for match in (_PAIR if text.lstrip()[:1] in ("{", "[") else _LINE).finditer(text):
        found.setdefault(match[1], match[2].strip().strip('"'))
    names = [name for name in wanted if name != NO_LABEL]
    if not all(found.get(name) for name in names):
        return {}
    full = {name: found[name] for name in names}
    short = {name: words.partition(",")[0].strip() for name, words in full.items()}
    shared = {word for word in short.values() if list(short.values()).count(word) > 1}
    chosen = {name: full[name] if short[name] in shared else short[name] for name in names}
    return chosen if len(set(chosen.values())) == len(names) else {}


def in_words(images: ImageSet, tables: Iterable[tuple[str, str]]) -> tuple[ImageSet, tuple[str, ...]]:
    """`images` with classes called by words where a table has all of them, and the name of that table."""
    if not are_synsets(images.class_names):
        return images, ()
    for name, text in tables:
        words = words_of(text, images.class_names)
        if words:
            note = f"classes called by the words of {name}: {some([f'{k}: {v}' for k, v in words.items()])}"
            named = tuple(words.get(one, one) for one in images.class_names)
            return replace(images, class_names=named, record=images.record.then(note)), (name,)
    return images, ()
