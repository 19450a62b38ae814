"""A function becomes a command: its groups of options are taken apart and put together again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner

from latentspace.cli.command import add
from latentspace.data.readers.registry import READERS
from runner import call


@dataclass(frozen=True, kw_only=True)
class Inner:
    panel: ClassVar = "Within"

    strict: Annotated[bool | None, "A flag."] = None
    no_final: Annotated[bool, "Another."] = False


@dataclass(frozen=True, kw_only=True)
class Outer:
    epochs: Annotated[int | None, "A number.", "N", {"min": 1}] = None
    set_: Annotated[list[str] | None, "Several.", "KEY=VALUE"] = None
    inner: Inner


@pytest.fixture
def program():
    """The program `greet`, and what it was called with."""
    calls: list[tuple[str, Outer, int]] = []

    def greet(*, name: Annotated[str, typer.Argument()], outer: Outer, own: Annotated[int, "Own."] = 3):
        """Greet."""
        calls.append((name, outer, own))

    app = typer.Typer()
    add(app, greet)
    return app, calls


def test_a_group_arrives_whole_with_the_defaults_of_what_was_not_given(program):
    app, calls = program
    assert CliRunner().invoke(app, ["you"]).exit_code == 0
    assert calls == [("you", Outer(inner=Inner()), 3)]


def test_each_option_reaches_its_group(program):
    app, calls = program
    line = "you --epochs 2 --set a=1 --set b=2 --strict --no-final --own 4 --quiet"
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 0, done.output
    outer = Outer(epochs=2, set_=["a=1", "b=2"], inner=Inner(strict=True, no_final=True))
    assert calls == [("you", outer, 4)]


@pytest.mark.parametrize("line", ["you --epochs 0", "you --no-strict", "you --final", "you --inner x"])
def test_what_typer_is_told_holds_and_flags_have_no_opposite(program, line):
    app, calls = program
    assert CliRunner().invoke(app, line.split()).exit_code == 2
    assert calls == []


def test_a_group_has_its_panel_on_the_screen(program):
    shown = CliRunner().invoke(program[0], ["--help"]).output
    assert "N [x>=1]" in shown
    before, _, within = shown.partition(" Within ")
    assert "--epochs" in before
    assert "--strict" in within


def test_two_options_of_one_name_are_found_when_the_command_is_made():
    def twice(*, outer: Outer, epochs: Annotated[int, "Again."] = 1):
        pass

    with pytest.raises(ValueError, match="duplicate parameter name: 'epochs'"):
        add(typer.Typer(), twice)


@pytest.mark.parametrize("command", ["train", "search", "settings"])
def test_help_lists_the_tasks_that_there_are(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, _ = call([command, "--help"])
    assert code == 0
    assert "dae (denoising autoencoder), vae (variational autoencoder) or classifier." in shown


@pytest.mark.parametrize("command", ["train", "reproduce", "data"])
def test_help_lists_what_readers_read(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    code, shown, _ = call([command, "--help"])
    assert code == 0
    assert "or a path: a folder of images or of class folders, " in shown
    assert all(reader.words in " ".join(shown.replace("│", " ").split()) for reader in READERS.values())
    assert "{" not in shown


def test_a_plug_in_that_is_not_there_is_an_error_of_help_too(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("LATENTSPACE_PLUGINS", "nowhere_to_be_found")
    code, _, err = call(["train", "--help"])
    assert code == 2
    assert "nowhere_to_be_found" in err
    assert call(["evaluate", "--help"])[0] == 0
