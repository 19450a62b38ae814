"""A whole plan in one TOML file: what is trained, on which images, and what is searched."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import Field

from ..core.atomic_files import as_path, exists
from ..core.config import Config, merged, read_toml
from ..core.errors import ConfigurationError
from ..core.wording import brief
from ..data.sources import DataConfig
from .config import KINDS, Experiment, Kind, kind_named
from .search_space import SearchConfig
from .training import SplitConfig


class Study(Config):
    """One table of a recipe: what differs from the report's settings for that kind."""

    model: dict[str, Any] = Field(default_factory=dict)
    objective: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    search: SearchConfig | None = None


class Recipe(Config):
    """The data, the split, and a table for each kind of study."""

    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    ae: Study = Study()
    dae: Study = Study()
    vae: Study = Study()
    classifier: Study = Study()

    @classmethod
    def load(cls, name: str | Path) -> "Recipe":
        """A built-in recipe by its name, or a file by its path.

        Raises:
            ConfigurationError: no such recipe, or one with unknown keys or values out of range.
        """
        path = as_path(name, "a recipe")
        builtin = {file.name.removesuffix(".toml"): file for file in _builtin()}
        if str(name) in builtin:
            with resources.as_file(builtin[str(name)]) as file:
                return cls.read(file, f"the recipe {name}")
        if path.suffix != ".toml" and not exists(path):
            raise ConfigurationError(
                "a recipe is a TOML file or a built-in name",
                found=repr(str(name)),
                do=f"name a file, or one of: {', '.join(sorted(builtin))}",
            )
        return cls.read(path, f"the recipe {path}")

    @classmethod
    def read(cls, path: Path, origin: str) -> "Recipe":
        """Every study's plan is tried, so that a mistake in the last one does not wait for it to begin."""
        recipe = cls.parse(read_toml(path), origin)
        for kind in KINDS:
            Experiment.parse(recipe._plan(kind), origin, prefix=f"{kind}.")
        return recipe

    def experiment(self, kind: Kind, changes: Mapping[str, Any] | None = None) -> Experiment:
        """The plan of one study, with `changes` (nested, as in config.json) laid over it.

        Raises:
            ConfigurationError: no such kind, or a change that names an unknown key or a value out of range.
        """
        plan = self._plan(kind_named(kind))
        if not isinstance(changes, Mapping | None):
            raise ConfigurationError(
                "changes of a plan must be a dictionary",
                found=brief(changes),
                do='write for example {"training": {"epochs": 5}}',
            )
        return Experiment.parse(merged(plan, changes or {}), "the experiment")

    def _plan(self, kind: Kind) -> dict[str, Any]:
        study: Study = getattr(self, kind)
        return {
            "kind": kind,
            "seed": self.seed,
            "data": self.data.model_dump(),
            "split": self.split.model_dump(exclude_unset=True),  # a classifier asks what was named
            "model": study.model,
            "objective": study.objective,
            "training": study.training,
        }


def _builtin() -> list[Any]:
    folder = resources.files("latentspace.recipes")
    return [file for file in folder.iterdir() if file.name.endswith(".toml")]
