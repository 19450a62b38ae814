"""latentspace runs"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import ConfigurationError
from ..core.wording import counted
from . import console
from .options import Json

FEW = ("run", "kind", "state", "score", "validation", "test")  # columns that always stand there


def runs(
    *,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder to search, up to three folders deep.")
    ] = Path("runs"),
    wide: Annotated[bool, "Show all columns, also if the lines get long."] = False,
    csv: Annotated[bool, "All columns as CSV on standard output, for a spreadsheet."] = False,
    json: Json = False,
) -> None:
    """List the runs in a folder, with their scores and the settings in which they differ.

    The table shows as many of these settings as the terminal is wide; --wide, --csv and --json show all.

    [bold]Examples[/bold]

      latentspace runs

      latentspace runs runs/letters --csv > letters.csv
    """
    from ..core.csv_text import csv_text
    from ..runs.table import brief, compare, find_runs, readable

    if wide + csv + json > 1:
        raise ConfigurationError(
            "--wide, --csv and --json exclude each other",
            found="more than one of them",
            do="keep one of them",
        )
    found = readable(find_runs(folder))
    if not found:
        console.say(f"no runs below {folder}")
    table = compare(found)
    if json:
        console.show_json(table)
    elif csv and found:
        columns = list(table[0])
        rows = [[row[column] for column in columns] for row in table]
        console.out.print(csv_text([columns, *rows]), end="", soft_wrap=True, markup=False)
    elif found:
        _show(brief(table, folder), f"{counted(len(found), 'run')} below {folder}", wide=wide)


def _show(table: Sequence[Mapping[str, Any]], title: str, *, wide: bool) -> None:
    """Every name and number whole, on one line a run; what does not fit is named below."""
    texts = [{name: console.number(value) for name, value in row.items()} for row in table]
    chosen, left = list(FEW), [name for name in table[0] if name not in FEW]
    chosen, left = (chosen + left, []) if wide else console.fitting(chosen, left, texts)
    console.show_table(title, chosen, [[row[name] for name in chosen] for row in texts], whole=True)
    if left:
        console.say(f"they differ in {', '.join(left)} too: --wide shows all, --csv and --json for programs")
