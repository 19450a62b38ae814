"""A space that can be exhausted: its combinations, and those that no trial has had."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..experiment.search_space import Parameter, Range, Setting, Settings, Space
from .results import Trial

MOST: Final = 2**62  # values of a setting; with more of them it is as good as infinite


@dataclass(frozen=True)
class Combinations:
    """Every choice of values from a finite space; `of` makes them.

    Args:
        values: of each setting by its dotted name.
    """

    values: dict[str, Sequence[Setting]]

    @classmethod
    def of(cls, space: Space) -> "Combinations | None":
        """None where a setting is searched over real numbers."""
        values = {name: _values(parameter) for name, parameter in space.items()}
        finite = {name: one for name, one in values.items() if one is not None}
        return cls(finite) if len(finite) == len(values) else None

    @property
    def count(self) -> int:
        return math.prod(len(one) for one in self.values.values())

    def tried(self, trials: Iterable[Trial]) -> set[tuple[Setting, ...]]:
        """Those of all trials but the lost ones, which are run again; also of those that wait or run."""
        found = (self.key(one.params) for one in trials if one.state != "lost")
        return {one for one in found if one is not None}

    def left(self, trials: Iterable[Trial]) -> int:
        """How many no trial has had."""
        return self.count - len(self.tried(trials))

    def key(self, parameters: Settings) -> tuple[Setting, ...] | None:
        """The combination that these are; None if they are none of the space's."""
        if any(name not in parameters or parameters[name] not in self.values[name] for name in self.values):
            return None
        return tuple(parameters[name] for name in self.values)

    def another(self, tried: set[tuple[Setting, ...]], seed: int) -> Settings:
        """One that was not tried, the first after a place that the seed draws; empty if there is none."""
        begin = int(np.random.default_rng(seed).integers(min(self.count, MOST)))
        for step in range(min(self.count, len(tried) + 1)):
            found = self._at((begin + step) % self.count)
            if self.key(found) not in tried:
                return found
        return {}

    def _at(self, number: int) -> Settings:
        found: Settings = {}
        for name, values in self.values.items():
            number, place = divmod(number, len(values))
            found[name] = values[place]
        return found


def _values(parameter: Parameter) -> Sequence[Setting] | None:
    if not isinstance(parameter, Range):
        return parameter.choices
    if parameter.low == parameter.high:
        return (parameter.low,)
    if not parameter.whole or parameter.high - parameter.low >= MOST:
        return None
    return range(int(parameter.low), int(parameter.high) + 1)
