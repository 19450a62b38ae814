"""The loop where several processes compute: the same records, and after each the same components."""

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeAlias

from torch.nn.modules.batchnorm import _BatchNorm

from ...core.errors import ConfigurationError
from ...core.wording import counted, option
from ...runs.checkpoint import State
from ..components import Components
from ..context import TrainingContext
from ..loop import EpochRecord
from ..state import restore, state_of


class Ranks(Protocol):
    """The processes of a training."""

    def begin(self, state: State) -> None:
        """Start them at this state."""

    def epoch(self) -> tuple[EpochRecord, State]:
        """The next epoch, and what its end has come to.

        Raises:
            TrainingError: a loss that is no number, or a process that is gone.
        """

    def close(self) -> None:
        """End them, whatever they are at work on."""


Start: TypeAlias = Callable[[TrainingContext], Ranks]


def learn_together(
    context: TrainingContext, components: Components, first: int, start: Start
) -> Generator[EpochRecord, None, None]:
    """As `loop.learn`; the network and the optimiser of `components`, which compute nothing, follow.

    Raises:
        TrainingError: as `loop.learn`; or a process is gone.
    """
    with closing(start(context)) as ranks:
        ranks.begin(state_of(components, first - 1, 0, 0.0))
        for _ in range(first, context.experiment.training.epochs + 1):
            record, state = ranks.epoch()
            restore(components, state, Path("state"))
            yield record


def require_divisible(context: TrainingContext) -> None:
    """Refuse a training whose batches cannot be divided by its plan's devices: raises ConfigurationError."""
    experiment = context.experiment
    if experiment.devices == 1:
        return
    batch = min(experiment.training.batch_size, context.learned)
    if batch < experiment.devices:
        raise ConfigurationError(
            "each process learns from an image of a batch, or more",
            found=f"{option('devices', experiment.devices)}, and batches of {counted(batch)}",
            do=f"name fewer, or larger batches ({option('training.batch_size')})",
        )
    network = None if experiment.task.needs_encoder else experiment.build(context.images.shape)
    if network is not None and any(isinstance(one, _BatchNorm) for one in network.modules()):
        raise ConfigurationError(
            "what a network makes of an image must not depend on the others of its batch, where processes "
            "divide it",
            found="batch normalisation",
            do=f"name another ({option('model.norm', 'group')}), or {option('devices', 1)}",
        )
