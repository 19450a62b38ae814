"""The process on a node that computes trainings, one after the other, as it is asked to."""

import gc
import os
from collections.abc import Generator
from typing import Any

from ...core.cluster import about_process
from ...core.malloc import give_back
from ...experiment.config import Experiment
from ...training.context import TrainingContext
from ...training.loop import EpochRecord
from ..trainings import TrainerHere, TrainingHere
from .memory import ENVIRONMENT


class TrainingProcess:
    """Made by Ray in a process of its own."""

    def __init__(self) -> None:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)  # read at the first convolution
        gc.freeze()
        self._trainer: TrainerHere | None = None
        self._training: TrainingHere | None = None
        self._records: Generator[EpochRecord, None, None] | None = None

    def about(self) -> dict[str, Any]:
        return about_process()

    def open(self, context: TrainingContext) -> None:
        """What all trainings share."""
        self._trainer = TrainerHere(context)

    def begin(self, experiment: Experiment) -> int:
        """Begin a training, in place of the one before; how many numbers it learns."""
        self._end()
        if self._trainer is None:
            raise RuntimeError("open comes first")
        self._training = self._trainer.begin(experiment)
        self._records = self._training.records()
        return self._training.weights

    def epoch(self) -> EpochRecord | None:
        """Compute the next epoch; None after the last."""
        return None if self._records is None else next(self._records, None)

    def picture(self) -> bytes | None:
        return None if self._training is None else self._training.picture()

    def _end(self) -> None:
        if self._records is not None:
            self._records.close()
            self._records = self._training = None
            give_back()
