"""Loss: what an objective returns, what it is given, and the base of every objective's configuration."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeAlias

import torch
from pydantic import Field
from torch import nn

from ..core.config import Config
from ..core.tensor_types import Scalar
from ..data.batches import Batch
from ..data.corruption import CorruptionConfig


class Loss(NamedTuple):
    """What one batch lost.

    Args:
        total: what is minimised.
        parts: its terms by name, each a mean over the batch's images.
        auxiliary: what each auxiliary network minimises, by its name, with an optimiser of its own.
    """

    total: Scalar
    parts: dict[str, Scalar]
    auxiliary: Mapping[str, Scalar] = {}


@dataclass(frozen=True)
class Context:
    """Where a batch stands in its training; what an objective may need beside the model and the batch.

    Args:
        generator: what all noise is drawn from.
        images: how many images are learned from.
        epoch: counted from 1; 0 in validation.
        step: of the whole training, counted from 0; 0 in validation.
        auxiliary: the objective's own networks by name.
    """

    generator: torch.Generator
    images: int
    epoch: int = 0
    step: int = 0
    auxiliary: Mapping[str, nn.Module] = field(default_factory=dict)


Objective: TypeAlias = Callable[[nn.Module, Batch, Context], Loss]


class ObjectiveConfig(Config):
    """An objective's settings."""

    tasks: ClassVar[tuple[str, ...]] = ()
    """Tasks that may use it beside those that name it: an objective from outside joins `vae` so."""

    name: str = Field(description="what is minimised, by its name in the registry of objectives")

    @property
    def divisible(self) -> bool:
        """Whether a batch's loss is the mean of its images' losses: threads may then compute parts of it."""
        return False

    @property
    @abstractmethod
    def training(self) -> Objective:
        """What is minimised."""

    @property
    def validation(self) -> Objective:
        """What validation and evaluation report."""
        return self.training

    @property
    def curves(self) -> tuple[str, ...]:
        """The parts that a page draws and lists, in this order; empty: all, the task's score first."""
        return ()

    @property
    def corrupted_by(self) -> CorruptionConfig | None:
        """How the images that the network is given are corrupted; None: not at all."""
        return None

    @property
    def learns_from_codes(self) -> bool:
        """Whether the network is given codes, which are made once, and not images."""
        return False

    def auxiliary(self, code_size: int) -> dict[str, nn.Module]:  # noqa: ARG002
        """Networks that the objective needs beside the model, each trained by an optimiser of its own.

        A discriminator is one. They are given to the objective as `Context.auxiliary`, and it returns what
        each minimises as `Loss.auxiliary`.
        """
        return {}
