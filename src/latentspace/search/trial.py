"""One trial: a training that reports its validation score after every epoch, and stops where it is pruned."""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from ..core.atomic_files import write_bytes
from ..core.cluster import LostProcessError
from ..core.errors import LatentspaceError, OutputError
from ..core.malloc import give_back, ran_out
from ..experiment.config import Experiment
from ..training.selection import Selection
from .heartbeat import beating
from .plan import setting_named
from .space import experiment_of
from .storage import reaching
from .trainings import Trainer, Training
from .trials import Trials

PICTURED = 3  # a trial that is among so many best ones when it ends leaves a picture


@dataclass
class TrialOutcome:
    """How a training went: the score after each epoch, images a second, and how it ended."""

    scores: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    ending: Literal["complete", "pruned", "interrupted"] = "complete"


def run_trial(trial: Trial, trials: Trials, trainer: Trainer, stop: Callable[[], bool]) -> None:
    """Train, report, and tell the study how it ended. A training that goes wrong ends its trial alone.

    What goes wrong for reasons of its own is a LatentspaceError, or the lack of memory. Anything else is a
    mistake in the program: it ends the worker with a traceback, and the search; the trial does not count.

    Args:
        stop: asked after each epoch; True ends the trial, which is then run again another time.

    Raises:
        LatentspaceError: the storage cannot be written.
        LostProcessError: what computed it is gone; the trial is run again another time.
    """
    with beating(lambda number: _beat(trial, number, trials.plan.storage)):
        try:
            _run(trial, trials, trainer, stop)
        except UpdateFinishedTrialError:
            pass  # others took this worker for dead and have given the trial up
        except LostProcessError as error:
            reason = "the search was interrupted" if stop() else error.reason
            trials.lose(trial.number, reason, blameless=error.blameless)
            raise
        except OutputError:  # not the parameters' fault: another worker, or --resume, runs it again
            raise
        except Exception as error:
            if not is_failure(error):
                raise
            trial.set_user_attr("reason", reason_of(error))
            trial.set_user_attr("epochs", len(trials.all()[trial.number].reports))
            trials.study.tell(trial, state=TrialState.FAIL)
    give_back()


def _run(trial: Trial, trials: Trials, trainer: Trainer, stop: Callable[[], bool]) -> None:
    experiment = experiment_of(trial.params, trainer.experiment, trial.user_attrs["seed"])
    training = trainer.begin(experiment)
    if training.computed_by:
        trial.set_user_attr("computed_by", training.computed_by)
    trial.set_user_attr("weights", training.weights)
    outcome = train_and_report(experiment, training, trial if trials.plan.single else None, stop)
    if outcome.ending == "interrupted":
        trials.lose(trial.number, "the search was interrupted")
        return
    trial.set_user_attr("epochs", len(outcome.scores))
    trial.set_user_attr("images_per_second", round(statistics.median(outcome.speeds), 1))
    if outcome.ending == "pruned":
        trials.study.tell(trial, state=TrialState.PRUNED)
        return
    score = kept_score(experiment, outcome.scores)
    if trials.plan.single and _leads(trials, score) and (png := training.picture()) is not None:
        _picture(trial, trials.directory, png)
    values = [_value(one, experiment, score, training.weights) for one in trials.plan.objectives]
    trials.study.tell(trial, values)


def train_and_report(
    experiment: Experiment, training: Training, trial: Trial | None, stop: Callable[[], bool]
) -> TrialOutcome:
    """Train until the last epoch, or until the trial (None: nobody) is pruned, or `stop` says so."""
    outcome, best = TrialOutcome(), Selection(experiment)
    records = training.records()
    with closing(records):
        for record in records:
            score = (record.validation or {})[experiment.task.score]
            outcome.scores.append(score)
            outcome.speeds.append(record.images_per_second)
            best.improved_by(record)
            if trial is not None:
                trial.report(score, record.epoch)
            if record.epoch == experiment.training.epochs or best.ends_after(record.epoch):
                break
            if trial is not None and trial.should_prune():
                outcome.ending = "pruned"
                break
            if stop():
                outcome.ending = "interrupted"
                break
    return outcome


def kept_score(experiment: Experiment, scores: list[float]) -> float:
    """The score of the weights that the training would keep: of its last epoch, or of its best."""
    if experiment.training.keep == "last":
        return scores[-1]
    return min(scores) if experiment.task.direction == "minimize" else max(scores)


def _value(objective: str, experiment: Experiment, score: float, weights: int) -> float:
    if objective == experiment.task.score:
        return score
    if objective == "weights":
        return float(weights)
    table, _, key = str(setting_named(objective, experiment)).partition(".")
    return float(getattr(getattr(experiment, table), key))


def _leads(trials: Trials, score: float) -> bool:
    ahead = trials.top(PICTURED)
    better = trials.plan.experiment.task.better
    return len(ahead) < PICTURED or better(score, ahead[-1].values[0])


def _picture(trial: Trial, directory: Path, png: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / f"trial-{trial.number}-reconstructions.png"
        file.write_bytes(png)
        upload_artifact(
            artifact_store=_Artifacts(directory / "artifacts"), file_path=str(file), study_or_trial=trial
        )


class _Artifacts(FileSystemArtifactStore):
    """Optuna's, whose files are whole or not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        write_bytes(self._folder / artifact_id, content_body.read())


def _beat(trial: Trial, number: int, storage: str | None) -> bool:
    try:
        with reaching(storage):
            optuna.trial.Trial(trial.study, trial._trial_id).set_user_attr("beat", number)
    except UpdateFinishedTrialError:
        return False
    except LatentspaceError:
        return True  # the storage may be back at the next beat; if not, the trial itself will say so
    return True


def is_failure(error: Exception) -> bool:
    """Whether a training failed for reasons of its own, and not for a mistake in the program."""
    return isinstance(error, LatentspaceError) or ran_out(error)


def reason_of(error: Exception) -> str:
    if isinstance(error, LatentspaceError):
        return f"{error.must}: {error.found}"
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
