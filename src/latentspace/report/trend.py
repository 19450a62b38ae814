"""How a validation score went over a training: still better at the end, level, or worse again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..experiment.tasks import Direction

TrialCourse: TypeAlias = Literal["unknown", "short", "better", "level", "worse"]

GAIN = 0.01  # share of the score by which the end must be better than all before it
LOSS = 0.03  # share of the score by which the end must be worse than the best
FEW = 3  # epochs that say nothing of a course


@dataclass(frozen=True)
class Trend:
    """How a validation score changed.

    Args:
        course: where the score was going when the training ended.
        change: the share of the score, since the epochs before the last tenth, or since the best epoch.
        best: the epoch of the best score, 0 where there is none.
        epochs: how many were measured.
    """

    course: TrialCourse
    change: float
    best: int
    epochs: int


def trend(records: Sequence[Mapping[str, Any]], score: str, direction: Direction) -> Trend:
    """From the records of a run, one an epoch. A score that is maximised is a share of at most 1.

    What is compared is always an error: of an accuracy, the share of wrong answers.
    """
    scores = [
        (int(one["epoch"]), float(one["validation"][score]))
        for one in records
        if score in (one.get("validation") or {})
    ]
    if not scores:
        return Trend("unknown", 0.0, 0, 0)
    errors = [value if direction == "minimize" else 1 - value for _, value in scores]
    best = min(range(len(errors)), key=errors.__getitem__)
    at, epochs = scores[best][0], len(scores)
    if epochs < FEW:
        return Trend("short", 0.0, at, epochs)
    last = max(1, epochs // 10)
    before, end = min(errors[:-last]), min(errors[-last:])
    if (gain := _share(before - end, before)) > GAIN:
        return Trend("better", gain, at, epochs)
    if (loss := _share(end - errors[best], errors[best])) > LOSS:
        return Trend("worse", loss, at, epochs)
    return Trend("level", gain, at, epochs)


def _share(part: float, whole: float) -> float:
    return part / abs(whole) if whole else 0.0
