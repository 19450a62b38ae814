"""Tables of published sets that have a form of their own, made into tables of names and labels or parts.

- CUB-200's `images.txt` numbers the files, and `image_class_labels.txt`, `train_test_split.txt` and
  `classes.txt` speak of these numbers.
- FGVC-Aircraft's `images_variant_train.txt`, `images_family_train.txt` and the like are one set of labels for
  each level: the one that is asked for, else the finest.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from .array_names import same_words
from .filenames import is_named_as_image, stem
from .tables import LISTS

_OF_PART: Final = re.compile(
    r"(.+)_(train|training|val|valid|validation|test|testing|trainval)", re.IGNORECASE
)
_WHOLE: Final = "trainval"  # what train and val say as well


class Prepared(NamedTuple):
    """Tables by name and text, the column that is still asked for, and the names of the classes in them."""

    tables: list[tuple[str, str]]
    label: str | None
    class_names: Mapping[str, str]


def prepared(tables: Sequence[tuple[str, str]], label: str | None) -> Prepared:
    """`tables`, those of such forms in the usual one."""
    by_number, class_names = _by_number(tables)
    chosen, label = _of_one_level(by_number, label)
    return Prepared(chosen, label, class_names)


def _by_number(tables: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], Mapping[str, str]]:
    """The tables that speak of the numbers in an `images.txt`, with the files instead; names of classes."""
    for name, text in tables:
        files = _pairs(text) if stem(name) == "images" and name.casefold().endswith(LISTS) else {}
        if (
            files
            and all(number.isdecimal() for number in files)
            and all(map(is_named_as_image, files.values()))
        ):
            break
    else:
        return list(tables), {}
    folder, rewritten = posixpath.dirname(name), []
    class_names: Mapping[str, str] = {}
    for other, content in tables:
        if posixpath.dirname(other) != folder or not other.casefold().endswith(LISTS):
            rewritten.append((other, content))
            continue
        said = _pairs(content)
        if stem(other) == "classes":
            class_names = said
        elif said.keys() == files.keys() and other != name and not any(" " in one for one in said.values()):
            lines = [f"{file}\t{said[number]}" for number, file in files.items()]
            rewritten.append((other, "\n".join(lines)))
    return rewritten, class_names


def _pairs(text: str) -> dict[str, str]:
    """The first word of each line, and the rest of it; none where one has no rest, or a word comes again."""
    rows = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    found = {row[0]: row[1].strip() for row in rows if len(row) == 2}
    return found if len(found) == len(rows) else {}


def _of_one_level(
    tables: Sequence[tuple[str, str]], label: str | None
) -> tuple[list[tuple[str, str]], str | None]:
    levels: dict[str, dict[str, tuple[str, str]]] = {}
    for name, text in tables:
        found = _OF_PART.fullmatch(stem(name))
        if found and name.casefold().endswith(LISTS) and len(_pairs(text)) > 1:
            levels.setdefault(found[1], {})[found[2].casefold()] = (name, text)
    levels = {level: parts for level, parts in levels.items() if len(parts) > 1}
    if len(levels) < 2:
        return list(tables), label
    asked = [level for level in levels if label and same_words(level.rpartition("_")[2], label)]
    level = asked[0] if asked else max(levels, key=lambda one: _classes(levels[one]))
    parts = levels[level]
    if {"train", "val"} <= parts.keys():
        parts.pop(_WHOLE, None)
    return list(parts.values()), None if asked else label


def _classes(parts: Mapping[str, tuple[str, str]]) -> int:
    return len({label for _, text in parts.values() for label in _pairs(text).values()})
