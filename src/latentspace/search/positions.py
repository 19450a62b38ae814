"""Where a value lies in what was searched: its position, the boundary it is at, and how a person says so."""

import math
from collections.abc import Iterable
from typing import Literal, TypeAlias

from ..core.wording import either
from ..experiment.search_space import Choices, Parameter, Range, Setting

End: TypeAlias = Literal["lowest", "highest"]

NEAR = 0.01  # of the range: a value so near to an end is at the boundary


def in_order(choices: Choices) -> tuple[Setting, ...]:
    """Numbers by size, other choices as they were given."""
    return tuple(sorted(choices.choices, key=float)) if _ordered(choices) else choices.choices


def position(searched: Parameter, value: Setting) -> float:
    """0 at the low end, 1 at the high one, in logarithms where those were searched; choices stand evenly.

    A range of one value, and a single choice, is at 0.5.

    Raises:
        ValueError: none of the choices, or no number.
    """
    if isinstance(searched, Choices):
        at = in_order(searched).index(value)
        return at / (len(searched.choices) - 1) if len(searched.choices) > 1 else 0.5
    if searched.low == searched.high:
        return 0.5
    low, high, at_value = (_scaled(searched, end) for end in (searched.low, searched.high, value))
    return (at_value - low) / (high - low)


def boundary(searched: Parameter, value: Setting) -> End | None:
    """The end that the value is at: the end itself or within 1 % of the range; for choices, which must be
    numbers to have an order, the smallest and the largest. What had one value only has no boundary.
    """
    if isinstance(searched, Choices):
        if not _ordered(searched) or len(searched.choices) == 1 or value not in searched.choices:
            return None
        near = 0.0
    elif searched.low == searched.high:
        return None
    else:
        near = NEAR
    at = position(searched, value)
    if at >= 1 - near:
        return "highest"
    return "lowest" if at <= near else None


def in_words(value: Setting) -> str:
    """A setting as a person writes it: whole numbers whole, others to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def described(searched: Parameter) -> str:
    """`2 to 10`, or `32, 64 or 128`."""
    if isinstance(searched, Range):
        ends = f"{in_words(searched.low)} to {in_words(searched.high)}"
        return ends + (", logarithmic" if searched.log else "")
    return either([in_words(one) for one in in_order(searched)])


def labels(settings: Iterable[str]) -> dict[str, str]:
    """Dotted settings as words: `model.code_size` -> "code size"; whole where two end alike."""
    last = {setting: setting.rpartition(".")[2] for setting in settings}
    names = list(last.values())
    return {
        setting: (name if names.count(name) == 1 else setting).replace("_", " ")
        for setting, name in last.items()
    }


def _ordered(choices: Choices) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in choices.choices)


def _scaled(searched: Range, value: Setting) -> float:
    if isinstance(value, bool | str):
        raise ValueError(f"{value!r} is no number from {searched.low} to {searched.high}")  # noqa: TRY004
    return math.log(value) if searched.log else float(value)
