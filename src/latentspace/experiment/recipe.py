"""A whole plan in one TOML file: what is trained, on which images, and what is searched."""

from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from ..core.atomic_files import as_path, exists
from ..core.config import Config, did_you_mean, merged, names_of, read_toml
from ..core.errors import ConfigurationError
from ..core.wording import brief
from ..data.config import DataConfig
from .config import Experiment
from .named_recipes import RECIPES
from .search_space import SearchConfig
from .tasks import TASKS
from .training import SplitConfig


class Study(Config):
    """One table of a recipe: what differs from the preset's settings."""

    model: dict[str, Any] = Field(default_factory=dict)
    objective: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    search: SearchConfig | None = None


class Recipe(Config):
    """The data, the split, and a table for each task: `recipe.study("vae")`."""

    model_config = ConfigDict(extra="allow")

    description: str = ""
    preset: str = "report"
    seed: int = Field(default=0, ge=0)
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    __pydantic_extra__: dict[str, Study]

    @model_validator(mode="before")
    @classmethod
    def _a_table_for_each_task(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        names = cls.names(values)
        for key in values:
            if key not in cls.model_fields and key not in TASKS:
                raise ValueError(f"{key} is not a known key{did_you_mean(str(key), names)}")
        return {**{name: {} for name in TASKS}, **values}

    @classmethod
    def names(cls, values: Mapping[str, Any]) -> Collection[str]:
        """The dotted names of what a recipe may set, with those of each task's table."""
        tables = [f"{task}.{name}" for task in TASKS for name in names_of(Study)]
        return [*super().names(values), *TASKS, *tables]

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value != Study())

    def study(self, kind: str) -> Study:
        """The table of a task.

        Raises:
            ConfigurationError: there is no such task.
        """
        return self.__pydantic_extra__[TASKS.require(kind)]

    @classmethod
    def load(cls, name: str | Path) -> "Recipe":
        """A built-in recipe by its name, or a file by its path.

        Raises:
            ConfigurationError: no such recipe, or one with unknown keys or values out of range.
        """
        path = as_path(name, "a recipe")
        if str(name) in RECIPES:
            with resources.as_file(RECIPES[str(name)]) as file:
                return cls.read(file, f"the recipe {name}")
        if path.suffix != ".toml" and not exists(path):
            raise ConfigurationError(
                "a recipe is a TOML file or a built-in name",
                found=repr(str(name)),
                do=f"name a file, or one of: {', '.join(RECIPES)}",
            )
        return cls.read(path, f"the recipe {path}")

    @classmethod
    def read(cls, path: Path, origin: str) -> "Recipe":
        """Every study's plan is tried, so that a mistake in the last one does not wait for it to begin."""
        recipe = cls.parse(read_toml(path), origin)
        for kind in TASKS:
            Experiment.parse(recipe._plan(kind), origin, prefix=f"{kind}.")
        return recipe

    def experiment(self, kind: str, changes: Mapping[str, Any] | None = None) -> Experiment:
        """The plan of one study, with `changes` (nested, as in config.json) laid over it.

        Raises:
            ConfigurationError: no such kind, or a change that names an unknown key or a value out of range.
        """
        plan = self._plan(kind)
        if not isinstance(changes, Mapping | None):
            raise ConfigurationError(
                "changes of a plan must be a dictionary",
                found=brief(changes),
                do='write for example {"training": {"epochs": 5}}',
            )
        return Experiment.parse(merged(plan, changes or {}), "the experiment")

    def _plan(self, kind: str) -> dict[str, Any]:
        study = self.study(kind)
        return {
            "kind": kind,
            "preset": self.preset,
            "seed": self.seed,
            "data": self.data.model_dump(),
            "split": self.split.model_dump(exclude_unset=True),  # a classifier asks what was named
            "model": study.model,
            "objective": study.objective,
            "training": study.training,
        }
