"""Replication: the best trials trained again from several seeds, the same for each of them.

The best of many trials is chosen by a score that depends on its seed too; trained again, it falls back. What
remains between the trials' means, set against their spread, is due to their parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ..core.atomic_files import write_json
from ..core.config import describe, two_numbers
from ..core.errors import ConfigurationError, RunError
from ..core.malloc import give_back
from ..core.record import Record
from .executors.protocol import Replication
from .plan import StudyPlan
from .results import Replicated, Replications, Score, Whole
from .sampler import seed_of
from .space import experiment_of
from .trainings import Trainer
from .trial import is_failure, kept_score, reason_of, train_and_report
from .trials import Trials

FILE = "confirm.json"
MOST: Final = 1_000  # trials, and seeds of each


@dataclass(frozen=True)
class ReplicationPlan:
    """`trials` best ones, each from `seeds` seeds."""

    trials: int
    seeds: int

    @classmethod
    def parse(cls, text: str) -> "ReplicationPlan":
        """`3x3` -> three trials, three seeds. Raises: ConfigurationError: another form."""
        found = two_numbers(text)
        if found is None or max(found) > MOST:
            raise ConfigurationError(
                f"--confirm takes TRIALSxSEEDS, each up to {MOST:,}",
                found=repr(text),
                do="write for example --confirm 3x3",
            )
        return cls(*found)


class ReplicationResult(Record):
    """What is kept of a replication; one that failed has a reason and no score."""

    number: Whole
    seed: Whole
    score: Score | None
    reason: str


def replications_of(trials: Trials, extent: ReplicationPlan) -> list[Replication]:
    """The trainings, best trial first; with fewer complete trials than asked for, of those there are."""
    return [
        Replication(number=trial.number, parameters=trial.params, place=place)
        for trial in trials.top(extent.trials)
        for place in range(extent.seeds)
    ]


def train_replications(
    replications: Sequence[Replication],
    plan: StudyPlan,
    directory: Path,
    trainer: Trainer,
    stop: Callable[[], bool],
) -> None:
    """Do the trainings whose score is not there yet, each from its own seed, and write the scores down."""
    for one in replications:
        if one.file(directory).exists() or stop():
            continue
        seed = seed_of(plan.experiment.seed, "replication", one.place)
        experiment = experiment_of(one.parameters, trainer.experiment, seed)
        score, reason = None, ""
        try:
            outcome = train_and_report(experiment, trainer.begin(experiment), None, stop)
        except Exception as error:
            if not is_failure(error):
                raise
            reason = reason_of(error)
        else:
            if outcome.ending == "interrupted":
                return
            score = kept_score(experiment, outcome.scores)
        result = ReplicationResult(number=one.number, seed=seed, score=score, reason=reason)
        write_json(one.file(directory), result.to_json())
        give_back()


def _score_in(path: Path) -> float | None:
    """None for a training that failed. Raises: RunError: the file is not as `train_replications` left it."""
    try:
        return ReplicationResult.model_validate_json(path.read_bytes()).score
    except (OSError, ValueError) as error:
        why = describe(dict(error.errors()[0])) if isinstance(error, ValidationError) else str(error)
        raise RunError(f"{path} must be whole", found=why, do="remove it: it is made again") from error


def summarise(replications: Sequence[Replication], plan: StudyPlan, directory: Path) -> Replications:
    """Write confirm.json: each trial's scores on the validation part, their mean and standard deviation."""
    rows: list[Replicated] = []
    for number in dict.fromkeys(one.number for one in replications):
        own = [one for one in replications if one.number == number]
        results = [_score_in(one.file(directory)) for one in own]
        scores = tuple(one for one in results if one is not None)
        failed = len(results) - len(scores)
        rows.append(Replicated(number=number, params=own[0].parameters, scores=scores, failed=failed))
    content = Replications(
        score=plan.experiment.task.score,
        epochs=plan.experiment.training.epochs,
        seeds=len({one.place for one in replications}),
        trials=tuple(rows),
    )
    write_json(directory / FILE, content.to_json())
    return content
