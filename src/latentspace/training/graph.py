"""A step captured once as a CUDA graph, then replayed: one launch, where a small network's step is a hundred.

Measured on no GPU yet, so a training has it only where it is asked for: `training.graph = true`. Its logic
is tested on the CPU, with another capture.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import torch

from ..data.batches import Batch
from ..objectives.loss import Loss, Objective
from .loop import Epoch, Losses, Materials, descend

WARM: Final = 3  # steps that libraries may need before they can be captured

# (a step, what it draws from) -> what replays it, and where each replay leaves the loss.
# Nothing is computed while it is captured.
Capture: TypeAlias = Callable[[Callable[[], Loss], torch.Generator], tuple[Callable[[], None], Loss]]


def cuda_graph(step: Callable[[], Loss], noise: torch.Generator) -> tuple[Callable[[], None], Loss]:
    """https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs"""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(noise)
    with torch.cuda.graph(graph):
        loss = step()
    return graph.replay, loss


class Captured:
    """The pass of `by_autograd`, in which all whole batches but the first few are replays of one graph.

    A graph holds the places that it reads and writes. So the batch, the learning rate and the state of the
    noise are put in their places before each replay. The last, smaller batch of an epoch is an ordinary step,
    and a new graph is captured where the objective becomes another.
    """

    def __init__(self, m: Materials, capture: Capture = cuda_graph) -> None:
        self.m, self.capture = m, capture
        self.rate = torch.zeros((), device=m.device)
        self.noise = torch.Generator(m.device)
        for group in m.optimizer.param_groups:
            group.update(lr=self.rate, capturable=True)
        for memory in m.optimizer.state.values():  # of a training that goes on
            memory["step"] = memory["step"].to(m.device, torch.float32)
        self.warm = 0
        self.objective: Objective | None = None
        self.replay: Callable[[], None] | None = None

    def __call__(self, epoch: Epoch) -> dict[str, float]:
        """Raises: TrainingError: a loss that is not finite, seen after the epoch."""
        objective = self.m.objective(epoch.number)
        if objective is not self.objective:
            self.objective, self.replay = objective, None
        self.noise.set_state(epoch.noise.get_state())
        losses = Losses(epoch.steps)
        batches = self.m.train.batches(epoch.batch_size, epoch.order)
        for step, batch in enumerate(batches, start=epoch.first_step):
            self.rate.fill_(epoch.learning_rate(step))
            is_whole = len(batch.inputs) == epoch.batch_size
            if is_whole and self.warm >= WARM:
                losses.add(self._replayed(objective, batch, epoch))
            else:
                losses.add(self._step(objective, batch, epoch))
                self.warm += is_whole
        return losses.mean_over_images(self.m.train.images, epoch.batch_size, epoch.number)

    def _step(self, objective: Objective, batch: Batch, epoch: Epoch) -> Loss:
        loss = objective(self.m.model, batch, self.noise)
        descend(self.m, loss, epoch.clip_norm)
        # without its way back, whose nodes would bind later steps to the stream of the capture
        return Loss(loss.total.detach(), {name: part.detach() for name, part in loss.parts.items()})

    def _replayed(self, objective: Objective, batch: Batch, epoch: Epoch) -> Loss:
        if self.replay is None:
            labels = None if batch.labels is None else batch.labels.clone()
            self.batch = Batch(batch.inputs.clone(), labels)
            self.replay, self.loss = self.capture(
                lambda: self._step(objective, self.batch, epoch), self.noise
            )
        for place, one in zip(self.batch, batch, strict=True):
            if place is not None and one is not None:
                place.copy_(one)
        self.replay()
        return self.loss
