"""The program: commands, errors, exit codes. A command imports the heavy libraries that it needs."""

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from functools import cache
from typing import Annotated, Any, NoReturn

import typer

from ..core.credentials import masked
from ..core.errors import LatentspaceError
from ..core.malloc import within_memory
from ..core.printable import printable
from ..core.wording import on_command_line
from . import (
    anomalies,
    classify,
    clusters,
    compare,
    console,
    continue_,
    data,
    denoise,
    doctor,
    encode,
    evaluate,
    explore,
    export,
    generate,
    index,
    interpolate,
    map,  # noqa: A004
    neighbours,
    reconstruct,
    report,
    reproduce,
    runs,
    search,
    settings,
    share,
    train,
)
from .command import Group, add, flat
from .signals import insistent

GUIDE = """Autoencoders for small images: learn codes of a few numbers, evaluate them, use them, look at them.

[bold]A first look[/bold]

  latentspace reproduce --recipe quick

[bold]Your own images[/bold]

  latentspace data info photos/

  latentspace train ae --data photos/ --out runs/photos --resize 32x32

  latentspace evaluate runs/photos

  latentspace report runs/photos
"""

_UsageError: Any = typer.BadParameter.__bases__[0]  # Typer names no other of them


class _Commands(Group):
    """Commands that show no password where one was given in a wrong place."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        with _masking():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _masking():
            return super().invoke(ctx)


@contextmanager
def _masking() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.message = printable(masked(error.message))
        raise


app = typer.Typer(
    cls=_Commands,
    help=GUIDE,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="More: latentspace COMMAND --help, as latentspace train --help. Completion: --install-completion.",
)
for one in (
    train.train,
    continue_.continue_,
    search.search,
    doctor.doctor,
    evaluate.evaluate,
    compare.compare,
    encode.encode,
    classify.classify,
    neighbours.neighbours,
    index.index,
    anomalies.anomalies,
    map.map_,
    clusters.clusters,
    reconstruct.reconstruct,
    interpolate.interpolate,
    generate.generate,
    denoise.denoise,
    export.export,
    explore.explore,
    share.push,
    share.pull,
    report.report,
    reproduce.reproduce,
    runs.runs,
    settings.settings,
):
    add(app, one)
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        from ..core.versions import said_version_of

        console.out.print(f"latentspace {said_version_of()}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, expose_value=False, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


app.callback()(flat(_root))


def _program() -> typer.Typer:
    """What is asked for: reading the options of all commands takes longer than many a command."""
    completing = "_LATENTSPACE_COMPLETE" in os.environ
    return app if completing or len(sys.argv) < 2 else _alone(sys.argv[1])


@cache
def _alone(name: str) -> typer.Typer:
    """The program with that command or group alone; with all of them where it has none of that name."""
    program = copy(app)
    program.registered_commands = [one for one in app.registered_commands if one.name == name]
    program.registered_groups = [one for one in app.registered_groups if one.name == name]
    return program if program.registered_commands or program.registered_groups else app


class Terminated(BaseException):
    """SIGTERM: the process is asked to end. Nothing catches it but `main`."""


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM inside the block ends the process with 143, also where a second one comes meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with insistent(signal.SIGTERM, Terminated), insistent(signal.SIGINT, KeyboardInterrupt):
        try:
            yield
        except Terminated:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            console.note("terminated; train, search, encode go on by --resume, reproduce by the same command")
            _leave(143)


@on_command_line()
def main() -> None:
    """Run the command line.

    A user's mistake ends in one screen of text and exit code 2, Ctrl-C in 130, SIGTERM in 143, a closed
    pipe in 141; what was saved stays whole.
    """
    console.set_verbosity(logging.INFO)
    try:
        with _terminable():
            _run()
    except Terminated:  # a second one, while the first was said
        _leave(143)


def _run() -> None:
    try:
        with within_memory(
            LatentspaceError,
            "a command must fit in memory",
            "give it fewer or smaller images (--resize), a smaller network, or fewer --workers",
        ):
            try:
                _program()(prog_name="latentspace")
            finally:
                sys.stdout.flush()  # a full disk or a reader that has gone is noticed now, not at the exit
    except LatentspaceError as error:
        _refuse(error)
    except BrokenPipeError:
        _leave(141)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Rich and Typer make 1 of it
            _leave(141)
        raise
    except OSError as error:
        console.logger.debug("what went wrong", exc_info=True)
        _refuse(
            LatentspaceError(
                f"{error.filename or 'the output'} must be usable",
                found=error.strerror or str(error),
                do="check the path, its permissions, and that the disk is not full; --verbose says more",
            )
        )


def _refuse(error: LatentspaceError) -> None:
    with suppress(OSError):
        console.show_error(error)
    _leave(error.exit_code)


def _leave(code: int) -> NoReturn:
    """End; what is still to be printed and cannot be is dropped."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def command() -> None:
    """`main` as a process of its own.

    It ends without taking the interpreter apart: with PyTorch and scikit-learn loaded that takes a second.
    """
    code: object = None
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    command()
