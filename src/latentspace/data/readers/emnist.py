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

UPRIGHT: Final = "turned upright: the images of EMNIST's files lie on their side"


def is_emnist(name: str) -> bool:
    return "emnist" in name.casefold()


def words_of(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.casefold()) if word]


def is_mapping(name: str, prefix: Sequence[str]) -> bool:
    """Whether a file names the classes of the set that is called by the words of `prefix`."""
    return words_of(name) == [*prefix, "mapping", "txt"]


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
    """The mapping that lies beside `emnist-letters-train.csv`; nothing where there is none.

    Raises:
        DataError: as `characters`.
    """
    prefix = [word for word in words_of(table.name.partition(".")[0]) if word not in PARTS]
    found = (one for one in table.parent.glob("*.txt") if is_mapping(one.name, prefix))
    path = next(found, None)
    return {} if path is None else characters(path.read_bytes(), str(path))
