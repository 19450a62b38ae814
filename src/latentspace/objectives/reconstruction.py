"""Reconstruction: the mean squared error between an image and its decoded code."""

from typing import Literal

from torch import nn
from torch.nn.functional import mse_loss

from ..core.tensor_types import Images
from ..data.batches import Batch
from ..models.autoencoder import Passed
from .loss import Context, Loss, Objective, ObjectiveConfig


def reconstruction(model: nn.Module, batch: Batch, context: Context) -> Loss:
    """Mse = mean over images, channels and pixels of (decoded - image)^2; no unit, pixels in [0, 1].

    Terms that the model adds itself, such as a commitment loss, are minimised with it.
    """
    passed: Passed = model(batch.inputs, context.generator)
    return squared_error("mse", passed, batch.inputs)


def squared_error(name: str, passed: Passed, images: Images) -> Loss:
    """The mean squared error of a pass against `images`, as the part `name`, and the model's own terms."""
    mse = mse_loss(passed.decoded.float(), images)
    own = passed.own_terms
    return Loss(sum(own.values(), start=mse), {name: mse, **own})


class ReconstructionConfig(ObjectiveConfig):
    """The mean squared error between an image and its decoded code."""

    name: Literal["reconstruction"] = "reconstruction"

    @property
    def divisible(self) -> bool:
        return True

    @property
    def training(self) -> Objective:
        return reconstruction
