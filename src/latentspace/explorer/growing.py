"""An explorer of images that no run has learned from: shown at once, filled while a network is trained."""

import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import numpy as np

from ..core.errors import LatentspaceError
from ..core.progress import heard_by, unheard
from ..data.imageset import ImageSet
from ..experiment.config import Experiment
from ..inference.encoding import codes_and_errors
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from ..runs.tensors import fill
from ..training.epoch import TRAINING, VALIDATION
from ..training.state import weights_of
from ..training.train import Training, start
from .contents import Contents
from .subject import Subject, described, of_run

logger = logging.getLogger(__name__)

EVERY: Final = 10.0  # seconds from one map of the codes to the next, at least
SHARE: Final = 5  # a map is made where that takes at most a fifth of the time since the last
FIRST: Final = 2  # and the first where it takes at most half of the time since the training began
TRIED: Final = 256  # images whose encoding tells how long the first map will take


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
        self.progress: Mapping[str, Any] | None = None
        self._tell("preparing the training")
        self.ended = Event()  # asks the training to end after the epoch at work
        self._training: Training | None = None
        self._epoch = 0  # that are done
        self._shown = 0.0  # when a map was shown last
        self._cost: float | None = None  # the seconds that one takes

    def train(self) -> None:
        """Train to the end; what goes wrong is said on the page."""
        try:
            with heard_by(self._hear):
                self._train()
        except LatentspaceError as error:
            logger.error("%s", error)  # noqa: TRY400 (it is a user's mistake, not a trace)
            self._tell(f"{error.must}; found: {error.found}")

    def _train(self) -> None:
        training = start(self.experiment, self.out, images=None)
        self._training, self._shown = training, monotonic()
        self._hear(TRAINING, 0, 1)
        for record in training.records():
            self._epoch = record.epoch
            if self.ended.is_set():
                return
        self._training = None
        self._tell("encoding the images")
        images = training.context.images
        self._show(of_run(Run.open(self.out), images, own=True, folder=Path(self.experiment.data.spec)))
        self.progress = None
        logger.info("%s is trained, and the page shows it", self.out)

    def _hear(self, what: str, done: int, total: int) -> None:
        """Say how far the work is; between two steps of the training, show the codes as they are."""
        training = self._training
        if training is None:
            if what in (TRAINING, VALIDATION):
                self._tell("measuring the speed of the training")
            else:
                self._tell(what, done, total)
        elif what == TRAINING:
            epochs = training.experiment.training.epochs
            if self._epoch < epochs:
                self._tell(
                    f"training: epoch {self._epoch + 1} of {epochs}", self._epoch + done / total, epochs
                )
            with unheard():
                self._show_codes(training)

    def _tell(self, text: str, done: float = 0, total: int = 0) -> None:
        self.progress = {"text": text, "done": done, "total": total}

    def _show(self, subject: Subject) -> None:
        before = self.contents
        self.contents = Contents(subject, version=before.version + 1, like=before.maps[0].places)

    def _due(self) -> bool:
        share = SHARE if self.contents.version else FIRST
        return monotonic() - self._shown > max(EVERY, share * (self._cost or 0.0))

    def _show_codes(self, training: Training) -> None:
        """Show them where it is time for that, and where it does not hold the training up."""
        if not self._due():
            return
        trained, images = self._as_it_is(training), training.context.images
        quick: dict[str, Any] = {"errors": False, "refine": 0}
        if self._cost is None:
            began, few = monotonic(), np.arange(min(TRIED, len(images)))
            codes_and_errors(trained, images.pixels, few, **quick)
            self._cost = (monotonic() - began) / len(few) * len(images)
            if not self._due():
                return
        began = monotonic()
        codes, _ = codes_and_errors(trained, images.pixels, np.arange(len(images)), **quick)
        self._show(Subject(self.out.name, images, tuple(described(images, training.run)), codes))
        self._shown, self._cost = monotonic(), monotonic() - began

    def _as_it_is(self, training: Training) -> TrainedAutoencoder:
        """A copy of the network with the weights that would be kept now."""
        run = training.run
        model = run.experiment.build(run.data.shape)
        fill(model, weights_of(training.components), run.path / "state")
        return TrainedAutoencoder(model, run.experiment, run.data, training.context.fabric.device)
