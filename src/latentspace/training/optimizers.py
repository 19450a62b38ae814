"""The optimisers by name: (plan, network) -> one that moves the network's weights."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from ..experiment.config import Experiment
from .muon import Muon
from .uncompiled import Adam, AdamW, RMSprop

# Over one group of weights, all alike.
UNIFORM: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(Adam, fused=True),  # one pass over all weights instead of a dozen
    "rmsprop": RMSprop,
}


def optimizer_of(experiment: Experiment, network: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """The experiment's optimiser of the network's weights, which may not be on the device yet.

    Each group holds its highest learning rate as `initial_lr`, as PyTorch's own schedules have it.
    """
    plan = experiment.training
    if plan.optimizer in UNIFORM:
        optimizer = UNIFORM[plan.optimizer](
            network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
    elif plan.optimizer == "adamw":
        optimizer = AdamW(_decayed(network.parameters(), plan.weight_decay), fused=True)
    else:
        weights = _for_muon(experiment, network)
        optimizer = Muon(weights, steps=plan.muon_steps, dtype=_orthogonalised_in(experiment, device))
    rates = {True: plan.muon_learning_rate, False: plan.learning_rate}
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = rates[group.get("orthogonal", False)]
    return optimizer


def _orthogonalised_in(experiment: Experiment, device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU that trains in it. A CPU takes less time in float32, natively bfloat16 or not."""
    return torch.bfloat16 if experiment.precision == "bf16" and device.type != "cpu" else torch.float32


def _for_muon(experiment: Experiment, network: nn.Module) -> list[dict[str, Any]]:
    """Groups of weights: inner matrices for Muon, the others for AdamW."""
    inner = inner_matrices(network)
    chosen = {id(one) for one in inner}
    others = [one for one in network.parameters() if id(one) not in chosen]
    decay = experiment.training.weight_decay
    muon = [{"params": inner, "orthogonal": True, "weight_decay": decay}] if inner else []
    return [*muon, *_decayed(others, decay)]


def _decayed(parameters: Iterable[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Two groups: matrices and kernels, which are pulled to zero, and vectors, which are not."""
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for one in parameters:
        (matrices if one.dim() > 1 else vectors).append(one)
    groups = ({"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0})
    return [one for one in groups if one["params"]]


def inner_matrices(network: nn.Module) -> list[nn.Parameter]:
    """The weights of layers that are matrices or kernels, but for the first and the last layer.

    The last is the decoder's, where there is one: a prior may come after it. A table of embeddings is no
    matrix here, nor is what has another name than `weight`, such as the pseudo-inputs of a prior.
    """
    found = _matrices(network)
    last = _matrices(getattr(network, "decoder", network))
    outer = {id(one) for one in (*found[:1], *last[-1:])}
    return [one for one in found if id(one) not in outer]


def _matrices(network: nn.Module) -> list[nn.Parameter]:
    return [
        weight
        for module in network.modules()
        if not isinstance(module, nn.Embedding)
        for name, weight in module.named_parameters(recurse=False)
        if name.endswith("weight") and weight.dim() > 1
    ]
