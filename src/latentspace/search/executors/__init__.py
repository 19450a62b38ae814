"""The registry of executors: what starts the workers of a search. Listing their names imports none."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...core.registry import Registry

if TYPE_CHECKING:
    from .protocol import Executor

EXECUTORS: Final[Registry[Callable[[], "Executor"]]] = Registry(
    "executor", {"local": "latentspace.search.executors.local:LocalExecutor"}
)
