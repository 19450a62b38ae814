"""An epoch of any network and objective, its gradients by PyTorch's autograd."""

import math
from contextlib import nullcontext

import torch
from torch import nn

from ...core.randomness import drawing_for
from ...core.threads import Threads
from ...objectives.loss import Context, Loss
from ..components import Components
from ..epoch import Epoch, Losses, not_finite, values_of
from .divided import Divided


def by_autograd(m: Components, epoch: Epoch, threads: int = 1) -> dict[str, float]:
    """The pass of every network and objective.

    Args:
        threads: that divide each batch between them (`divided`); 1: it is computed as a whole.

    Raises:
        TrainingError: a loss that is not finite: at once on the CPU, before its gradient reaches the
            weights; elsewhere, where looking would be a wait, after the epoch.
    """
    on_cpu = m.device.type == "cpu"
    losses, peers = Losses(epoch.steps), m.peers
    own = epoch if peers is None else peers.own(epoch)
    batches = m.train.batches(own.batch_size, own.order)
    with Threads(threads) if threads > 1 else nullcontext() as several:
        divided = None if several is None else Divided(m, epoch, several)
        for step, batch in enumerate(batches, start=epoch.first_step):
            for optimizer in (m.optimizer, *(one.optimizer for one in m.auxiliary.values())):
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * epoch.schedule(step)
            part = None if peers is None else peers.part(epoch, step)
            with drawing_for(part):
                batch = batch._replace(inputs=epoch.augment(batch.inputs, step))  # noqa: PLW2901
                if divided is None:
                    loss = m.objective(m.model, batch, context(m, epoch, step))
                else:
                    loss = divided.gradient(batch, step)
            of_all = loss
            if peers is not None and part is not None:
                loss, of_all = peers.shared(loss, part)
            if on_cpu and not math.isfinite(of_all.total.item()):
                raise not_finite(values_of(of_all), losses.steps_done, epoch.steps, epoch.number)
            if divided is None:
                descend(m, loss, epoch.clip_norm)
            else:
                _move(m, m.model, m.optimizer, epoch.clip_norm)
            if m.average is not None:
                m.average.update(step)
            losses.add(of_all)
    return losses.mean_over_images(m.train.images, epoch.batch_size, epoch.number)


def context(m: Components, epoch: Epoch, step: int) -> Context:
    """Where a batch stands; `step` counts from 0 over the whole training."""
    networks = {name: one.network for name, one in m.auxiliary.items()}
    return Context(epoch.noise, m.train.images, epoch.number, step, networks)


def descend(m: Components, loss: Loss, clip_norm: float) -> None:
    """One step of each optimiser, down the gradient of what its network minimises."""
    _step(m, m.model, m.optimizer, loss.total, clip_norm)
    for name, one in m.auxiliary.items():  # the model's step left gradients in it: they are set to zero
        _step(m, one.network, one.optimizer, loss.auxiliary[name], clip_norm)


def _step(
    m: Components, network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor, clip_norm: float
) -> None:
    optimizer.zero_grad()
    m.fabric.backward(loss)
    if m.peers is not None:
        m.peers.add_gradients(optimizer)
    _move(m, network, optimizer, clip_norm)


def _move(m: Components, network: nn.Module, optimizer: torch.optim.Optimizer, clip_norm: float) -> None:
    """One step along the gradient that is with the weights."""
    if clip_norm:  # a gradient that is not finite shows in the next loss
        m.fabric.clip_gradients(network, optimizer, max_norm=clip_norm, error_if_nonfinite=False)
    optimizer.step()
