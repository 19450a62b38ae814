"""Labels that a person gave in the explorer: a CSV beside the run, which several explorers may write to."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..core.atomic_files import locked, refusals, write_text
from ..core.csv_text import csv_text
from ..core.errors import OutputError

HEADER: Final = ("name", "label")


class Labels:
    """Labels by the name of an image, kept in a file as soon as they are given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """All labels that the file has; none where there is no file.

        Raises:
            OutputError: the file is not a table of labels.
        """
        if not self.path.exists():
            return {}
        with refusals(self.path):
            text = self.path.read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(text)))
        if tuple(rows[0] if rows else ()) != HEADER or any(len(row) != 2 for row in rows):
            raise OutputError(
                f"{self.path} must be a table of labels, with the columns name and label",
                found="another table",
                do="move it away",
            )
        return {_plain(name): _plain(label) for name, label in rows[1:]}

    def change(self, changes: Mapping[str, str]) -> dict[str, str]:
        """Give labels to images, by name, and take back those that are empty; all labels after it."""
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            labels = {**self.read(), **changes}
            kept = {name: label for name, label in labels.items() if label}
            write_text(self.path, csv_text([HEADER, *kept.items()]))
        return kept


def beside(run: Path) -> Path:
    """Where the labels of a run's explorer are."""
    return run.resolve().with_name(f"{run.resolve().name}.labels.csv")


def _plain(cell: str) -> str:
    """A cell without the mark that keeps a spreadsheet from reading it as a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
