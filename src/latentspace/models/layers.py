"""Layers that draw from a generator of their own, and the sizes of strided convolutions."""

import math
from typing import final

import torch
from torch import Tensor, nn


def strided_size(size: int, kernel: int, padding: int) -> int:
    """The side that a stride-2 convolution makes of `size` pixels."""
    return (size + 2 * padding - kernel) // 2 + 1


def output_padding(size: int, kernel: int, padding: int) -> int:
    """What a stride-2 transposed convolution must add so that it gives back `size` pixels: 0 or 1."""
    return (size + 2 * padding - kernel) % 2


@final
class Dropout(nn.Module):
    """Dropout as torch's (https://jmlr.org/papers/v15/srivastava14a.html), but drawn from a given generator.

    In training each activation is zero with chance `p`, the others are scaled by 1 / (1 - p); else nothing.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, activations: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self.training or self.p == 0:
            return activations
        if generator is None:
            raise TypeError("dropout draws from a generator of its own in training: give it one")
        kept = torch.empty_like(activations).bernoulli_(1 - self.p, generator=generator)
        return activations * kept.mul_(1 / (1 - self.p))


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw every weight as PyTorch does by default, but from `generator`.

    Uniform in +-1/sqrt(fan in), for weights and biases alike: Kaiming's uniform rule with a = sqrt(5)
    (https://arxiv.org/abs/1502.01852, and `reset_parameters` of torch.nn.Linear and _ConvNd).

    Raises:
        TypeError: a layer with weights that this rule does not know.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                fan_in = layer.weight.shape[1] * layer.weight[0][0].numel()
                bound = 1 / math.sqrt(fan_in)
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        elif list(layer.parameters(recurse=False)):
            raise TypeError(f"no rule draws the weights of a {type(layer).__name__}")
