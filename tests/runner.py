"""The command line within this process: as fast as a function, and watched by the shape checks."""

import contextlib
import io
import sys
from contextlib import nullcontext
from functools import cache
from unittest import mock

import typer.main

from latentspace.cli import console, main

built = cache(typer.main.get_command)  # a command with its options, anew for each call, takes most of it


def call(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    console.logger.handlers.clear()
    changes = {"-h", "--help"} & {*arguments}  # help is written into the commands
    with (
        nullcontext() if changes else mock.patch("typer.main.get_command", built),
        mock.patch.object(sys, "argv", ["latentspace", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main.main()
            code: object = 0
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            console.logger.handlers.clear()
    assert isinstance(code, int)
    return code, out.getvalue(), err.getvalue()


def done(*arguments: object) -> str:
    """What a command prints that must end well."""
    code, out, err = call(list(map(str, arguments)))
    assert code == 0, err
    return out


def refused(*arguments: object) -> str:
    """The one screen of text with which a command ends that takes nothing, in one line."""
    code, out, err = call(list(map(str, arguments)))
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err
    assert len(err.splitlines()) < 25
    return " ".join(err.split())
