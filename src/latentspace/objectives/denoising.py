"""Denoising: the mean squared error between the clean image and what is made of a corrupted one."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from ..data.batches import Batch
from ..data.corruption import Corruption
from .loss import Loss, Objective
from .reconstruction import reconstruction


def denoising(corruption: Corruption) -> Objective:
    """mse_from_noisy = mean of (sigmoid(logits of corruption(image)) - image)^2; no unit, pixels in [0, 1].

    The target is the clean image (https://dl.acm.org/doi/10.1145/1390156.1390294); the report's section
    3.1, read literally, had the noisy one.
    """

    def objective(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:
        passed = model(corruption(batch.inputs, generator), generator)
        mse = mse_loss(torch.sigmoid(passed.logits).float(), batch.inputs)
        return Loss(mse, {"mse_from_noisy": mse})

    return objective


def denoising_and_clean(corruption: Corruption) -> Objective:
    """`denoising`, and beside it `mse`: the same network given the clean image. For validation."""
    from_noisy = denoising(corruption)

    def objective(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:
        noisy = from_noisy(model, batch, generator)
        return Loss(noisy.total, {**noisy.parts, **reconstruction(model, batch, generator).parts})

    return objective
