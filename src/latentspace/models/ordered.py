"""Ordered codes: the first numbers hold what matters most, so that the others may be left out."""

import torch
from torch import Tensor

from ..core.randomness import rows_drawn
from ..core.tensor_types import Codes


def shortened(codes: Codes, generator: torch.Generator | None) -> Codes:
    """Codes, the first half of them whole; each other one ends after a length drawn evenly from 1 to all.

    Behind its end a code is zero: so the first numbers come to hold what matters most, as for nested dropout.
    O. Rippel, M. Gelbart, R. Adams, "Learning Ordered Representations with Nested Dropout"
    (https://proceedings.mlr.press/v32/rippel14.html), where lengths are geometric.

    Raises:
        TypeError: no generator.
    """
    if generator is None:
        raise TypeError("the lengths of ordered codes are drawn from a generator: give it one")
    size = codes.shape[1]

    def drawn(rows: int) -> Tensor:
        lengths = torch.randint(1, size + 1, (rows,), generator=generator, device=codes.device)
        lengths[: rows // 2] = size
        return lengths

    return first_numbers(codes, rows_drawn(drawn, len(codes)))


def first_numbers(codes: Codes, lengths: Tensor) -> Codes:
    """Each code's first numbers; zero behind them."""
    return codes * (torch.arange(codes.shape[1], device=codes.device) < lengths[:, None])
