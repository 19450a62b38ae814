"""How the pixels stand in a table of numbers: which columns they are, and which is the label."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...core.errors import DataError
from .file_sets import files_in
from .filenames import is_named_as_image, readable
from .json_lines import is_json_lines, rows_of_json
from .label_columns import asked_column
from .streams import opened, start_of
from .tables import LABEL_NAMES, PART_NAMES, TABLES, column_named, plain, separator, text_of

SPACE: Final = " "  # one or more of them, or tabs
FEWEST: Final = 16  # columns of numbers that a row of pixels has
MOST_OTHERS: Final = 8  # columns that are none
_BETWEEN: Final = re.compile(rb"\s*[,;\t ]\s*")
_NUMBER: Final = re.compile(rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_HEAD: Final = 2**22  # bytes that the first two rows are looked for in


@dataclass(frozen=True)
class Layout:
    """What the columns of a table of pixels are; `header` is empty where it has none."""

    separator: str
    header: tuple[str, ...]
    width: int
    pixels: tuple[int, ...]
    label: int | None
    part: int | None
    joined: bool = False  # all pixels of an image are in one cell

    @property
    def names(self) -> list[str]:
        """A name of its own for each column."""
        return [f"{place}" for place in range(self.width)]


def layout_of(path: Path, asked: str | None = None) -> Layout | None:
    """How the pixels stand in a table; None where its rows are no pixels, or it is no table.

    Args:
        asked: the column that has the labels, where a person says so.

    Raises:
        UnknownColumnError: it has pixels, and no such column.
    """
    with opened(path) as file:
        start = file.read(_HEAD)
    try:
        mark, rows = _first_rows(text_of(start, str(path)), path)
    except (DataError, csv.Error):
        return None
    if not rows:
        return None
    header = tuple(map(str.strip, rows[0])) if _is_header(rows) else ()
    first = rows[-1] if header else rows[0]
    part = column_named(header, PART_NAMES)
    if (joined := column_named(header, ("pixels",))) is not None and len(rows) > 1:
        if joined >= len(first) or first[joined].count(" ") < FEWEST - 1:
            return None
        return Layout(mark, header, len(header), (joined,), _label(header, asked, path), part, joined=True)
    numbers = [place for place, cell in enumerate(first) if place < len(rows[0]) and _is_number(cell)]
    others = {part, *(place for place, name in enumerate(header) if _is_label(name) or name == asked)}
    chosen = tuple(place for place in numbers if place not in others and not _is_index(header, place))
    if len(chosen) < FEWEST or len(rows[0]) - len(chosen) > MOST_OTHERS:
        return None
    label = _label(header, asked, path)
    if not header and label is None:
        words = [place for place in range(len(first)) if place not in numbers]
        label = words[0] if len(words) == 1 else None
    return Layout(mark, header, len(rows[0]), chosen, label, part)


def _label(header: Sequence[str], asked: str | None, path: Path) -> int | None:
    place = asked_column(header, asked, path)
    return column_named(header, LABEL_NAMES) if place is None else place


def _is_label(name: str) -> bool:
    return plain(name) in LABEL_NAMES or plain(name).endswith(("_label", "_labels", "_class"))


def _first_rows(text: str, path: Path) -> tuple[str, list[list[str]]]:
    """The separator, and the first two rows of a table of text, the header among them."""
    if is_json_lines(path.name):
        header, rows, _ = rows_of_json(text.lstrip().partition("\n")[0], str(path))
        return "", [list(header), *rows]
    mark = separator(text)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if (mark == SPACE or mark not in first) and len(first.split()) >= FEWEST:
        return SPACE, [line.split() for line in text.splitlines() if line.strip()][:2]
    return mark, list(_first(csv.reader(io.StringIO(text, newline=""), delimiter=mark), 2))


def _first(reader: Iterator[list[str]], count: int) -> Iterator[list[str]]:
    for row in reader:
        if row:
            yield row
            count -= 1
        if not count:
            return


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has words in it, or fractions above whole numbers: pandas' double names.

    A word where the next row has one as well, among many numbers, is a label.
    """
    numbers = [[_is_number(cell) for cell in row] for row in rows]
    if not all(numbers[0]):
        return sum(numbers[0]) < FEWEST or len(rows) < 2 or numbers[0] != numbers[1] or _are_names(rows[0])
    return len(rows) > 1 and any("." in cell for cell in rows[0]) and not any("." in cell for cell in rows[1])


def _are_names(cells: Sequence[str]) -> bool:
    """Whether the cells of a row count upwards, as names of columns do: `label, 0, 1, 2`."""
    numbers = [float(cell) for cell in cells if _is_number(cell)]
    return numbers == [numbers[0] + place for place in range(len(numbers))]


def _is_index(header: Sequence[str], place: int) -> bool:
    return bool(header) and plain(header[place]) in ("", "id", "index", "unnamed:_0", "imageid", "image_id")


def is_numbers(start: bytes) -> bool:
    """Whether a file begins with a row of numbers, with spaces or a separator between them."""
    line = start.lstrip().split(b"\n", 1)[0]
    cells = _BETWEEN.split(line)[: -1 if len(line) > len(start) // 2 else None]
    return len(cells) >= FEWEST and all(_NUMBER.fullmatch(cell) for cell in cells)


def pixel_tables(folder: Path) -> list[str]:
    """The tables of pixels in a folder that holds no folder and no image."""
    names = []
    there = files_in(folder)
    if there.folders or any(map(is_named_as_image, there.names)):
        return []
    with readable(folder):
        for name in there.names:
            if name.casefold().endswith(TABLES) or is_numbers(start_of(folder / name)):
                names.append(name)
    return [name for name in names if layout_of(folder / name)]
