"""What is measured runs in a process of its own, which leaves nothing to the next measurement."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

CONTEXT: Any = multiprocessing.get_context("spawn")


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_call, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    found = _answer(ours, process)
    process.join()
    return found


def latentspace(words: list[str]) -> None:
    """The command `latentspace` with these words, in this process."""
    from latentspace.cli import main

    sys.argv = ["latentspace", *words]
    try:
        main.main()
    except SystemExit as end:
        if end.code:
            raise


class Steps:
    """A generator in another process: it is ready after its first `yield`, then goes on when it is asked."""

    def __init__(self, generator: Callable[..., Iterator[Any]], *arguments: Any, threads: int = 1) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_steps, args=(theirs, generator, arguments))
        with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": str(threads)}):
            self._process.start()
        theirs.close()
        self.answer()

    def ask(self) -> None:
        self._pipe.send(True)

    def answer(self) -> Any:
        return _answer(self._pipe, self._process)

    def close(self) -> int:
        """End it; MiB that it held at its peak."""
        self._pipe.send(False)
        peak = int(self.answer())
        self._process.join()
        return peak


def peak_mib() -> int:
    """Of this process since it began, everything it holds."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10


def _answer(pipe: Connection, process: Any) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"a process ended with code {process.exitcode}: see above") from None


def _call(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(function(*arguments))


def _steps(pipe: Connection, generator: Callable[..., Iterator[Any]], arguments: tuple[Any, ...]) -> None:
    steps = generator(*arguments)
    pipe.send(next(steps))
    while pipe.recv():
        pipe.send(next(steps))
    pipe.send(peak_mib())
