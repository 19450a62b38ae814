"""Tables as CSV, for programs and spreadsheets: no cell is more than its text."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from .printable import printable


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """A line for each row. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(map(cell, row) for row in rows)
    return file.getvalue()


def cell(value: Any) -> Any:
    """What stands in the table for `value`."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
