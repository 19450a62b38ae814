"""Tables of text -> rows: CSV, TSV, JSON Lines and lists, with or without a header, plain or compressed.

The separator is the one of `,` tab `;` `|` that parts the first lines most evenly. A byte order mark and
quotes are understood. What a column means is read from its name, or from what is in it.
"""

import csv
import io
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.types import Int64Array
from ...core.wording import brief
from ..cleaning import sentence
from .filenames import PARTS, is_named_as_image, part_of_word, shown
from .json_lines import JSON_LINES, is_json, is_json_lines, rows_of_json, rows_of_whole_json
from .streams import COMPRESSED, opened

_SEPARATED: Final = tuple(f"{kind}{end}" for kind in (".csv", ".tsv") for end in ("", *COMPRESSED))
TABLES: Final = (*_SEPARATED, *JSON_LINES)
LISTS: Final = (".txt", ".lst", ".list")
LOOSE: Final = (*LISTS, ".json")  # endings of tables, and of much else
MOST_LOOSE: Final = 30  # of these in a folder; more of them are about one image each
TEXT_LIMIT: Final = 2**30  # bytes of a table that lists files, inflated
_SEPARATORS = ",\t;|"
_HEAD: Final = 4096

# What a column is called, in lower case, with `_` for spaces and hyphens; the first name there counts.
PATH_NAMES: Final = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_file"),
    *("image_name", "image_id", "img", "img_path", "img_name", "imgpath", "picture", "photo"),
    *("id", "name", "key"),
)
LABEL_NAMES: Final = (
    *("label", "labels", "class", "class_name", "classname", "category", "target", "y", "breed", "species"),
    *("diagnosis", "dx", "emotion", "digit", "letter", "fine_label", "class_id", "label_id", "class_label"),
    *("category_id", "category_name", "classid", "labelid", "categoryid", "class_index", "class_idx"),
    *("cls", "level", "grade", "genre", "kind", "style", "variety", "tag"),
)
GROUP_NAMES: Final = ("group", "groups", "group_id", "patient", "patient_id", "subject", "subject_id")
PART_NAMES: Final = ("part", "split", "partition", "subset", "usage")
# Columns of yes and no, and the parts that no and yes stand for.
PART_FLAGS: Final = {
    **dict.fromkeys(("is_valid", "is_val", "is_validation"), (0, 1)),
    **dict.fromkeys(("is_test", "is_testing"), (0, 2)),
    **dict.fromkeys(("is_train", "is_training", "is_training_image", "train_test_split"), (2, 0)),
}
YES, NO = frozenset(("1", "1.0", "true", "yes")), frozenset(("0", "0.0", "false", "no", ""))
MISSING: Final = frozenset(("", "nan", "<na>"))  # as NumPy and pandas write what is not there
_SHORT_PARTS: Final = {"tra": 0, "trn": 0, "tes": 2, "tst": 2}  # `optdigits.tra`
_PARTS: Final = {
    **PARTS,
    **{"0": 0, "1": 1, "2": 2},
    **dict.fromkeys(("", "none", "-1"), -1),
}


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a table; `header` has the names of its columns, none where it has no header.

    `lines` are the numbers of the lines that the rows begin on, from 1.
    """

    origin: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    @property
    def width(self) -> int:
        return len(self.header) or max(map(len, self.rows), default=0)

    def column(self, names: Sequence[str]) -> int | None:
        """The place of the first of `names` that the header has."""
        return column_named(self.header, names)

    def cells(self, place: int | None) -> list[str] | None:
        """A column, without spaces around its cells."""
        return None if place is None else [row[place].strip() for row in self.rows]

    def parts(self, place: int | None) -> list[int] | None:
        """The part of each row by the column at `place`; None where there is none.

        Raises:
            DataError: a word that is no part.
        """
        cells = self.cells(place)
        if cells is None or place is None:
            return None
        called = plain(self.header[place]) if self.header else plain(Path(self.origin).stem)
        no, yes = PART_FLAGS.get(called, (None, None))
        return [
            yes
            if yes is not None and cell.casefold() in YES
            else no
            if no is not None and cell.casefold() in NO
            else part_number(cell, f"in line {line:,} of {self.origin}")
            for cell, line in zip(cells, self.lines, strict=True)
        ]

    def headed(self) -> "Table":
        """The same table with its first row as the header, where it has none of its own."""
        if self.header:
            return self
        names = tuple(name.strip() for name in self.rows[0])
        return Table(self.origin, names, self.rows[1:], self.lines[1:])

    def require_whole(self) -> None:
        """Refuse a table without rows, or with a row of another length than the header: raises DataError."""
        if not self.rows:
            raise DataError(
                f"{self.origin} must have a row for each image",
                found="a header alone" if self.header else "an empty table",
                do="write the table again, or name another one",
            )
        for row, line in zip(self.rows, self.lines, strict=True):
            if len(row) != self.width:
                raise DataError(
                    f"each row of {self.origin} must have {self.width} cells",
                    found=f"{len(row)} in line {line:,}: {brief(','.join(row))}",
                    do="mend that line; a cell with the separator in it stands in double quotes",
                )


def without_many(names: Sequence[str]) -> list[str]:
    """`names` without texts and JSON where a folder has many: those are about one image each."""
    loose = {name for name in names if name.casefold().endswith(LOOSE)}
    many = Counter(posixpath.dirname(name) for name in loose)
    return [name for name in names if name not in loose or many[posixpath.dirname(name)] <= MOST_LOOSE]


def column_named(header: Iterable[str], names: Sequence[str]) -> int | None:
    """The place of the first of `names` in a header, whatever its case."""
    found = {plain(name): place for place, name in reversed(list(enumerate(header)))}
    return next((found[name] for name in names if name in found), None)


def plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def read_table(path: Path) -> Table:
    """The table in a file of text, its first line as a row: whether that is a header the caller says.

    JSON Lines have a header of their own.

    Raises:
        DataError: no text, a quote that is not closed, or a line that is no JSON object.
    """
    return table_of(read_text(path), str(path))


def table_of(text: str, origin: str) -> Table:
    """As `read_table`, of its text; `origin` is its name."""
    if is_json_lines(origin):
        return Table(origin, *rows_of_json(text, origin))
    if is_json(origin):
        return Table(origin, *rows_of_whole_json(text, origin))
    if (counted_rows := _counted(text)) is not None:
        return Table(origin, *counted_rows)
    first = text[:_HEAD].partition("\n")[0]
    if origin.casefold().endswith(LISTS) and not any(mark in first for mark in ",;\t"):
        if (columns := _commented(text)) is not None:
            return Table(origin, *columns)
        return list_of(text, origin, is_named_as_image)
    text, remarks = _without_remarks(text)
    rows, lines, last, mark = [], [], remarks, separator(text)
    if mark == " ":
        text = "\n".join(line.strip() for line in text.splitlines())
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=mark, skipinitialspace=mark == " ", strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(last + 1)
            last = remarks + reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{origin} must be a table with one row on a line",
            found=f"{error} in line {remarks + reader.line_num:,}",
            do="mend that line, or save the table again as CSV",
        ) from error
    return Table(origin, (), rows, lines)


def _without_remarks(text: str) -> tuple[str, int]:
    """`text` without the lines before it that begin with `#` and have no cells, and how many they are."""
    remarks = re.match(rf"(#[^\n{re.escape(_SEPARATORS)}]*\n)*", text)
    return (text[remarks.end() :], remarks[0].count("\n")) if remarks else (text, 0)


def _counted(text: str) -> tuple[tuple[str, ...], list[list[str]], list[int]] | None:
    """Header, rows and lines of a table as CelebA's: their number, the columns but the file, the rows."""
    count, _, rest = text.partition("\n")
    names = rest.partition("\n")[0].split()
    if not count.strip().isdecimal() or not names:
        return None
    rows = [line.split() for line in rest.splitlines()[1:] if line.strip()]
    if len(rows) != int(count) or any(len(row) != len(names) + 1 for row in rows):
        return None
    return ("file", *names), rows, list(range(3, len(rows) + 3))


