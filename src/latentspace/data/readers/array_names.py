"""What the arrays of a source are, by their names: images, labels, groups, names, and the part of each.

`X_train`, `train_x`, `trainX`, `TrainImages` and `train/imgs` are images of the part train. Capitals count
for nothing; the words that tell are in the tables below. What stands before them
(`camelyonpatch_level_2_split` in `..._train_x`) is a prefix, which the images and their labels share.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final, overload

from . import filenames

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS: Final = (
    filenames.PARTS | dict.fromkeys(("trn", "tr"), TRAIN) | dict.fromkeys(("tst", "te", "t10k"), TEST)
)
IMAGES: Final = (
    *("images", "image", "imgs", "img", "x", "data", "features", "feature", "pixels", "pictures", "photos"),
    *("inputs", "input", "frames", "samples", "patches", "faces", "digits", "patterns", "fea", "arr_0"),
)
LABELS: Final = (
    *(
        "labels",
        "label",
        "y",
        "targets",
        "target",
        "fine_labels",
        "fine_label",
        "label_fine",
        "labels_fine",
        "y_fine",
        "class_labels",
        "class_label",
        "y_data",
        "lbls",
        "lbl",
        "tags",
        "tag",
        "breed",
    ),
    *("classes", "class", "ans", "gnd", "category", "categories", "species", "letter", "digit", "arr_1"),
    *("class_ids", "class_id", "label_ids", "label_id", "target_ids", "category_ids", "category_id"),
)
GROUPS: Final = ("groups", "group", "patients", "patient", "patient_id", "subjects", "subject", "subject_id")
CLASS_NAMES: Final = (
    "class_names",
    "classnames",
    "list_classes",
    "label_names",
    "labelnames",
    "target_names",
    "names",
    "mapping",
)
FILES: Final = ("files", "filenames", "file_names", "paths", "image_names")
SPLITS: Final = ("split", "splits", "partition", "part", "parts", "subset")
_ROLES: Final = {
    word: (role, rank)
    for role, words in (
        *(("images", IMAGES), ("labels", LABELS), ("groups", GROUPS)),
        *(("class_names", CLASS_NAMES), ("split", SPLITS), ("files", FILES)),
    )
    for rank, word in enumerate(words)
}
_WORDS: Final = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")
_WHAT: Final = "(x|y|images?|imgs?|labels?|data|targets?)"
_JOINED: Final = re.compile(rf"{_WHAT}(train|test|valid|val|tr|te)|(train|test|valid|val|dev){_WHAT}")


@dataclass(frozen=True)
class ArrayName:
    """A name, taken apart.

    Args:
        prefix: the words before those that tell what it is; all of them where none does.
        role: `images`, `labels`, `groups`, `class_names`, `split`, `files`, or nothing.
        rank: its place among the words of its role; the lower one is preferred.
        part: of the publisher's split, or None.
    """

    prefix: tuple[str, ...]
    role: str = ""
    rank: int = 0
    part: int | None = None


def taken_apart(name: str) -> ArrayName:
    """What a name says of its array."""
    words = list(_split(name))
    named = [word for word in words if word in PARTS]
    part = PARTS[named[-1]] if named else None
    words = [word for word in words if word not in PARTS]
    for length in (2, 1):
        known = _ROLES.get("_".join(words[-length:])) if len(words) >= length else None
        if known:
            return ArrayName(tuple(words[:-length]), known[0], known[1], part)
    return ArrayName(tuple(words), part=part)


def same_words(name: str, other: str) -> bool:
    """Whether two names are one but for their parts: `train/coarse_labels` and `coarse_label`."""
    one, two = (
        [word.removesuffix("s") for word in _split(text) if word not in PARTS] for text in (name, other)
    )
    return one == two


def all_taken_apart(names: Iterable[str]) -> dict[str, ArrayName]:
    """What each of several names says; beside arrays of validation, `eval` is the test part."""
    found = {name: taken_apart(name) for name in names}
    validation = {name for name, said in found.items() if said.part == VALIDATION}
    late = {name for name in validation if "eval" in name.casefold()}
    if late < validation:
        found.update({name: replace(found[name], part=TEST) for name in late})
    return found


def _split(name: str) -> Iterable[str]:
    for word in re.split(r"[\W_]+", name):
        if word.casefold() in PARTS:
            yield word.casefold()
            continue
        joined = _JOINED.fullmatch(word.casefold())
        if joined:
            yield from (one for one in joined.groups() if one)
            continue
        yield from (one.casefold() for one in _WORDS.findall(word))


class Rows(Sequence[str]):
    """The names of the rows of several arrays, one after the other: `x_test[3]`."""

    def __init__(self, names: Sequence[str], counts: Sequence[int]) -> None:
        self._names = tuple(names)
        self._ends = tuple(accumulate(counts))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        place = bisect_right(self._ends, number)
        return f"{self._names[place]}[{number - (self._ends[place - 1] if place else 0)}]"
