"""The registry of trackers: what else keeps the course of a training. Listing their names imports none."""

from typing import TYPE_CHECKING, Final

from ...core.registry import Registry

if TYPE_CHECKING:
    from .protocol import Tracker

TRACKERS: Final[Registry[type["Tracker"]]] = Registry(
    "tracker",
    {
        "tensorboard": "latentspace.training.trackers.tensorboard:TensorBoard",
        "mlflow": "latentspace.training.trackers.mlflow:MLflow",
        "wandb": "latentspace.training.trackers.wandb:WeightsAndBiases",
    },
)
