"""Reconstruction: the mean squared error between an image and its decoded code."""

import torch
from torch import nn

from ..types import Images
from .loss import Loss


def reconstruction(model: nn.Module, batch: Images, generator: torch.Generator) -> Loss:
    """Mse = mean over images, channels and pixels of (sigmoid(logits) - image)^2; no unit, pixels in [0, 1].

    The report's `MSELoss` on the autoencoder's output (section 2.1).
    """
    passed = model(batch, generator)
    mse = torch.nn.functional.mse_loss(torch.sigmoid(passed.logits).float(), batch)
    return Loss(mse, {"mse": mse})
