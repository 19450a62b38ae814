"""Loss: what an objective returns."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import nn

from ..core.tensor_types import Scalar
from ..data.batches import Batch


class Loss(NamedTuple):
    """`total` is what is minimised; `parts` are its terms by name, each a mean over the batch's images."""

    total: Scalar
    parts: dict[str, Scalar]


# (model, batch, generator) -> Loss. Only objectives with noise of their own draw from the generator.
Objective: TypeAlias = Callable[[nn.Module, Batch, torch.Generator], Loss]
