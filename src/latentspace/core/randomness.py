"""Randomness as a pure function: (seed, purpose, epoch) -> a generator that nobody else draws from.

No state is kept between epochs, so a training that stops after epoch 7 and one that goes on draw the same
order, noise and dropout in epoch 8. Library code never seeds or draws from torch's global generator.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Purpose: TypeAlias = Literal[
    "weights", "order", "noise", "augmentation", "sample", "component", "split", "glyphs", "figure"
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


class Part(NamedTuple):
    """The images `start` to `stop` of a batch of `whole`, where processes divide it between them."""

    start: int
    stop: int
    whole: int


_part: ContextVar[Part | None] = ContextVar("part", default=None)


@contextmanager
def drawing_for(part: Part | None) -> Iterator[None]:
    """Inside the block, `rows_drawn` draws for this part of a batch; None: for the batch as it is."""
    token = _part.set(part)
    try:
        yield
    finally:
        _part.reset(token)


def rows_drawn(draw: "Callable[[int], torch.Tensor]", rows: int) -> "torch.Tensor":
    """What `draw` draws for so many rows, a whole number of them for each image of the batch.

    Where processes divide a batch, each draws for all of it and takes its own rows: so they draw what one
    process would, and never the same as each other.
    """
    part = _part.get()
    if part is None:
        return draw(rows)
    each = rows // (part.stop - part.start)
    return draw(part.whole * each)[part.start * each : part.stop * each]
