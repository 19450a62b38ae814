"""EMNIST, as it is published in IDX, CSV and MATLAB: its images lie on their side there, and a mapping of
labels to characters (`1 65 97`, in a file or an array) names its classes.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from .array_names import PARTS
from .streams import opened

_DIGITS, _CAPITALS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHARACTERS: Final = {  # by Cohen et al., 2017; letters that look alike in both cases are one class in three
    "letters": _CAPITALS,
    "byclass": _DIGITS + _CAPITALS + _CAPITALS.lower(),
    **dict.fromkeys(("balanced", "bymerge"), f"{_DIGITS}{_CAPITALS}abdefghnqrt"),
}
UPRIGHT: Final = "turned upright: the images of EMNIST's files lie on their side"


def is_emnist(name: str) -> bool:
    return "emnist" in name.casefold()


def words_of(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.casefold()) if word]


def is_mapping(name: str, prefix: Sequence[str]) -> bool:
    """Whether a file, plain or compressed, names the classes of the set called by the words of `prefix`."""
    words = words_of(name)
    return words[: len(prefix) + 2] == [*prefix, "mapping", "txt"] and len(words) <= len(prefix) + 3


def usual_characters(words: Sequence[str]) -> dict[int, str]:
    """Label -> character of a published set of EMNIST, by the words of its name; nothing of others."""
    if len(words) != 2 or words[0] != "emnist":
        return {}
    return dict(enumerate(_CHARACTERS.get(words[1], ""), start=int(words[1] == "letters")))


def characters(content: bytes, origin: str) -> dict[int, str]:
    """Label -> character, from lines such as `1 65 97`, of which the first character counts.

    Raises:
        DataError: other lines, or two labels of one character.
    """
    try:
        rows = [line.split() for line in content.decode("utf-8-sig").splitlines() if line.strip()]
        found = {int(row[0]): chr(int(row[1])) for row in rows}
    except (ValueError, IndexError, OverflowError) as error:
        raise DataError(
            f"{origin} must have lines of a label and the numbers of its characters",
            found=str(error),
            do="fetch it again, or move it elsewhere",
        ) from error
    if len(set(found.values())) < len(rows) or not all(map(str.isprintable, found.values())):
        raise DataError(
            f"{origin} must name each label once, by a character of its own",
            found=f"{len(rows)} lines, {len(set(found.values()))} characters",
            do="fetch it again, or move it elsewhere",
        )
    return found


def characters_of(table: np.ndarray) -> dict[int, str]:
    """The same, from an array with a row for each label; nothing where it is none."""
    if table.ndim != 2 or table.shape[1] < 2 or table.dtype.kind not in "biuf":
        return {}
    lines = "\n".join(f"{row[0]:g} {row[1]:g}" for row in table.tolist())
    try:
        return characters(lines.encode(), "the mapping")
    except DataError:
        return {}


def characters_beside(table: Path) -> dict[int, str]:
    """The mapping that lies beside `emnist-letters-train.csv`, or the usual one; nothing of other tables.

    Raises:
        DataError: as `characters`.
    """
    prefix = [word for word in words_of(table.name.partition(".")[0]) if word not in PARTS]
    found = (one for one in table.parent.glob("*.txt*") if is_mapping(one.name, prefix))
    path = next(found, None)
    return usual_characters(prefix) if path is None else characters_in(path)


def characters_in(path: Path) -> dict[int, str]:
    """The mapping in a file, plain or compressed.

    Raises:
        DataError: as `characters`.
    """
    with opened(path) as stream:
        return characters(bytes(stream.read(2**20)), str(path))
