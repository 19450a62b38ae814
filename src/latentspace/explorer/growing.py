"""An explorer of images that no run has learned from: shown at once, filled while a network is trained."""

import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import numpy as np

from ..core.errors import LatentspaceError
from ..data.imageset import ImageSet
from ..experiment.config import Experiment
from ..inference.encoding import codes_and_errors
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from ..runs.tensors import fill
from ..training.train import Training, start
from .contents import Contents
from .subject import Quantity, Subject, described, of_run

logger = logging.getLogger(__name__)

EVERY: Final = 10.0  # seconds from one map of the codes to the next, at least
SHARE: Final = 5  # a map is made where that has taken at most this part of the time since the last


class Growing:
    """What is shown of a set while a network learns from it.

    Args:
        images: the set.
        experiment: what is trained on it.
        out: the new run.
    """

    def __init__(self, images: ImageSet, experiment: Experiment, out: Path) -> None:
        self.images, self.experiment, self.out = images, experiment, out
        self.contents = Contents(Subject(out.name, images, tuple(described(images))))
        self.progress: Mapping[str, Any] | None = {
            "text": "preparing the training",
            "done": 0,
            "total": 0,
        }
        self.ended = Event()  # asks the training to end after the epoch at work

    def train(self) -> None:
        """Train to the end; what goes wrong is said on the page."""
        try:
            self._train()
        except LatentspaceError as error:
            logger.error("%s", error)  # noqa: TRY400 (it is a user's mistake, not a trace)
            self.progress = {"text": f"{error.must}; found: {error.found}", "done": 0, "total": 0}

    def _train(self) -> None:
        training = start(self.experiment, self.out, images=None)
        epochs = training.experiment.training.epochs
        self._tell(f"training: epoch 1 of {epochs}", 0, epochs)
        shown, cost = monotonic(), 0.0
        for record in training.records():
            if record.epoch < epochs:
                self._tell(f"training: epoch {record.epoch + 1} of {epochs}", record.epoch, epochs)
            if self.ended.is_set():
                return
            began = monotonic()
            if record.epoch < epochs and began - shown > max(EVERY, SHARE * cost):
                self._show(self._as_it_is(training))
                shown, cost = monotonic(), monotonic() - began
        self._tell("encoding", epochs, epochs)
        images = training.context.images
        self._show(of_run(Run.open(self.out), images, own=True, folder=Path(self.experiment.data.spec)))
        self.progress = None

    def _tell(self, text: str, done: int, total: int) -> None:
        self.progress = {"text": text, "done": done, "total": total}

    def _show(self, subject: Subject) -> None:
        self.contents = Contents(subject, version=self.contents.version + 1)

    def _as_it_is(self, training: Training) -> Subject:
        """The codes of the network between two epochs; it is not decoded with yet."""
        run, images = training.run, training.context.images
        state = run.state
        model = run.experiment.build(run.data.shape)
        if state is not None:
            fill(
                model,
                state.average or {k: v for k, v in state.model.items() if "/" not in k},
                run.path / "state",
            )
        trained = TrainedAutoencoder(model, run.experiment, run.data, training.context.fabric.device)
        codes, errors = codes_and_errors(trained, images.pixels, np.arange(len(images)))
        columns = described(images, run)
        if errors is not None:
            columns.append(Quantity("error", errors))
        return Subject(run.path.name, images, tuple(columns), codes)
