"""The processes that divide each batch of a training: what each has of it, and how they add up.

Losses and gradients are sums over processes, each weighted by its share of the images, so that they are those
of the whole batch whatever its size. The sums are torch.distributed's, by gloo
(docs/decisions/0017-data-parallel-training.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import torch
from torch._C._distributed_c10d import Store

from ...core.randomness import Part
from ...objectives.loss import Loss
from ..epoch import Epoch

PATIENCE: Final = timedelta(minutes=30)  # that a process waits for the others at a step


@dataclass(frozen=True)
class Peers:
    """Process `rank`, counted from 0, of `count`.

    Args:
        add: a tensor becomes the sum of those of all processes.
    """

    rank: int
    count: int
    add: Callable[[torch.Tensor], None]

    def own(self, epoch: Epoch) -> Epoch:
        """The epoch with the images of this process alone, in the same number of batches."""
        parts = [self._rows(epoch, step) for step in range(epoch.steps)]
        order = torch.cat([epoch.order[one] for one in parts])
        return replace(epoch, order=order, batch_size=parts[0].stop - parts[0].start)

    def part(self, epoch: Epoch, step: int) -> Part:
        """What it has of a batch; `step` counts from 0 over the whole training.

        A batch of fewer images than processes leaves some without: these take its first image, at no weight.
        """
        first = (step - epoch.first_step) * epoch.batch_size
        rows = self._rows(epoch, step - epoch.first_step)
        whole = min(epoch.batch_size, len(epoch.order) - first)
        return Part(rows.start - first, rows.stop - first, whole)

    def _rows(self, epoch: Epoch, step: int) -> slice:
        first = step * epoch.batch_size
        whole = min(epoch.batch_size, len(epoch.order) - first)
        if self.rank >= whole:
            return slice(first, first + 1)
        start, stop = even_share(whole, self.count, self.rank)
        return slice(first + start, first + stop)

    def shared(self, loss: Loss, part: Part) -> tuple[Loss, Loss]:
        """The loss whose gradient, added over all, is the batch's; and what the whole batch lost."""
        share = (part.stop - part.start) / part.whole if self.rank < part.whole else 0.0
        auxiliary = {name: one * share for name, one in loss.auxiliary.items()}
        terms = torch.stack([loss.total, *loss.parts.values()]).detach().float() * share
        total, *parts = self._added(terms).unbind()
        of_all = Loss(total, dict(zip(loss.parts, parts, strict=True)))
        return Loss(loss.total * share, loss.parts, auxiliary), of_all

    def add_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Each gradient becomes the sum over all processes."""
        weights = [one for group in optimizer.param_groups for one in group["params"]]
        gradients = [one.grad for one in weights if one.grad is not None]
        flat = self._added(torch.cat([one.reshape(-1) for one in gradients]))
        for one, values in zip(gradients, torch.split(flat, [one.numel() for one in gradients]), strict=True):
            one.copy_(values.view(one.shape))

    def _added(self, values: torch.Tensor) -> torch.Tensor:
        self.add(values)
        return values


def even_share(images: int, count: int, rank: int) -> tuple[int, int]:
    """From where to where: as even as can be, the first ones one more."""
    each, more = divmod(images, count)
    start = rank * each + min(rank, more)
    return start, start + each + (rank < more)


def joined(store: Store, rank: int, count: int, host: str) -> Peers:
    """The process as one of `count`, once all of them have come.

    Args:
        host: the address of this machine at which the others reach it.
    """
    from torch._C._distributed_c10d import ProcessGroupGloo

    gloo: Any = ProcessGroupGloo  # PyTorch's types know less of it than there is
    options = gloo._Options()
    options._timeout = PATIENCE
    options._devices = [gloo.create_device(hostname=host)]
    group = gloo(store, rank, count, options)

    def add(values: torch.Tensor) -> None:
        group.allreduce([values]).wait()

    return Peers(rank, count, add)
