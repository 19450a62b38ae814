"""experiment + images -> what the loop works on: the network, the optimiser, and the data on the device."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ..core.devices import named_device
from ..core.errors import DataError
from ..core.logs import quiet
from ..core.tensor_types import Codes
from ..core.types import Int64Array
from ..data.batches import Batches, ResidentSet, laid_out
from ..data.imageset import ImageSet
from ..data.splits import Split
from ..data.summary import DataRecord
from ..experiment.config import Experiment
from ..inference.trained import encode_all
from ..models.autoencoder import Autoencoder
from ..models.classifier import FrozenEncoderClassifier
from ..objectives.classification import ClassificationConfig
from .loop import Auxiliary, Components

if TYPE_CHECKING:
    import lightning_fabric


def make_fabric(experiment: Experiment) -> "lightning_fabric.Fabric":
    """Raises: DeviceError: this machine has no such device."""
    from lightning_fabric import Fabric  # here, as it takes longer to import than a run to be judged

    device = named_device(experiment.device)
    precision = "bf16-mixed" if experiment.precision == "bf16" else "32-true"
    devices = 1 if device.index is None else [device.index]
    with quiet(logging.getLogger("lightning_fabric"), logging.WARNING):  # settle_precision has said it
        fabric = Fabric(accelerator=device.type, devices=devices, precision=precision)  # type: ignore[arg-type]
    return fabric


@contextmanager
def threads_of(experiment: Experiment) -> Iterator[None]:
    """PyTorch computes with the plan's threads within the block, and afterwards with as many as before."""
    before = torch.get_num_threads()
    if experiment.threads:
        torch.set_num_threads(experiment.threads)
    try:
        yield
    finally:
        if experiment.threads:
            torch.set_num_threads(before)


def learned_from(experiment: Experiment, parts: Split) -> Int64Array:
    """The indices of the images that the training learns from."""
    if experiment.training.fit == "train":
        return parts.train
    return np.sort(np.concatenate([parts.train, parts.validation]))


def assemble(
    experiment: Experiment,
    images: ImageSet,
    parts: Split,
    fabric: "lightning_fabric.Fabric",
    autoencoder: Autoencoder | None = None,
    codes: Callable[[], Codes] | None = None,
) -> Components:
    """Build the network, and lay the data on the device.

    Args:
        autoencoder: the trained one that a classifier stands on; None for the other kinds.
        codes: of all images, where they are known; called if the classifier learns from codes at all.

    Raises:
        ConfigurationError: images too small for the network.
        DataError: a classifier without labels to learn.
    """
    if autoencoder is None:
        network: nn.Module = experiment.build(images.shape)
        learned, inputs = network, None
    else:
        with threads_of(experiment):
            network, learned, inputs = _classifier(experiment, images, autoencoder, fabric, codes)
    validation = None if experiment.training.fit == "train+validation" else parts.validation
    labels = None if autoencoder is None else torch.from_numpy(required_labels(images))

    def part(chosen: Int64Array) -> Batches:
        if inputs is None:
            return laid_out(images.pixels, chosen, fabric.device, labels)
        rows = torch.from_numpy(chosen)
        return ResidentSet(
            inputs[rows.to(inputs.device)], None if labels is None else labels[rows].to(inputs.device)
        )

    return set_up(
        experiment,
        fabric,
        network,
        part(learned_from(experiment, parts)),
        None if validation is None else part(validation),
        learned,
    )


def set_up(
    experiment: Experiment,
    fabric: "lightning_fabric.Fabric",
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
    model, optimizer = fabric.setup(network, experiment.optimizer(learned.parameters()))
    auxiliary = {
        name: Auxiliary(*fabric.setup(one, experiment.optimizer(one.parameters())))
        for name, one in experiment.build_auxiliary().items()
    }
    return Components(
        fabric=fabric,
        model=model,
        learned=learned,
        optimizer=optimizer,
        objective=experiment.objective.training,
        judge=experiment.objective.validation,
        train=train,
        validation=validation,
        auxiliary=auxiliary,
    )


def _classifier(
    experiment: Experiment,
    images: ImageSet,
    autoencoder: Autoencoder,
    fabric: "lightning_fabric.Fabric",
    codes: Callable[[], Codes] | None,
) -> tuple[nn.Module, nn.Module, Codes | None]:
    """What is called, the head in it, and codes made once; None: the frozen encoder is given images."""
    required_labels(images)
    plan = experiment.objective
    if isinstance(plan, ClassificationConfig) and plan.method == "frozen-encoder":
        probe = encode_all(autoencoder, images.pixels[:1], torch.device("cpu"))
        head = experiment.build_classifier(probe.shape[1], len(images.class_names))
        return FrozenEncoderClassifier(autoencoder, head), head, None
    inputs = codes() if codes else encode_all(autoencoder.to(fabric.device), images.pixels, fabric.device)
    head = experiment.build_classifier(inputs.shape[1], len(images.class_names))
    return head, head, inputs


def require_classes(of: ImageSet | DataRecord) -> None:
    """Raises: DataError: not what a classifier can learn from, labelled images of two classes or more."""
    if not of.labelled:
        raise _without_labels(of.source)
    if len(of.class_names) < 2:
        raise DataError(
            "a classifier needs images of at least two classes",
            found=f"{of.source}, all of class {of.class_names[0]}",
            do="name images of several classes; one class is enough for an ae, dae or vae",
        )


def required_labels(images: ImageSet) -> Int64Array:
    """Raises: DataError: the images have no labels."""
    if images.labels is None:
        raise _without_labels(images.source)
    return images.labels


def _without_labels(source: str) -> DataError:
    return DataError(
        "a classifier needs a label for each image",
        found=f"{source}, without labels",
        do="name data with labels: class folders, IDX files with a labels file, an npz with labels",
    )
