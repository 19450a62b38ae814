"""What a search may choose from: ranges and choices, as a recipe holds them."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from ..core.config import Config, Count, CountOrNone

Setting: TypeAlias = bool | int | float | str
Settings: TypeAlias = dict[str, Setting]  # by dotted name: {"model.code_size": 10}


class Range(Config):
    """Both ends are included; two whole numbers make a range of whole numbers.

    `log`: uniform in the logarithm.
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _holds_something(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"a range goes from low up to high, and {self.low} is above {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range begins above 0, and low is {self.low}")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def extremes(self) -> tuple[Setting, ...]:
        return self.low, self.high

    def holds(self, value: Setting) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


class Choices(Config):
    """One of these, with no order among them."""

    choices: tuple[Setting, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_two_alike(self) -> "Choices":
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"each choice is named once, and here they are {list(self.choices)}")
        return self

    @property
    def extremes(self) -> tuple[Setting, ...]:
        return self.choices

    def holds(self, value: Setting) -> bool:
        return value in self.choices


def _form(value: Any) -> str:
    named = value if isinstance(value, Mapping) else getattr(value, "model_fields_set", ())
    return "choices" if "choices" in named else "range"


Parameter: TypeAlias = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_form)
]
Space: TypeAlias = dict[str, Parameter]  # by dotted name of a setting: {"model.code_size": Range(...)}


class SearchConfig(Config):
    """The `search` table of a recipe.

    Args:
        trials: how many to run; complete, pruned and failed ones count.
        epochs: of a whole trial.
        startup_trials: complete trials before any is pruned.
        warmup_steps: epochs in which no trial is pruned.
        space: what is searched; every other setting is the recipe's.
    """

    trials: Count = 100
    epochs: Count = 50
    startup_trials: CountOrNone = 5
    warmup_steps: CountOrNone = 5
    space: Space = Field(min_length=1)
