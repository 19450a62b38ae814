"""How a function becomes a command.

An option is a parameter with its help, its metavariable where that says more than its type, and what else
Typer's `Option` may be told:

    epochs: Annotated[int | None, "Passes over the images."] = None
    threads: Annotated[int | None, "Threads of the CPU.", "N", {"min": 1}] = None

A parameter whose type is a dataclass is a group: each of its fields is an option, and the function is given
them together. So options that several commands share are written once (`options.py`). A group may have a
`panel` of its own on the screen. What Typer's own `Option` or `Argument` describes is left as it is. Typer's
context is given to a parameter `context`.

Help may hold `{tasks}`, `{formats}`, `{recipes}`, `{presets}` and
`{engines}`: the names in the registries, plug-ins
too. They are filled in when help is shown, so that nothing else waits for them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_args, get_origin

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from ..core.wording import either
from .options import Messages


class _WithNames:
    """Help with the names that the registries have."""

    help: str | None
    params: list[Any]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        for one in (self, *self.params):
            if one.help:
                one.help = _with_names(one.help)
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_WithNames, TyperCommand):
    """A command."""


class Group(_WithNames, TyperGroup):
    """A command that has commands."""


def add(app: typer.Typer, function: Callable[..., None]) -> None:
    """Make `function` a command of `app`, by its name; `map_` is `map`."""
    app.command(function.__name__.strip("_"), cls=Command)(flat(function))


def flat(function: Callable[..., None]) -> Callable[..., None]:
    """`function` as Typer takes it: a parameter for each option, those of `Messages` too."""

    @wraps(function)
    def command(**given: Any) -> None:
        _call(function, given)

    parameters = [*_options(function), *_options(Messages)]
    vars(command)["__signature__"] = Signature(parameters)
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def _options(taker: Callable[..., Any]) -> Iterator[Parameter]:
    """A parameter for each option of a function or a group."""
    panel = getattr(taker, "panel", None)
    for one in signature(taker).parameters.values():
        if _is_group(one.annotation):
            yield from _options(one.annotation)
        else:
            annotation = _described(one.name, one.annotation, panel)
            yield one.replace(annotation=annotation, kind=Parameter.KEYWORD_ONLY)


def _described(name: str, annotation: Any, panel: str | None) -> Any:
    """The annotation, for Typer. A flag is named, as it would get a --no-flag beside it else."""
    if name == "context":
        return typer.Context
    if get_origin(annotation) is not Annotated or not isinstance(annotation.__metadata__[0], str):
        return annotation
    said, *more = annotation.__metadata__
    told: dict[str, Any] = {"help": said, "rich_help_panel": panel}
    for one in more:
        told |= {"metavar": one} if isinstance(one, str) else one
    option = typer.Option(f"--{name.strip('_').replace('_', '-')}", **told)
    return Annotated[get_args(annotation)[0], option]


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _call(taker: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call it with its own of the options that were given, its groups made of theirs."""
    taken = {
        name: _call(one.annotation, given) if _is_group(one.annotation) else given[name]
        for name, one in signature(taker).parameters.items()
    }
    return taker(**taken)


def _with_names(text: str) -> str:
    if "{tasks}" in text:
        from ..experiment.tasks import TASKS

        named = [name if task.title == name else f"{name} ({task.title})" for name, task in TASKS.items()]
        text = text.replace("{tasks}", escape(either(named)))
    if "{formats}" in text:
        from ..data.readers.registry import READERS

        formats = [reader.words for reader in READERS.values() if reader.words]
        text = text.replace("{formats}", escape(either(formats[::-1])))  # what most people have comes first
    if "{recipes}" in text:
        from ..experiment.named_recipes import RECIPES

        text = text.replace("{recipes}", escape(either(list(RECIPES))))
    if "{presets}" in text:
        from ..experiment.presets import PRESETS

        text = text.replace("{presets}", escape(either(list(PRESETS))))
    if "{engines}" in text:
        from ..search.executors import EXECUTORS

        text = text.replace("{engines}", escape(either(list(EXECUTORS))))
    return text
