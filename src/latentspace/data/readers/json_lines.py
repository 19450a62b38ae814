"""JSON Lines -> rows and columns: an object on each line, `{"path": "a.png", "label": "cat"}`."""

import json
from typing import Any, Final

from ...core.errors import DataError
from ...core.wording import brief
from .filenames import shown
from .streams import COMPRESSED

JSON_LINES: Final = tuple(f"{kind}{end}" for kind in (".jsonl", ".ndjson") for end in ("", *COMPRESSED))


def is_json_lines(name: str) -> bool:
    return name.casefold().endswith(JSON_LINES)


def rows_of_json(text: str, origin: str) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """The columns, the rows as text, and the numbers of their lines; a key that is missing is an empty cell.

    Raises:
        DataError: a line that is no JSON object.
    """
    objects, lines = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            objects.append(_object(line, number, origin))
            lines.append(number)
    header = tuple(dict.fromkeys(key for one in objects for key in one))
    return tuple(map(shown, header)), [[_cell(one.get(key)) for key in header] for one in objects], lines


def _object(line: str, number: int, origin: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refused(line, number, origin) from error
    if not isinstance(found, dict):
        raise _refused(line, number, origin)
    return found


def _refused(line: str, number: int, origin: str) -> DataError:
    return DataError(
        f"each line of {origin} must be a JSON object",
        found=f"{shown(brief(line.strip()))} in line {number:,}",
        do='mend that line: {"path": "a.png", "label": "cat"}',
    )


def _cell(value: Any) -> str:
    """A value as the cell of a table of text; a list of numbers has spaces between them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list) and all(type(one) in (int, float) for one in value):
        return " ".join(map(repr, value))
    return shown(json.dumps(value))
