"""Sizes of strided convolutions, and weights drawn from a generator of their own."""

import math

import torch
from torch import nn


def strided_size(size: int, kernel: int, padding: int) -> int:
    """The side that a stride-2 convolution makes of `size` pixels."""
    return (size + 2 * padding - kernel) // 2 + 1


def output_padding(size: int, kernel: int, padding: int) -> int:
    """What a stride-2 transposed convolution must add so that it gives back `size` pixels: 0 or 1."""
    return (size + 2 * padding - kernel) % 2


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
