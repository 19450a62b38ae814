"""Randomness as a pure function: (seed, purpose, epoch) -> a generator that nobody else draws from.

No state is kept between epochs, so a training that stops after epoch 7 and one that goes on draw the same
order, noise and dropout in epoch 8. Library code never seeds or draws from torch's global generator.
"""

import hashlib
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Purpose: TypeAlias = Literal[
    "weights", "order", "noise", "dropout", "augmentation", "sample", "component", "split", "glyphs", "figure"
]


def derive(seed: int, purpose: Purpose, epoch: int = 0) -> int:
    """A 63-bit seed; different arguments give unrelated streams (BLAKE2b of the three)."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{epoch}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(
    seed: int, purpose: Purpose, epoch: int = 0, device: "torch.device | str" = "cpu"
) -> "torch.Generator":
    """The generator of one purpose in one epoch; evaluation uses purposes that training does not."""
    import torch  # here alone, so that looking at data need not wait for it

    return torch.Generator(device).manual_seed(derive(seed, purpose, epoch))


def numpy_generator(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    return np.random.default_rng(derive(seed, purpose, epoch))
