"""The command line within this process: as fast as a function, and watched by the shape checks."""

import contextlib
import io
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
