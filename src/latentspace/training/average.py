"""The moving average of a network's weights: what is validated and kept, where the plan asks for one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """mean <- decay * mean + (1 - decay) * weights, after each step; of buffers too.

    After step n, counted from 0, the decay is no more than (1 + n) / (10 + n), so that the first weights are
    soon forgotten (the start-up of TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = network
        self.mean = {name: one.detach().clone() for name, one in network.state_dict().items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step` of the whole training."""
        decay = min(self.decay, (1 + step) / (10 + step))
        weights = self.network.state_dict()
        real = [name for name, one in weights.items() if one.is_floating_point()]
        torch._foreach_lerp_([self.mean[one] for one in real], [weights[one] for one in real], 1 - decay)
        for name in weights.keys() - set(real):
            self.mean[name].copy_(weights[name])

    @torch.no_grad()
    def load(self, mean: dict[str, Tensor]) -> None:
        """Go on from a mean that was kept; its names and shapes are those of the network."""
        for name, one in self.mean.items():
            one.copy_(mean[name])

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The network has the mean within the block, and its own weights again afterwards."""
        own = {name: one.detach().clone() for name, one in self.network.state_dict().items()}
        self.network.load_state_dict(self.mean)
        try:
            yield
        finally:
            self.network.load_state_dict(own)
