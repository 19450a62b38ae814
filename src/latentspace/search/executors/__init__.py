"""The registry of executors: what starts the workers of a search. Listing their names imports none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ...core.registry import Registry

if TYPE_CHECKING:
    from ...core.cluster import Engine
    from .protocol import Executor

EXECUTORS: "Final[Registry[Callable[[Engine], Executor]]]" = Registry(
    "engine",
    {
        "local": "latentspace.search.executors.local:LocalExecutor",
        "ray": "latentspace.search.executors.ray:RayExecutor",
    },
)


@contextmanager
def opened(engine: "Engine") -> "Iterator[Executor]":
    """The executor of that engine, closed after the block.

    Raises:
        LatentspaceError: no such engine, or it cannot be had.
    """
    executor = EXECUTORS[engine.name](engine)
    try:
        yield executor
    finally:
        executor.close()
