"""What the training loop works on: the network, the optimiser, and the data on the device."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from ..core.devices import exact, named_device
from ..core.errors import DataError
from ..core.logs import quiet
from ..core.types import Int64Array
from ..data.batches import Batches
from ..data.imageset import ImageSet
from ..data.splits import Split
from ..data.summary import DataRecord
from ..experiment.config import Experiment
from ..objectives.loss import Objective
from .average import Average
from .optimizers import optimizer_of
from .together.peers import Peers

if TYPE_CHECKING:
    from .fabric import Fabric


class Auxiliary(NamedTuple):
    """A network that an objective needs beside the model, such as a discriminator, and its optimiser."""

    network: nn.Module
    optimizer: torch.optim.Optimizer


@dataclass(frozen=True)
class Components:
    """What a training works on.

    Args:
        fabric: what set up the network and the optimiser.
        model: what is called; `learned` is the part of it whose weights move and are kept.
        objective: what is minimised.
        validation_objective: its parts are those of the validation's records.
        auxiliary: the objective's own networks by name.
        train, validation: what is learned from, and what is evaluated after each epoch, or None.
        extra: how many of those that are learned from, the last ones, are beside the run's own images.
        average: of the weights of `learned`; None: what is kept are the weights themselves.
        peers: the processes that divide each batch with this one; None: this one trains alone.
    """

    fabric: "Fabric"
    model: nn.Module
    learned: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Objective
    validation_objective: Objective
    train: Batches
    validation: Batches | None
    auxiliary: Mapping[str, Auxiliary] = field(default_factory=dict)
    average: Average | None = None
    extra: int = 0
    peers: Peers | None = None

    def kept_weights(self) -> AbstractContextManager[None]:
        """`learned` has the weights that would be kept now, within the block."""
        return nullcontext() if self.average is None else self.average.in_use()

    @property
    def device(self) -> torch.device:
        return self.train.device


def make_fabric(experiment: Experiment) -> "Fabric":
    """Lightning Fabric on the plan's device, with its precision.

    Raises:
        DeviceError: this machine has no such device.
    """
    from .fabric import Fabric  # here, as it takes longer to import than a run to be evaluated

    device = named_device(experiment.device)
    precision = "bf16-mixed" if experiment.precision == "bf16" else "32-true"
    devices = 1 if device.index is None else [device.index]
    with quiet(logging.getLogger("lightning_fabric"), logging.WARNING):  # settle_precision has said it
        fabric = Fabric(accelerator=device.type, devices=devices, precision=precision)  # type: ignore[arg-type]
    return fabric


@contextmanager
def threads_of(experiment: Experiment) -> Iterator[None]:
    """PyTorch computes with the plan's threads, and exactly, within the block; afterwards as before."""
    before = torch.get_num_threads()
    if experiment.threads:
        torch.set_num_threads(experiment.threads)
    try:
        with exact():
            yield
    finally:
        if experiment.threads:
            torch.set_num_threads(before)


def learned_from(experiment: Experiment, parts: Split) -> Int64Array:
    """The indices of the images that the training learns from."""
    if experiment.training.fit == "train":
        return parts.train
    return np.sort(np.concatenate([parts.train, parts.validation]))


def held_out(experiment: Experiment, parts: Split) -> Int64Array:
    """The indices of the images that the training does not learn from."""
    if experiment.training.fit == "train":
        return np.concatenate([parts.validation, parts.test])
    return parts.test


def set_up(
    experiment: Experiment,
    fabric: "Fabric",
    network: nn.Module,
    train: Batches,
    validation: Batches | None = None,
    learned: nn.Module | None = None,
) -> Components:
    """The network and its optimiser on the device, with the experiment's objective.

    Args:
        learned: the part of the network whose weights move; None: all of it.
    """
    learned = network if learned is None else learned
    with quiet(logging.getLogger("lightning_fabric"), logging.WARNING):  # it advises to round float32
        model, optimizer = fabric.setup(network, optimizer_of(experiment, learned, fabric.device))
        auxiliary = {
            name: Auxiliary(*fabric.setup(one, optimizer_of(experiment, one, fabric.device)))
            for name, one in experiment.build_auxiliary().items()
        }
    return Components(
        fabric=fabric,
        model=model,
        learned=learned,
        optimizer=optimizer,
        objective=experiment.objective.training,
        validation_objective=experiment.objective.validation,
        train=train,
        validation=validation,
        auxiliary=auxiliary,
        average=Average(learned, decay) if (decay := experiment.training.ema) else None,
    )


def require_classes(of: ImageSet | DataRecord) -> None:
    """Refuse images that a classifier cannot learn from: raises DataError."""
    if not of.labelled:
        raise _without_labels(of.source)
    if len(of.class_names) < 2:
        raise DataError(
            "a classifier needs images of at least two classes",
            found=f"{of.source}, all of class {of.class_names[0]}",
            do="name images of several classes; one class is enough for an ae, dae or vae",
        )


def required_labels(images: ImageSet) -> Int64Array:
    """The labels of the images.

    Raises:
        DataError: the images have no labels.
    """
    if images.labels is None:
        raise _without_labels(images.source)
    return images.labels


def _without_labels(source: str) -> DataError:
    return DataError(
        "a classifier needs a label for each image",
        found=f"{source}, without labels",
        do="name data with labels: class folders, IDX files with a labels file, an npz with labels",
    )
