"""A Python process that is begun from this one: its command, its environment, and cores for it."""

import os
import sys


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
