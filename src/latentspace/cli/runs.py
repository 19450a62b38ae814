"""latentspace runs"""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ..wording import counted
from . import console
from .options import Quiet, Verbose


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look, up to three folders deep.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="One JSON list on standard output.")] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """List the runs below a folder and compare them; settings that all share are left out.

    [bold]Examples[/bold]

      latentspace runs

      latentspace runs runs/letters --json
    """
    from ..run_table import compare, find_runs

    found = find_runs(folder)
    if not found:
        console.say(f"no runs below {folder}")
    table = compare(found)
    if json:
        console.out.print(json_module.dumps(table), soft_wrap=True, markup=False)
    elif found:
        columns = list(table[0])
        console.show_table(
            f"{counted(len(found), 'run')} below {folder}",
            columns,
            [[console.number(row[column]) for column in columns] for row in table],
        )
