"""The curves of a run: which of the numbers that each epoch measured are drawn, and what they are called."""

from typing import Literal

from ...evaluation.metrics import METRICS, label
from ...figures import Term
from ...runs.directory import Run


def terms_of(run: Run) -> tuple[Term, ...]:
    """Those that the objective names; where it names none, all that were measured, the task's score first."""
    objective, task = run.experiment.objective, run.experiment.task
    measured = measured_in(run)
    named = objective.curves or (task.score, *(name for name in measured if name != task.score))
    return tuple(Term(name, label(name), _better(run, name)) for name in named if name in measured)


def measured_in(run: Run) -> tuple[str, ...]:
    """The parts of the objective that the epochs measured, in training or in validation."""
    found = dict.fromkeys(name for record in run.metrics for name in record["train"] if name != "loss")
    found |= dict.fromkeys(
        name for record in run.metrics for name in record.get("validation") or {} if name != "loss"
    )
    return tuple(found)


def _better(run: Run, name: str) -> Literal["lower", "higher"] | None:
    """Which way a part is better, as far as it is known."""
    task = run.experiment.task
    if name == task.score:
        return "lower" if task.direction == "minimize" else "higher"
    return METRICS[name].better if name in METRICS else None
