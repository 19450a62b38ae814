"""Dropout that is drawn from a given generator, and fast on the CPU."""

from typing import Any, final

import torch
from torch import Tensor, nn

from ...core.randomness import rows_drawn
from .conv import is_transformed


@final
class Dropout(nn.Module):
    """Dropout as torch's (https://jmlr.org/papers/v15/srivastava14a.html), but drawn from a given generator.

    In training each activation is zero with chance `p`, the others are scaled by 1 / (1 - p); else nothing.

    In training `torch.compile` compiles what is around the draws, and refuses `fullgraph=True`: it knows no
    generators. A network is exported as it is evaluated.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, activations: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self.training or self.p == 0:
            return activations
        if generator is None:
            raise TypeError("dropout draws from a generator of its own in training: give it one")
        if is_transformed():
            draws = rows_drawn(
                lambda rows: torch.rand(
                    (rows, *activations.shape[1:]), generator=generator, device=activations.device
                ),
                len(activations),
            )
            return activations * (draws >= self.p) / (1 - self.p)
        dropped: Tensor = _Dropped.apply(  # type: ignore[no-untyped-call]
            activations, _kept(activations, self.p, generator), self.p
        )
        return dropped


class _Dropped(torch.autograd.Function):
    """Keeps a byte an activation for the way back, where autograd would keep a float."""

    @staticmethod
    def forward(ctx: Any, activations: Tensor, kept: Tensor, p: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - p)
        return _masked(activations, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _masked(gradient, kept, ctx.scale), None, None


def _masked(values: Tensor, kept: Tensor, scale: float) -> Tensor:
    if values.device.type == "mps":  # has the fused kernel from PyTorch 2.9 on
        return values * kept * scale
    masked: Tensor = torch.ops.aten.native_dropout_backward(values, kept, scale)
    return masked


def _kept(activations: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """True with chance 1 - p, in steps of 1 / 65,536: four draws from each 64 bits, ten times as fast.

    Apple GPUs do not draw 64 bits at once: there it is one draw each, in steps of 2^-24.
    """
    if activations.device.type == "mps":
        return torch.empty_like(activations, dtype=torch.float32).uniform_(generator=generator) >= p
    each = activations.numel() // max(1, len(activations))  # of an image

    def draws(rows: int) -> Tensor:
        bits = torch.empty(-(-rows * each // 4), dtype=torch.int64, device=activations.device)
        bits.random_(-(2**63), None, generator=generator)
        return bits.view(torch.int16)[: rows * each].view(rows, each)

    threshold = min(round(p * 65536), 65535) - 32768
    kept = torch.empty_like(activations, dtype=torch.bool)  # as the activations lie, without a gap
    flat = kept.as_strided((kept.numel(),), (1,))
    torch.ge(rows_drawn(draws, len(activations)).view(-1), threshold, out=flat)
    return kept
