"""Learning-rate schedules: pure functions of the step, times the experiment's learning rate."""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int, int], float]


def constant(step: int, steps: int) -> float:  # noqa: ARG001 - every schedule is called alike
    return 1.0


def cosine(step: int, steps: int) -> float:
    """Half a cosine, from 1 at the first step towards 0 after the last (https://arxiv.org/abs/1608.03983)."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def one_cycle(step: int, steps: int, warm_up: float = 0.3, start: float = 1 / 25) -> float:
    """Up from `start` to 1 over the first `warm_up` of the steps, then down to 0, both along a cosine.

    The shape of Smith and Topin (https://arxiv.org/abs/1708.07120); the learning rate is its peak.
    """
    peak = max(1, round(warm_up * steps))
    if step < peak:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * step / peak))
    return cosine(step - peak, max(1, steps - peak))


SCHEDULES: Mapping[str, Schedule] = {"constant": constant, "cosine": cosine, "one-cycle": one_cycle}
