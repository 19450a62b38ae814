"""Figures: for each a data function that chooses what is drawn, and a function that draws it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .interface import *  # noqa: F403 - its `__all__` is this package's


def __getattr__(name: str) -> Any:
    """Import on first use: `figures.samples` alone need not wait for what the other figures draw."""
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".interface", __name__), name)
