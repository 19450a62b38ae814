"""The registry of presets: the settings that a plan has where it names none, each a TOML file."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ...core.config import merged, read_toml
from ...core.registry import Registry

USUAL = "default"  # of a training or a search that names neither a preset nor a recipe

PRESETS: Registry[Traversable] = Registry(
    "preset",
    {
        "default": f"{__name__}:DEFAULT",
        "fast": f"{__name__}:FAST",
        "best": f"{__name__}:BEST",
        "report": "latentspace.studies.foscarin2021.recipes:HOMEWORK",
    },
)

DEFAULT, FAST, BEST = (files(__name__) / f"{name}.toml" for name in ("default", "fast", "best"))


def settings_of_preset(name: str, kind: str) -> Mapping[str, Any]:
    """The preset's table of a task: `model`, `objective`, `training` and `search`; empty where it has none.

    Raises:
        ConfigurationError: there is no such preset.
    """
    table: Mapping[str, Any] = _read(PRESETS.require(name)).get(kind, {})
    return table


@cache
def _read(name: str) -> Mapping[str, Any]:
    """The whole preset, laid over the one that it extends."""
    with resources.as_file(PRESETS[name]) as file:
        tables = read_toml(file)
    return merged(_read(tables["extends"]), tables) if "extends" in tables else tables
