"""The help: every argument and option says what it is, and nothing of it is lost on the way to the screen."""

import re
from collections.abc import Iterator

import click
import pytest
import typer
from rich.text import Text

from latentspace.cli.main import app
from runner import call


def parameters(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Parameter]]:
    for one in command.params:
        yield f"{name} {one.name}".strip(), one
    for child, inner in getattr(command, "commands", {}).items():
        yield from parameters(inner, f"{name} {child}".strip())


PARAMETERS = dict(parameters(typer.main.get_command(app)))


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_says_what_it_is(name):
    said = getattr(PARAMETERS[name], "help", None) or ""
    assert re.match(r"[A-Z]|[a-z]+[,|:]", said), said
    assert said.endswith((".", "]"))


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_in_brackets_is_no_markup(name):
    said = getattr(PARAMETERS[name], "help", None) or ""
    assert Text.from_markup(said).plain == said.replace("\\[", "[")


def test_defaults_are_on_the_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, _ = call(["search", "--help"])
    assert code == 0
    assert "pruned and failed ones count. [default: the recipe's, else the preset's]" in shown
    assert "[default: STUDY/journal.log]" in shown


def test_a_number_with_a_least_has_a_most():
    """Else a slip of the keyboard is work without an end."""
    endless = {
        name.split()[-1]
        for name, one in PARAMETERS.items()
        if getattr(one, "min", None) is not None and one.max is None
    }
    settings = {"epochs", "devices", "threads", "minutes"}  # have theirs in the plan
    assert endless == {"seed", "limit", "timeout", "trial_cpus", "trial_gpus"} | settings  # these are no work
