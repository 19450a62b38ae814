"""How much of a lead is luck: the best trials trained again from several seeds, the same for each of them.

The winner of many trials is chosen by a score that holds some luck; trained again, it falls back. What
remains between the trials' means, set against their spread, is their parameters' doing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..core.atomic_files import write_json
from ..core.config import describe, two_numbers
from ..core.errors import ConfigurationError, RunError
from ..core.malloc import give_back
from ..core.record import Record
from ..experiment.search_space import Settings
from ..training.context import TrainingContext
from .plan import StudyPlan
from .results import Confirmation, Confirmed, Score, Whole
from .sampler import seed_of
from .space import experiment_of
from .trial import is_failure, kept_score, reason_of, train_and_report
from .trials import Trials

FOLDER = "confirm"
FILE = "confirm.json"


@dataclass(frozen=True)
class ReplicationPlan:
    """`trials` best ones, each from `seeds` seeds."""

    trials: int
    seeds: int

    @classmethod
    def parse(cls, text: str) -> "ReplicationPlan":
        """`3x3` -> three trials, three seeds. Raises: ConfigurationError: another form."""
        found = two_numbers(text)
        if found is None:
            raise ConfigurationError(
                "--confirm takes TRIALSxSEEDS", found=repr(text), do="write for example --confirm 3x3"
            )
        return cls(*found)


@dataclass(frozen=True)
class Job:
    """One training of a confirmation; `place` counts the seeds from 0."""

    number: int
    parameters: Settings
    place: int

    def file(self, directory: Path) -> Path:
        return directory / FOLDER / f"trial-{self.number}-seed-{self.place}.json"


class JobResult(Record):
    """What is kept of a training; one that failed has a reason and no score."""

    number: Whole
    seed: Whole
    score: Score | None
    reason: str


def jobs_of(trials: Trials, extent: ReplicationPlan) -> list[Job]:
    """The trainings, best trial first; with fewer complete trials than asked for, of those there are."""
    return [
        Job(trial.number, dict(trial.params), place)
        for trial in trials.top(extent.trials)
        for place in range(extent.seeds)
    ]


def confirm_jobs(
    jobs: Sequence[Job], plan: StudyPlan, directory: Path, context: TrainingContext, stop: Callable[[], bool]
) -> None:
    """Do the trainings whose score is not there yet, each from its own seed, and write the scores down."""
    for job in jobs:
        if job.file(directory).exists() or stop():
            continue
        seed = seed_of(plan.experiment.seed, "confirmation", job.place)
        experiment = experiment_of(job.parameters, context.experiment, seed)
        score, reason = None, ""
        try:
            components = context.components(experiment)
            course = train_and_report(experiment, components, None, stop)
        except Exception as error:
            if not is_failure(error):
                raise
            reason = reason_of(error)
        else:
            if course.ending == "interrupted":
                return
            score = kept_score(experiment, course.scores)
        result = JobResult(number=job.number, seed=seed, score=score, reason=reason)
        write_json(job.file(directory), result.to_json())
        give_back()


def _score_in(path: Path) -> float | None:
    """None for a training that failed. Raises: RunError: the file is not as `confirm_jobs` left it."""
    try:
        return JobResult.model_validate_json(path.read_bytes()).score
    except (OSError, ValueError) as error:
        why = describe(dict(error.errors()[0])) if isinstance(error, ValidationError) else str(error)
        raise RunError(f"{path} must be whole", found=why, do="remove it: it is made again") from error


def summarise(jobs: Sequence[Job], plan: StudyPlan, directory: Path) -> Confirmation:
    """Write confirm.json: each trial's scores on the validation part, their mean and standard deviation."""
    rows: list[Confirmed] = []
    for number in dict.fromkeys(job.number for job in jobs):
        own = [job for job in jobs if job.number == number]
        results = [_score_in(job.file(directory)) for job in own]
        scores = tuple(one for one in results if one is not None)
        failed = len(results) - len(scores)
        rows.append(Confirmed(number=number, params=own[0].parameters, scores=scores, failed=failed))
    content = Confirmation(
        score=plan.experiment.task.score,
        epochs=plan.experiment.training.epochs,
        seeds=len({job.place for job in jobs}),
        trials=tuple(rows),
    )
    write_json(directory / FILE, content.to_json())
    return content
