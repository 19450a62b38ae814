"""Refined codes that are remembered: an image that is encoded again is not refined again.

Refinement takes ten times as long as encoding, and several metrics of a run encode the same images.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ..core.tensor_types import Codes, Images
from ..core.versions import version_of
from .refinement import VERSION

MOST: Final = 100_000  # codes that are remembered for a while; the first ones are forgotten first
KEY: Final = 16  # bytes


@runtime_checkable
class Memory(Protocol):
    """Codes by their keys. A key is of all that may move a code beyond rounding."""

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Tensor]:
        """The codes of those keys that have one, on the CPU."""

    def add(self, found: Mapping[bytes, Tensor]) -> None:
        """Remember codes, on the CPU."""


class Recent:
    """A memory of the codes that were found last."""

    def __init__(self) -> None:
        self._found: dict[bytes, Tensor] = {}

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Tensor]:
        return {key: self._found[key] for key in keys if key in self._found}

    def add(self, found: Mapping[bytes, Tensor]) -> None:
        self._found |= found
        forget(self._found, MOST)


def forget(found: dict[bytes, Tensor], most: int) -> None:
    """Leave so many codes, those that came last."""
    for key in list(found)[: max(0, len(found) - most)]:
        del found[key]


class _Remembering:
    """A memory, and the hashes of the networks whose codes are asked of it."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._versions = VERSION, version_of("latentspace"), torch.__version__
        self._hashed: WeakKeyDictionary[nn.Module, tuple[list[tuple[int, int]], bytes]] = WeakKeyDictionary()

    def keys(self, network: nn.Module, images: Images, steps: int) -> list[bytes]:
        """Of each image's code, after so many steps."""
        kind = images.device.type
        autocast = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        how = (self._versions, kind, autocast, steps, images.dtype, tuple(images.shape[1:]))
        about = hashlib.blake2b(repr(how).encode(), key=self._weights(network)).digest()
        rows = _bytes(images.flatten(1)).reshape(len(images), -1)
        return [hashlib.blake2b(row.data, digest_size=KEY, key=about).digest() for row in rows]

    def _weights(self, network: nn.Module) -> bytes:
        """The hash of a network; it is made again where a weight was written to."""
        state = network.state_dict()
        written = [(one.data_ptr(), one._version) for one in state.values()]
        known = self._hashed.get(network)
        if known is not None and known[0] == written:
            return known[1]
        found = hashlib.blake2b(repr(network).encode())
        for name, weights in state.items():
            found.update(name.encode())
            found.update(_bytes(weights).data)
        self._hashed[network] = written, found.digest()
        return found.digest()


_open: ContextVar[_Remembering | None] = ContextVar("remembered codes", default=None)


@contextmanager
def remembering(memory: Memory) -> Iterator[None]:
    """Within it, codes that a memory has are not refined again, and it is told of those that are found.

    One within another uses that one's memory. Of this thread alone.
    """
    if _open.get() is not None:
        yield
        return
    token = _open.set(_Remembering(memory))
    try:
        yield
    finally:
        _open.reset(token)


@contextmanager
def refined_once() -> Iterator[None]:
    """Within it, refined codes are remembered, as `remembering` says, and forgotten behind it."""
    with remembering(Recent()):
        yield


def remembered(
    network: nn.Module, images: Images, steps: int, find: Callable[[Tensor | slice], Codes]
) -> Codes:
    """The refined code of each image; `find` makes those of the rows that are not remembered."""
    opened = _open.get()
    if opened is None:
        return find(slice(None))
    keys = opened.keys(network, images, steps)
    known = opened.memory.known(keys)
    first = {key: row for row, key in reversed(list(enumerate(keys))) if key not in known}
    if first:
        rows = sorted(first.values())
        new = find(torch.tensor(rows, dtype=torch.long, device=images.device)).detach().cpu()
        here = dict(zip((keys[row] for row in rows), new, strict=True))
        opened.memory.add(here)
        known |= here
    return torch.stack([known[key] for key in keys]).to(images.device)


def _bytes(values: Tensor) -> np.ndarray:
    flat = values.detach().cpu().contiguous().view(-1)
    return flat.view(torch.uint8).numpy()  # as bytes first: bfloat16 has no array
