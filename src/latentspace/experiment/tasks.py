"""The registry of tasks: what a network is trained for, and which models and objectives go together there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..core.registry import Registry

Direction: TypeAlias = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Task:
    """What `latentspace train NAME` trains.

    Args:
        title: what its network is called: "denoising autoencoder".
        models, objectives: names in those registries that this task may combine; the first is the default.
        score: the metric that selects, among the parts of the objectives, and the way in which it is better.
        model, objective, training: settings where the task's defaults differ from those of their classes,
            where the preset has no table for the task.
        needs_encoder: it learns from the codes of a finished run, and from labels.
    """

    title: str
    models: tuple[str, ...]
    objectives: tuple[str, ...]
    score: str
    direction: Direction = "minimize"
    model: Mapping[str, Any] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    needs_encoder: bool = False

    def better(self, one: float, other: float) -> bool:
        return one < other if self.direction == "minimize" else one > other


AE = Task("autoencoder", ("residual", "convolutional", "dense"), ("reconstruction",), "mse")

DAE = Task(
    "denoising autoencoder",
    ("residual", "convolutional", "dense"),
    ("denoising",),
    "mse_from_noisy",
)

VAE = Task(
    "variational autoencoder",
    ("residual-variational", "convolutional-variational", "dense-variational"),
    ("elbo",),
    "elbo_loss",
)

CLASSIFIER = Task(
    "classifier",
    ("perceptron",),
    ("classification",),
    "accuracy",
    "maximize",
    needs_encoder=True,
)

TASKS: Registry[Task] = Registry(
    "task",
    {
        "ae": f"{__name__}:AE",
        "dae": f"{__name__}:DAE",
        "vae": f"{__name__}:VAE",
        "classifier": f"{__name__}:CLASSIFIER",
    },
)
