"""The first weights of a network, as functions of a seed."""

import hashlib
import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from .conv import Conv2d, ConvTranspose2d

Built = TypeVar("Built", bound=nn.Module)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw every weight as PyTorch does by default, but from `generator`.

    Uniform in +-1/sqrt(fan in), for weights and biases alike: Kaiming's uniform rule with a = sqrt(5)
    (https://arxiv.org/abs/1502.01852, and `reset_parameters` of torch.nn.Linear and _ConvNd).

    Other layers draw by their own rule, as in `build_seeded`.

    Raises:
        TypeError: a layer with weights and no `reset_parameters`.
    """
    for name, layer in module.named_modules():
        if type(layer) in {nn.Linear, Conv2d, ConvTranspose2d}:
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                fan_in = layer.weight.shape[1] * layer.weight[0][0].numel()
                bound = 1 / math.sqrt(fan_in)
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        elif list(layer.parameters(recurse=False)) + list(layer.buffers(recurse=False)):
            if _draw_by_own_rule(layer, generator.initial_seed(), name):
                continue
            raise TypeError(f"a {type(layer).__name__} needs reset_parameters, to draw its weights by")


def build_initialised(build: Callable[[], Built], generator: torch.Generator) -> Built:
    """A network on the CPU whose weights `initialise` drew; the global generator's state is put back.

    It is not planned on the meta device: to leave that, torch imports SymPy, a fifth of a command's start.

    Args:
        build: makes the network on the CPU.

    Raises:
        TypeError: as `initialise`.
    """
    with torch.random.fork_rng(devices=[]):
        network = build()
    initialise(network, generator)
    return network


def build_seeded(build: Callable[[], Built], generator: torch.Generator) -> Built:
    """A network whose every layer drew its weights by its own rule, from a seed of its own.

    A layer's weights are a function of (the generator's seed, the layer's name): a layer that is added or
    left out changes no other. Any torch module works, and buffers hold what its constructor put there.
    Torch's own rules draw from the global generator, whose state is put back.

    Args:
        build: makes the network on the CPU.
    """
    seed = generator.initial_seed()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # for what a constructor draws itself
        network = build()
        for name, layer in network.named_modules():
            _draw_by_own_rule(layer, seed, name)
    return network


def _draw_by_own_rule(layer: nn.Module, seed: int, name: str) -> bool:
    """Call the layer's `reset_parameters`, seeded by (seed, name); False where it has none."""
    draw = getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)
    if draw is None:
        return False
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int.from_bytes(digest, "little") >> 1)
        draw()
    return True
