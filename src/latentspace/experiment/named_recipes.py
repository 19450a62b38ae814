"""The registry of recipes: those that `--recipe` takes by their name."""

from importlib.resources.abc import Traversable

from ..core.registry import Registry

RECIPES: Registry[Traversable] = Registry(
    "recipe",
    {
        "homework": "latentspace.studies.foscarin2021.recipes:HOMEWORK",
        "quick": "latentspace.studies.foscarin2021.recipes:QUICK",
    },
)
