"""What is computed of images in pieces, each independent of the others: here, or elsewhere."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch

from ..core.progress import told
from ..core.types import Int64Array, Pixels

Columns: TypeAlias = dict[str, np.ndarray]
Computed: TypeAlias = Callable[
    ["Encodable", Mapping[int, Int64Array]], Generator[tuple[int, Columns], None, None]
]


@runtime_checkable
class Computable(Protocol):
    """What is computed of images, some of them at a time, here or in another process."""

    def encoded(self, pixels: Pixels, rows: Int64Array, piece: int) -> Columns:
        """The columns of these images, which are the piece with this number."""

    def on(self, device: torch.device) -> "Computable":
        """The same on another device, with no more than a node of a cluster needs."""


@runtime_checkable
class Encodable(Protocol):
    """Images of which columns are computed in pieces, and how."""

    @property
    def pixels(self) -> Pixels:
        """As they are computed with."""

    @property
    def computing(self) -> Computable: ...


class Encoded(NamedTuple):
    """An `Encodable` of some images."""

    computing: Computable
    pixels: Pixels


def cut(rows: Int64Array, step: int) -> list[Int64Array]:
    """Pieces of so many rows; the last one may be shorter."""
    return [rows[start : start + step] for start in range(0, len(rows), step)]


def columns_of(
    computing: Computable, pixels: Pixels, pieces: Sequence[Int64Array], computed: Computed, what: str
) -> list[Columns]:
    """The columns of each of these pieces, in their order; `what` is told of as progress."""
    found: dict[int, Columns] = {}
    with closing(computed(Encoded(computing, pixels), dict(enumerate(pieces)))) as columns:
        for number, one in told(columns, what, len(pieces)):
            found[number] = one
    return [found[number] for number in range(len(pieces))]


def here(plan: Encodable, pieces: Mapping[int, Int64Array]) -> Generator[tuple[int, Columns], None, None]:
    """The columns of pieces, computed in this process; `pieces` are the rows of each by number."""
    for number, rows in pieces.items():
        yield number, plan.computing.encoded(plan.pixels, rows, number)
