"""Parameters -> Experiment: a pure function, and the checks that it will work for a whole space."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ..core.config import did_you_mean, merged
from ..core.errors import ConfigurationError
from ..experiment.config import Experiment
from ..experiment.search_space import Choices, Parameter, Range, Setting, Settings, Space

SEARCHED = ("model", "objective", "training")  # the tables of an experiment that a space may reach into
BATCHES = "training.batch_size"
# The search has its own epochs, and scores on validation.
FIXED = ("training.epochs", "training.minutes", "training.fit")


def experiment_of(parameters: Mapping[str, Setting], base: Experiment, seed: int) -> Experiment:
    """`base` with the parameters (by dotted name) in their places, to be trained from `seed`.

    Raises:
        ConfigurationError: an unknown name, a value out of its range, or two that exclude each other.
    """
    changes: dict[str, Any] = {"seed": seed}
    for name, value in parameters.items():
        changes = merged(changes, _nested(name, value))
    return Experiment.parse(merged(base.model_dump(), changes), "the trial's experiment")


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The space in Optuna's words."""
    return {name: _distribution(one) for name, one in space.items()}


def fitted(space: Space, images: int) -> Space:
    """The space with no batch larger than the training set; a range above it keeps its proportions.

    Args:
        images: how many there are to learn from.
    """
    batches = space.get(BATCHES)
    if batches is None or not any(_above(one, images) for one in batches.extremes):
        return space
    if isinstance(batches, Range):
        low = batches.low if batches.low <= images else max(1, round(images * batches.low / batches.high))
        return {**space, BATCHES: batches.model_copy(update={"low": low, "high": images})}
    choices = dict.fromkeys(images if _above(one, images) else one for one in batches.choices)
    return {**space, BATCHES: Choices(choices=tuple(choices))}


def _above(value: Setting, images: int) -> bool:
    return isinstance(value, int | float) and value > images


def check_names(space: Space, base: Experiment) -> None:
    """Refuse what cannot be searched: raises ConfigurationError."""
    for name in space:
        if name.partition(".")[0] not in SEARCHED or name in FIXED:
            raise ConfigurationError(
                "a search chooses settings of the model, the objective or the training",
                found=f"{name!r} in the space",
                do=f"name settings below {', '.join(SEARCHED)}, but not {' or '.join(FIXED)}"
                f"{did_you_mean(name, _searchable(base))}",
            )


def check_space(space: Space, base: Experiment, shape: tuple[int, int, int] | None = None) -> None:
    """Try each parameter's extremes, so that a mistake does not wait for the trial that meets it.

    Args:
        shape: channels, height and width of an image, which codes are smaller than; None: not known yet.

    Raises:
        ConfigurationError: a name that cannot be searched, or a value that the setting cannot take.
    """
    check_names(space, base)
    for name, parameter in space.items():
        for value in parameter.extremes:
            try:
                plan = experiment_of({name: value}, base, base.seed)
                if shape is not None:
                    plan.refuse_large_code(shape)
            except ConfigurationError as error:
                found = f"{error.found}, in the search space"
                raise ConfigurationError(error.must, found=found, do=error.do) from error


def _searchable(base: Experiment) -> list[str]:
    names = base.names({"kind": base.kind})
    return [one for one in names if one.partition(".")[0] in SEARCHED and one not in (*FIXED, *SEARCHED)]


def without(space: Space, changes: Mapping[str, Any]) -> Space:
    """The space less the settings that `changes` (nested) names: what a user has fixed is not searched."""
    return {name: one for name, one in space.items() if not _names(changes, name)}


def published(space: Space, base: Experiment) -> Settings:
    """The default settings of what is searched.

    Raises:
        ConfigurationError: one of them lies outside the space.
    """
    members = {table: {"name": getattr(base, table).name} for table in ("model", "objective")}
    defaults = Experiment.parse(
        {"kind": base.kind, "preset": base.preset, **members}, "the default settings"
    ).model_dump()
    settings: Settings = {}
    for name, parameter in space.items():
        value: Any = defaults
        for step in name.split("."):
            value = value[step]
        if not parameter.holds(value):
            raise ConfigurationError(
                "the default settings must lie in the space",
                found=f"{name} = {value!r}, which the space does not hold",
                do="widen the space, or leave out --published",
            )
        settings[name] = value
    return settings


def _distribution(parameter: Parameter) -> BaseDistribution:
    if not isinstance(parameter, Range):
        return CategoricalDistribution(parameter.choices)
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.log)


def _nested(name: str, value: Setting) -> dict[str, Any]:
    result: Any = value
    for step in reversed(name.split(".")):
        result = {step: result}
    return dict(result)


def _names(changes: Mapping[str, Any], name: str) -> bool:
    below: Any = changes
    for step in name.split("."):
        if not isinstance(below, Mapping) or step not in below:
            return False
        below = below[step]
    return True
