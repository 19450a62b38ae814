"""Refined codes that are remembered for a while: an image that is encoded again is not refined again.

Refinement takes ten times as long as encoding, and several metrics of a run encode the same images.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias

import torch
from torch import Tensor, nn

from ..core.tensor_types import Codes, Images

MOST: Final = 100_000  # codes; the first ones are forgotten first

_Known: TypeAlias = dict[bytes, Tensor]
_known: ContextVar[_Known | None] = ContextVar("remembered codes", default=None)


@contextmanager
def refined_once() -> Iterator[None]:
    """Within it, refined codes are remembered: by the network's weights, the image and the number of steps.

    One within another shares what that one remembers. Of this thread alone.
    """
    if _known.get() is not None:
        yield
        return
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def remembered(
    network: nn.Module, images: Images, steps: int, find: Callable[[Tensor | slice], Codes]
) -> Codes:
    """The refined code of each image; `find` makes those of the rows that are not remembered."""
    known = _known.get()
    if known is None:
        return find(slice(None))
    keys = _keys(network, images, steps)
    first = {key: row for row, key in reversed(list(enumerate(keys))) if key not in known}
    rows = sorted(first.values())
    new = find(torch.tensor(rows, dtype=torch.long, device=images.device)) if rows else None
    here = {} if new is None else dict(zip((keys[row] for row in rows), new.cpu(), strict=True))
    found = torch.stack([here[key] if key in here else known[key] for key in keys]).to(images.device)
    known |= here
    for key in list(known)[: max(0, len(known) - MOST)]:
        del known[key]
    return found


def _keys(network: nn.Module, images: Images, steps: int) -> list[bytes]:
    about = hashlib.blake2b(repr((network, steps, images.dtype)).encode())
    about.update(str(torch.is_autocast_enabled(images.device.type)).encode())
    for name, weights in network.state_dict().items():
        about.update(name.encode())
        about.update(_bytes(weights))
    begun = about.digest()
    rows = _bytes(images.flatten(1))
    width = len(rows) // len(images)
    return [
        hashlib.blake2b(rows[start : start + width], digest_size=16, key=begun).digest()
        for start in range(0, len(rows), width)
    ]


def _bytes(values: Tensor) -> bytes:
    flat = values.detach().cpu().contiguous().view(-1)
    return bytes(flat.view(torch.uint8).numpy().tobytes())  # as bytes first: bfloat16 has no array
