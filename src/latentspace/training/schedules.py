"""Learning-rate schedules: pure functions of the step, times the experiment's learning rate."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from ..experiment.training import TrainingConfig

Schedule: TypeAlias = Callable[..., float]  # (step, steps, warmup) -> factor


def constant(step: int, steps: int, warmup: float = 0.0) -> float:
    """1, after a straight rise over the first `warmup` of the steps."""
    return min(1.0, (step + 1) / max(1, round(warmup * steps)))


def cosine(step: int, steps: int, warmup: float = 0.0) -> float:
    """Half a cosine, from 1 towards 0 after the last step (https://arxiv.org/abs/1608.03983).

    Before it a straight rise, over the first `warmup` of the steps.
    """
    peak = round(warmup * steps)
    if step < peak:
        return (step + 1) / (peak + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - peak) / max(1, steps - peak)))


def one_cycle(step: int, steps: int, warmup: float = 0.3, start: float = 1 / 25) -> float:
    """Up from `start` to 1 over the first `warmup` of the steps, then down to 0, both along a cosine.

    The shape of Smith and Topin (https://arxiv.org/abs/1708.07120); the learning rate is its peak.
    """
    peak = max(1, round(warmup * steps))
    if step < peak:
        return start + (1 - start) * 0.5 * (1 - math.cos(math.pi * step / peak))
    return cosine(step - peak, max(1, steps - peak))


SCHEDULES: Mapping[str, Schedule] = {"constant": constant, "cosine": cosine, "one-cycle": one_cycle}


def schedule_of(plan: TrainingConfig, steps: int) -> Callable[[int], float]:
    """The plan's factor of the learning rate at a step of so many, counted from 0."""
    own = {} if plan.warmup is None else {"warmup": plan.warmup}
    return partial(SCHEDULES[plan.schedule], steps=steps, **own)
