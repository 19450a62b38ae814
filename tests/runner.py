"""The command line within this process: as fast as a function, and watched by the shape checks."""

import contextlib
import io
import signal
import sys
from unittest import mock

from latentspace.cli import console, main


def call(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    console.logger.handlers.clear()
    with (
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


def heeds_interrupts() -> None:
    """For a child of a test: a shell in the background starts its programs deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
