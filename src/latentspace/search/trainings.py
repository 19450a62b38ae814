"""The training of a trial, wherever it is computed: begun, followed epoch by epoch, pictured."""

from collections.abc import Generator
from typing import Protocol, runtime_checkable

import torch

from ..core.randomness import numpy_generator
from ..core.types import Pixels
from ..data.sampling import balanced_sample
from ..experiment.config import Experiment
from ..inference.preview import COUNT, reconstructions
from ..models.autoencoder import Autoencoder
from ..training.context import TrainingContext
from ..training.loop import EpochRecord, learn


@runtime_checkable
class Training(Protocol):
    """One training.

    Args:
        computed_by: the process that computes it, pid@host; empty where it is this one.
    """

    @property
    def computed_by(self) -> str: ...

    @property
    def weights(self) -> int:
        """How many numbers it learns."""

    def records(self) -> Generator[EpochRecord, None, None]:
        """The record of each epoch, which is computed when it is asked for.

        Raises:
            LostProcessError: what computes it is gone.
            LatentspaceError: as `training.loop.learn`.
        """

    def picture(self) -> bytes | None:
        """A PNG of reconstructions as the network now makes them; None where it makes none."""


@runtime_checkable
class Trainer(Protocol):
    """What trainings are computed by, one at a time.

    Args:
        experiment: what the parameters of a trial are laid over, with all settled that was left open.
    """

    @property
    def experiment(self) -> Experiment: ...

    def begin(self, experiment: Experiment) -> Training:
        """Make the network and its optimiser.

        Raises:
            LostProcessError: what computes is gone.
            LatentspaceError: as `TrainingContext.components`.
        """


class TrainingHere:
    """A training in this process."""

    computed_by = ""

    def __init__(self, experiment: Experiment, context: TrainingContext) -> None:
        self._experiment, self._context = experiment, context
        self._components = context.components(experiment)
        self.weights = sum(one.numel() for one in self._components.learned.parameters())

    def records(self) -> Generator[EpochRecord, None, None]:
        return learn(self._experiment, self._components)

    def picture(self) -> bytes | None:
        model = self._components.learned
        if not isinstance(model, Autoencoder):
            return None
        device = next(model.parameters()).device
        return reconstructions(model, torch.from_numpy(pictured(self._context)).to(device))


class TrainerHere:
    """Trainings in this process, on the images of `context`."""

    def __init__(self, context: TrainingContext) -> None:
        self._context = context

    @property
    def experiment(self) -> Experiment:
        return self._context.experiment

    def begin(self, experiment: Experiment) -> TrainingHere:
        return TrainingHere(experiment, self._context)


def pictured(context: TrainingContext) -> Pixels:
    """A few validation images, the classes in turn: the same ones for every trial of the study."""
    draw = numpy_generator(context.experiment.seed, "figure")
    chosen = balanced_sample(context.split.validation, COUNT, context.images.labels, draw)
    return context.images.subset(chosen).pixels
