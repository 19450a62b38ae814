"""Denoising: the mean squared error between the clean image and what is made of a corrupted one."""

from typing import Literal

from torch import nn

from ..data.batches import Batch
from ..data.corruption import Corruption, CorruptionConfig
from .loss import Context, Loss, Objective, ObjectiveConfig
from .reconstruction import reconstruction, squared_error


def denoising(corruption: Corruption) -> Objective:
    """mse_from_noisy = mean of (decoded from corruption(image) - image)^2; no unit, pixels in [0, 1].

    The target is the clean image (https://dl.acm.org/doi/10.1145/1390156.1390294).
    """

    def objective(model: nn.Module, batch: Batch, context: Context) -> Loss:
        noisy = corruption(batch.inputs, context.generator)
        return squared_error("mse_from_noisy", model(noisy, context.generator), batch.inputs)

    return objective


def denoising_and_clean(corruption: Corruption) -> Objective:
    """`denoising`, and beside it `mse`: the same network given the clean image. For validation."""
    from_noisy = denoising(corruption)

    def objective(model: nn.Module, batch: Batch, context: Context) -> Loss:
        noisy = from_noisy(model, batch, context)
        return Loss(noisy.total, {**noisy.parts, **reconstruction(model, batch, context).parts})

    return objective


class DenoisingConfig(CorruptionConfig, ObjectiveConfig):
    """The mean squared error between the clean image and what is made of a corrupted one."""

    name: Literal["denoising"] = "denoising"

    @property
    def divisible(self) -> bool:
        return True

    @property
    def training(self) -> Objective:
        return denoising(self.corruption())

    @property
    def corrupted_by(self) -> CorruptionConfig:
        return self

    @property
    def validation(self) -> Objective:
        return denoising_and_clean(self.corruption())
