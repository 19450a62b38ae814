"""Reconstruction: the mean squared error between an image and its decoded code."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from ..data.batches import Batch
from .loss import Loss


def reconstruction(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:
    """Mse = mean over images, channels and pixels of (sigmoid(logits) - image)^2; no unit, pixels in [0, 1].

    The report's `MSELoss` on the autoencoder's output (section 2.1).
    """
    passed = model(batch.inputs, generator)
    mse = mse_loss(torch.sigmoid(passed.logits).float(), batch.inputs)
    return Loss(mse, {"mse": mse})
