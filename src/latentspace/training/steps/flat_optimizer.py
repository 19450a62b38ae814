"""An optimiser's parameters, and what it remembers of each, as one vector: a step is then one call."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Flat:
    """A copy of what `optimizer` moves, moved by another of its kind; `put_back` returns what was learned.

    For a few thousand weights on the CPU, where what surrounds a step takes longer than the step. All have
    the settings of one group.

    Args:
        split: a vector -> the part of it that is each parameter's, in its shape and without a copy.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, split: Callable[[Tensor], list[Tensor]]) -> None:
        self.original = getattr(optimizer, "optimizer", optimizer)  # within Fabric's wrapper
        (group,) = self.original.param_groups
        self.parameters: list[nn.Parameter] = group["params"]
        self.split = split
        self.weights = nn.Parameter(self._joined(_values(self.parameters)))
        self.weights.grad = self.gradient = torch.zeros_like(self.weights)
        self.optimizer = type(self.original)([self.weights], **self.original.defaults)
        self.kernel: Callable[[float], None] | None = None
        self.belongings: tuple[list[Tensor], list[Tensor]] | None = None
        remembered = [self.original.state.get(one, {}) for one in self.parameters]
        self.memory: dict[str, Tensor] = {
            name: first.clone() if first.dim() == 0 else self._joined([one[name] for one in remembered])
            for name, first in remembered[0].items()
        }
        self.optimizer.state[self.weights] = self.memory

    def _joined(self, tensors: list[Tensor]) -> Tensor:
        vector = torch.empty(sum(one.numel() for one in tensors))
        torch._foreach_copy_(self.split(vector), tensors)
        return vector

    def step(self, rate: float) -> None:
        if self.kernel is not None:
            self.kernel(rate)
            return
        (group,) = self.optimizer.param_groups
        group["lr"] = rate
        self.optimizer.step()  # makes what is remembered, where nothing was
        if isinstance(self.optimizer, torch.optim.Adam) and group["fused"]:
            self.kernel = self._adam(group)

    def _adam(self, group: dict[str, Any]) -> Callable[[float], None]:
        """The kernel of torch.optim.Adam (https://arxiv.org/abs/1412.6980), without the 40 us around it."""
        count = self.memory["step"].numpy()
        (beta1, beta2), vectors = group["betas"], (self.memory["exp_avg"], self.memory["exp_avg_sq"])
        kernel = partial(
            torch.ops.aten._fused_adam_,
            *([one] for one in (self.weights, self.gradient, *vectors)),
            [],
            [self.memory["step"]],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )

        def step(rate: float) -> None:
            np.add(count, 1, out=count)
            kernel(lr=rate)

        return step

    @torch.no_grad()
    def put_back(self) -> None:
        """Give the original parameters and the original optimiser what was learned."""
        if self.belongings is None:
            self.belongings = self._belongings()
        torch._foreach_copy_(*self.belongings)

    def _belongings(self) -> tuple[list[Tensor], list[Tensor]]:
        """What is the original's, and the part of a vector that is the same here."""
        theirs, ours = _values(self.parameters), self.split(self.weights.detach())
        for name, whole in self.memory.items():
            parts = [whole] * len(self.parameters) if whole.dim() == 0 else self.split(whole)
            for one, part in zip(self.parameters, parts, strict=True):
                theirs.append(self.original.state[one].setdefault(name, torch.empty(part.shape)))
            ours += parts
        return theirs, ours


def _values(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [one.detach() for one in parameters]
