"""Which epoch of a training is the best so far, and whether it ends early."""

import logging
from dataclasses import dataclass

from ..core.wording import option
from ..experiment.config import Experiment
from ..runs.directory import Run
from .loop import EpochRecord

logger = logging.getLogger(__name__)


@dataclass
class Selection:
    """The best epoch so far (0: none yet) and its validation score, by the score of the plan's task."""

    experiment: Experiment
    best_epoch: int = 0
    best_score: float = float("nan")

    def improved_by(self, record: EpochRecord) -> bool:
        """Take the record in; whether it is the best so far. Without a validation score it is not."""
        if record.validation is None:
            return False
        task = self.experiment.task
        score = record.validation[task.score]
        better = self.best_epoch == 0 or task.better(score, self.best_score)
        if better:
            self.best_epoch, self.best_score = record.epoch, score
        return better

    def ends_after(self, epoch: int) -> bool:
        """Whether no score was better for as many epochs as the plan allows; that is logged."""
        patience = self.experiment.training.early_stopping
        ends = patience > 0 and epoch - self.best_epoch >= patience
        if ends:
            logger.info("stopped early: no better validation score since epoch %d", self.best_epoch)
        return ends


def stopped_by(run: Run) -> int | None:
    """The patience of the early stopping that ended a finished run; None: it had all of its epochs."""
    plan, records = run.experiment.training, run.metrics
    early = plan.early_stopping > 0 and bool(records) and records[-1]["epoch"] < plan.epochs
    return plan.early_stopping if early else None


def more_epochs(patience: int | None) -> str:
    """What leads to more epochs in another run, by what ended this one (`stopped_by`)."""
    if patience is None:
        return "more epochs"
    return f"more patience ({option('training.early_stopping', 2 * patience)})"


def train_longer(patience: int | None, epochs: int | None = None) -> str:
    """The beginning of a sentence that says how. After early stopping a larger number of epochs does nothing.

    Args:
        epochs: how many to try; None: that is the reader's.
    """
    if patience is not None:
        return f"Early stopping ended it: train with {more_epochs(patience)}"
    how = f"{option('epochs')} or {option('minutes')}" if epochs is None else option("epochs", epochs)
    return f"Train longer ({how})"
