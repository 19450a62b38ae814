"""latentspace settings"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from . import console
from .options import Json

if TYPE_CHECKING:
    from ..experiment.settings import Setting


def settings(
    *,
    kind: Annotated[
        str | None, typer.Argument(metavar="TASK", help="The task: {tasks}. \\[default: all]")
    ] = None,
    preset: Annotated[str, "The defaults of this preset: {presets}.", "NAME"] = "default",
    set_: Annotated[
        list[str] | None,
        "Settings of another network or objective: --set model.name=dense. May be repeated.",
        "NAME=VALUE",
    ] = None,
    json: Json = False,
) -> None:
    """List all settings of a training: name, default, limits, meaning.

    Each can be given as --set NAME=VALUE, in a recipe, and is kept in a run's config.json. The common ones
    have options of their own.

    [bold]Examples[/bold]

      latentspace settings

      latentspace settings vae

      latentspace settings ae --preset report --json

      latentspace settings ae --set model.name=dense
    """
    from ..core.config import overrides
    from ..experiment.presets import PRESETS
    from ..experiment.settings import by_name, settings_of
    from ..experiment.tasks import TASKS

    PRESETS.require(preset)
    kinds = tuple(TASKS) if kind is None else (TASKS.require(kind),)
    changes = overrides(set_ or [])
    if json:
        console.show_json([asdict(one) for each in kinds for one in settings_of(each, preset, changes)])
    else:
        console.show(_table(by_name(kinds, preset, changes), len(kinds)))


def _table(listed: "dict[str, tuple[Setting, ...]]", kinds: int) -> Table:
    from ..experiment.settings import limits_of

    table = Table(box=None, header_style="bold", pad_edge=False, leading=1)
    table.add_column("setting", no_wrap=True)
    table.add_column("default", overflow="fold")
    table.add_column("meaning, limits", overflow="fold", ratio=1)
    for name, settings in listed.items():
        meaning = Text(settings[0].meaning.replace("`", ""))
        if limits := limits_of(settings):
            meaning.append(f" ({limits})", style="dim")
        table.add_row(Text(name), Text("\n".join(_defaults(settings, kinds))), meaning)
    return table


def _defaults(settings: "tuple[Setting, ...]", kinds: int) -> list[str]:
    """The default, or each one with its kinds."""
    from ..experiment.settings import written

    having: dict[str, list[str]] = {}
    for one in settings:
        default = f"{one.default:.6g}" if isinstance(one.default, float) else written(one.default)
        having.setdefault(default, []).append(one.kind)
    if len(having) == 1 and len(settings) == kinds:
        return list(having)
    return [f"{default} ({', '.join(names)})" for default, names in having.items()]
