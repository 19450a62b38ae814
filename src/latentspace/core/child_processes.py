"""A Python process that is begun from this one: its command, its environment, and cores for it.

More threads or processes than cores can serve are refused by one rule.
"""

import os
import subprocess
import sys
from contextlib import suppress
from typing import IO, Final

from .errors import ConfigurationError
from .wording import counted, option

ALWAYS: Final = 64  # threads or processes that any machine may be asked for
PER_CORE: Final = 4  # and so many for each of its cores, where that is more


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def too_many(count: int) -> bool:
    """Whether so many threads or processes would mostly wait for each other on this machine."""
    return count > max(ALWAYS, PER_CORE * cores())


def refuse_too_many(name: str, count: int) -> None:
    """Refuse a setting that asks for more threads or processes than this machine's cores can serve.

    Args:
        name: of the setting: threads, devices, workers.

    Raises:
        ConfigurationError: there are more than 64, and more than four for each core.
    """
    if too_many(count):
        raise ConfigurationError(
            f"{option(name)} may be at most {max(ALWAYS, PER_CORE * cores())} on this machine, which has "
            f"{counted(cores(), 'core')}",
            found=option(name, count),
            do=f"name fewer ({option(name, cores())}), or leave it out",
        )


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module; the working directory is not searched for it."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(threads: int | None = None) -> dict[str, str]:
    """The environment of a process that finds the modules that this one finds.

    Args:
        threads: that its libraries compute with; None: as many as here.
    """
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return found if threads is None else {**found, "OMP_NUM_THREADS": str(threads)}


def begin_piped(module: str, *arguments: str, threads: int | None = 1) -> "subprocess.Popen[bytes]":
    """A process that runs a module, asked by its standard input and answering by its output."""
    return subprocess.Popen(  # noqa: S603
        module_command(module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(threads),
        start_new_session=True,  # Ctrl-C is for the process that asks, which ends this one
    )


def end_piped(process: "subprocess.Popen[bytes]", patience: float = 0) -> None:
    """End a process of `begin_piped`, and close its pipes.

    Args:
        patience: seconds in which it may end by itself, as nothing more is asked of it.
    """
    if patience:
        _close(process.stdin)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    process.kill()
    process.wait()
    _close(process.stdin)
    _close(process.stdout)


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with suppress(OSError, ValueError):  # what was left to be written to a process that has ended
            pipe.close()
