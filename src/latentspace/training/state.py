"""The state of a training between two epochs: weights of its networks, and what its optimisers remember."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from ..runs.checkpoint import State
from ..runs.records import damaged
from ..runs.tensors import Tensors, below, fill
from .components import Components


def weights_of(components: Components) -> Tensors:
    """What the run keeps: the weights and buffers of the part that is learned, or their average."""
    return _average(components) or _learned(components)


def _learned(components: Components) -> Tensors:
    return {name: tensor.detach().cpu() for name, tensor in components.learned.state_dict().items()}


def _average(components: Components) -> Tensors:
    mean = {} if components.average is None else components.average.mean
    return {name: tensor.cpu().clone() for name, tensor in mean.items()}


def state_of(components: Components, epoch: int, best_epoch: int, best_score: float) -> State:
    """The state after `epoch`. An auxiliary network's names begin with its own: `critic/layer.weight`."""
    auxiliary = {
        f"{name}/{key}": tensor.detach().cpu()
        for name, one in components.auxiliary.items()
        for key, tensor in one.network.state_dict().items()
    }
    remembered = {
        f"{prefix}{number}.{name}": torch.as_tensor(value)
        for prefix, optimizer in _optimizers(components).items()
        for number, quantities in optimizer.state_dict()["state"].items()
        for name, value in quantities.items()
    }
    return State(
        epoch=epoch,
        best_epoch=best_epoch,
        best_score=best_score,
        model={**_learned(components), **auxiliary},
        optimizer=remembered,
        average=_average(components),
    )


def restore(components: Components, state: State, path: Path) -> None:
    """Put a saved state back into networks and optimisers; before epoch 1 these remember nothing.

    Raises:
        RunError: the state, read from `path`, is that of another network or optimiser.
    """
    fill(components.learned, _below("", state.model), path)
    for name, one in components.auxiliary.items():
        fill(one.network, _below(f"{name}/", state.model), path)
    for prefix, optimizer in _optimizers(components).items() if state.epoch else ():
        _restore_optimizer(optimizer, _below(prefix, state.optimizer), path)
    if _shapes(_average(components)) != _shapes(state.average):
        raise damaged(path, "the average of another network's weights, or none")
    if components.average is not None:
        components.average.load(state.average)


def _shapes(tensors: Tensors) -> dict[str, torch.Size]:
    return {name: one.shape for name, one in tensors.items()}


def _optimizers(components: Components) -> dict[str, torch.optim.Optimizer]:
    """Each optimiser by the prefix of its tensors: the model's has none."""
    auxiliary = {f"{name}/": one.optimizer for name, one in components.auxiliary.items()}
    return {"": components.optimizer, **auxiliary}


def _below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """The tensors whose names have this prefix and no other, without it."""
    return {name: one for name, one in below(prefix, tensors).items() if "/" not in name}


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], path: Path
) -> None:
    memory: dict[int, Tensors] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        memory.setdefault(int(number) if number.isdecimal() else -1, {})[name] = tensor
    groups = optimizer.state_dict()["param_groups"]
    weights = [one for group in optimizer.param_groups for one in group["params"]]
    names = _remembered(optimizer)
    if not memory or not all(  # of a weight that no gradient reaches nothing is remembered
        0 <= number < len(weights)
        and set(quantities) == names[number]
        and all(one.shape in ((), weights[number].shape) for one in quantities.values())
        for number, quantities in memory.items()
    ):
        raise damaged(path, "what another optimiser remembers, or one of another network")
    optimizer.load_state_dict({"state": memory, "param_groups": groups})


def _remembered(optimizer: torch.optim.Optimizer) -> list[set[str]]:
    """The names of what the optimiser remembers of each weight, found by a step of one of its kind."""
    own = getattr(optimizer, "optimizer", optimizer)  # within Fabric's wrapper
    found = []
    for group in own.param_groups:
        weight = nn.Parameter(torch.zeros([1] * group["params"][0].dim()))
        weight.grad = torch.zeros_like(weight)
        other = type(own)([{**group, "params": [weight]}])  # type: ignore[call-arg]
        other.step()
        found += [set(other.state[weight])] * len(group["params"])
    return found
