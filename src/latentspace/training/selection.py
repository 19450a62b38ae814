"""Which epoch of a training is the best so far, and whether it ends early."""

import logging
from dataclasses import dataclass

from ..experiment.config import Experiment
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