def _commented(text: str) -> tuple[tuple[str, ...], list[list[str]], list[int]] | None:
    """Header, rows and lines of a list of several columns below their names: `#Image CLASS-ID SPECIES`."""
    lines = text.splitlines()
    names = next((line[1:].split() for line in lines if line.startswith("#")), [])
    numbers = [k for k, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    rows = [lines[number - 1].split() for number in numbers]
    width = len(rows[0]) if rows else 0
    if not 2 < width <= len(names) or any(len(row) != width for row in rows):
        return None
    return (*names[: width - 1], " ".join(names[width - 1 :])), rows, numbers  # as `BREED ID`


def list_of(text: str, origin: str, is_name: Callable[[str], bool]) -> Table:
    """The names in a text, one on a line, and the label behind a space or a tab, or nothing.

    Args:
        is_name: whether a whole line is the name of a file, spaces and all.
    """
    rows, lines = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, label = line.strip(), ""
        if not is_name(name):
            parted = name.rsplit("\t", 1) if "\t" in name else name.rsplit(None, 1)
            name, label = (parted[0].strip(), parted[1].strip()) if len(parted) == 2 else (name, "")
        rows.append([name, label])
        lines.append(number)
    return Table(origin, (), rows, lines)


def read_text(path: Path, limit: int = TEXT_LIMIT) -> str:
    """The text in a file, inflated where it is compressed.

    Raises:
        DataError: more than `limit` bytes, damaged, or bytes that are no text.
    """
    with opened(path) as stream:
        content = bytes(stream.read(limit + 1))
    if len(content) > limit:
        raise DataError(
            f"{path} must be a table of at most {limit:,} bytes",
            found="more",
            do="name the folder of the images, or save the images as .npy or Parquet",
        )
    return text_of(content, str(path))


def text_of(content: bytes, origin: str) -> str:
    """Bytes as text: UTF-8, UTF-16 with its mark, else Windows' code page.

    Raises:
        DataError: a zero byte, which no text has.
    """
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise DataError(
            f"{origin} must be text", found="a zero byte", do="name a table that was saved as CSV or TSV"
        )
    return text


def separator(text: str) -> str:
    """What parts the cells of most of the first lines into the same number.

    Spaces, where nothing else does and they part all lines alike; else a comma.
    """
    lines = text[:65536].splitlines()[:20]
    if len(lines) > 1 and len(text) > 65536:
        lines = lines[:-1]  # it may be cut

    def evenness(mark: str) -> tuple[int, int]:
        widths = [len(row) for row in _parsed(lines, mark) if row]
        if not widths or widths[0] < 2:
            return 0, 0
        return sum(width == widths[0] for width in widths), widths[0]

    best = max(_SEPARATORS, key=evenness)
    spaced = {len(line.split()) for line in lines if line.strip()}
    return " " if evenness(best) == (0, 0) and len(spaced) == 1 and max(spaced) > 1 else best


def _parsed(lines: list[str], mark: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=mark)
    except csv.Error:
        return


def part_number(cell: str | None, where: str) -> int:
    """0 of `train`, 1 of `validation`, 2 of `test`, -1 of nothing.

    Raises:
        DataError: another word; `where` names its place.
    """
    number = _PARTS.get((cell or "").strip().casefold())
    if number is None:
        raise DataError(
            "the part of an image must be train, validation or test (0, 1 or 2), or nothing",
            found=f"{shown(str(cell))!r} {where}",
            do="mend that cell, or give the column another name",
        )
    return number


def part_of_name(name: str) -> int | None:
    """The part that a file such as `mnist_train.csv` or `test-00000-of-00001.parquet` is; None: of none."""
    words = "".join(letter if letter.isalpha() else " " for letter in name.casefold()).split()
    found = {_SHORT_PARTS.get(word, part_of_word(word)) for word in words} - {None}
    return found.pop() if len(found) == 1 else None


def whole_labels(cells: Sequence[str | None]) -> list[str | None]:
    """Labels without spaces around them, `3.0` as `3` where all are whole numbers; None: empty, NaN."""
    labels = [None if cell is None or cell.strip().casefold() in MISSING else cell.strip() for cell in cells]
    endings = {label.partition(".")[2].strip("0") for label in labels if label and "." in label}
    numbers = all(label.lstrip("-").replace(".", "", 1).isdigit() for label in labels if label)
    if endings == {""} and numbers:
        return [label and label.partition(".")[0] for label in labels]
    return labels


def numbers_of(values: Sequence[str], order: Sequence[str]) -> Int64Array:
    """The place of each of `values` in `order`."""
    places = {value: place for place, value in enumerate(order)}
    return np.fromiter((places[value] for value in values), dtype=np.int64, count=len(values))


def some(names: Sequence[str]) -> str:
    """The first three of `names`, and how many more there are."""
    return sentence([shown(name if len(name) < 200 else f"{name[:60]} ...") for name in names], most=3)
