"""A training that leaves no run directory: the same loop, and the weights in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from ..core.errors import TrainingError
from ..core.malloc import within_memory
from ..experiment.config import Experiment
from .components import Components
from .loop import EpochRecord, learn
from .selection import Selection
from .state import weights_of


@dataclass
class InMemory:
    """A training about to start: iterate over `records()` and it is done; `weights` are what it keeps then.

    Args:
        experiment: with everything settled that was left open.
        components: what the loop works on.
    """

    experiment: Experiment
    components: Components
    weights: dict[str, torch.Tensor] = field(default_factory=dict)

    def records(self) -> Iterator[EpochRecord]:
        """Train; yield each epoch's record.

        Raises:
            TrainingError: a loss that is not finite, or no memory left.
        """
        with within_memory(
            TrainingError,
            "a training must fit in memory",
            "make something smaller: the batches, the network, or the images",
        ):
            yield from self._train()

    def _train(self) -> Iterator[EpochRecord]:
        selection, keep = Selection(self.experiment), self.experiment.training.keep
        for record in learn(self.experiment, self.components):
            if selection.improved_by(record) and keep == "best":
                self._keep()
            yield record
            if selection.ends_after(record.epoch):
                break
        if keep == "last":
            self._keep()

    def _keep(self) -> None:
        self.weights = {name: one.clone() for name, one in weights_of(self.components).items()}
