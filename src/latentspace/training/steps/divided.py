"""The gradient of a batch by threads, each with a part of its images.

Loss and gradient are sums over the parts, in their order, each weighted by its share of the images: those of
the whole batch, up to rounding, and the same to the bit for the same number of threads. Each part draws
what it would as a part of the batch.
"""

from functools import partial
from typing import Final, NamedTuple

import torch
from torch import Tensor

from ...core.randomness import Part, drawing_for
from ...core.threads import Threads, can_divide
from ...data.batches import Batch
from ...experiment.config import Experiment
from ...objectives.loss import Context, Loss
from ..components import Components
from ..epoch import Epoch
from ..together.peers import even_share

FEWEST: Final = 32  # images of a part: of fewer, PyTorch's threads make as much of the cores
MOST: Final = 4  # parts: Python calls the operators of one thread at a time


def threads_for(experiment: Experiment, m: Components) -> int:
    """How many threads divide each batch: a function of the plan, the device and PyTorch's threads.

    1 where a batch must not be divided: by a network or an objective for which an image's result depends on
    the others, where processes divide it already, or on a GPU; or where it has too few images; or in
    bfloat16, whose operators are so short that threads wait for Python more than for each other.
    """
    divisible = (
        experiment.precision != "bf16"
        and experiment.model.divisible
        and experiment.objective.divisible
        and can_divide(m.device)
        and m.peers is None
        and not m.auxiliary
    )
    if not divisible:
        return 1
    batch = min(experiment.training.batch_size, m.train.images)
    return max(1, min(MOST, experiment.threads or torch.get_num_threads(), batch // FEWEST))


class _Found(NamedTuple):
    """What a part has found: its share of the loss and of each gradient; the generator's state after it."""

    loss: Loss
    gradients: list[Tensor | None]
    state: Tensor


class Divided:
    """An epoch's gradients.

    Args:
        threads: that compute the parts.
    """

    def __init__(self, m: Components, epoch: Epoch, threads: Threads) -> None:
        from ..fabric import without_hooks  # here, as it takes longer to import than a run to be evaluated

        self.m, self.epoch, self.threads = m, epoch, threads
        self.network = without_hooks(m.model)
        self.weights = [
            one for group in m.optimizer.param_groups for one in group["params"] if one.requires_grad
        ]

    def gradient(self, batch: Batch, step: int) -> Loss:
        """What the batch loses; the gradient is with the weights."""
        rows = len(batch.inputs)
        count = max(1, min(self.threads.count, rows // FEWEST))
        parts = [Part(*even_share(rows, count, one), rows) for one in range(count)]
        state = self.epoch.noise.get_state()
        found = self.threads.results([partial(self._part, batch, one, step, state) for one in parts])
        self.epoch.noise.set_state(found[0].state)  # each has drawn as much
        self._put([one.gradients for one in found])
        names = found[0].loss.parts
        return Loss(
            _added([one.loss.total for one in found]),
            {name: _added([one.loss.parts[name] for one in found]) for name in names},
        )

    def _part(self, batch: Batch, part: Part, step: int, state: Tensor) -> _Found:
        noise = torch.Generator()
        noise.set_state(state)
        rows = slice(part.start, part.stop)
        own = Batch(batch.inputs[rows], None if batch.labels is None else batch.labels[rows])
        with drawing_for(part):
            loss = self.m.objective(
                self.network, own, Context(noise, self.m.train.images, self.epoch.number, step)
            )
        share = (part.stop - part.start) / part.whole
        gradients = torch.autograd.grad(loss.total * share, self.weights, allow_unused=True)
        parts = {name: one.detach() * share for name, one in loss.parts.items()}
        return _Found(Loss(loss.total.detach() * share, parts), list(gradients), noise.get_state())

    def _put(self, parts: list[list[Tensor | None]]) -> None:
        for weight, *gradients in zip(self.weights, *parts, strict=True):
            there = [one for one in gradients if one is not None]
            if not there:
                weight.grad = None
            elif weight.grad is None:
                weight.grad = torch.empty_like(weight).copy_(_added(there))
            else:
                weight.grad.copy_(_added(there))


def _added(values: list[Tensor]) -> Tensor:
    first, *others = values
    for one in others:
        first = first + one
    return first
