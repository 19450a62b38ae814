"""How fast a plan would train on this machine, found by training it a little on noise."""

import time
from contextlib import closing
from typing import Final, NamedTuple

import numpy as np
import torch

from ..core.config import MANY
from ..data.batches import ResidentSet
from ..experiment.config import Experiment
from .components import Components, make_fabric, set_up
from .loop import EVALUATION_BATCH, learn
from .precision import settle_precision

STEPS = 2  # of each of two epochs; the first only warms up
EPOCHS: Final = 3  # that are measured at least, where time is fitted to; after one that warms up
OVERHEAD: Final = 0.03  # seconds an epoch takes beside its images: its record and its state on disk


class Sizes(NamedTuple):
    """What a training's speed depends on beside its plan.

    Args:
        shape: channels, height and width of an image.
        learned, validated: how many images an epoch trains on, and validates on.
        code_size, classes: of a classifier's inputs and answers; other kinds do not ask.
    """

    shape: tuple[int, int, int]
    learned: int
    validated: int
    code_size: int = 0
    classes: int = 0


def images_per_second(
    experiment: Experiment, shape: tuple[int, int, int], code_size: int, classes: int
) -> float:
    """Of training alone, without validation.

    Args:
        shape: channels, height and width of an image.
        code_size, classes: of a classifier's inputs and answers; other kinds do not ask.
    """
    plan = settle_precision(experiment, quietly=True).with_training(epochs=2)
    count = STEPS * plan.training.batch_size
    components = _on_noise(plan, Sizes(shape, count, 0, code_size, classes))
    return [record.images_per_second for record in learn(plan, components)][-1]


def seconds_an_epoch(experiment: Experiment, sizes: Sizes, most: float) -> tuple[float, float]:
    """The seconds that an epoch of the plan takes here, and those that it took to find out.

    Args:
        most: seconds to go on measuring, as speed wavers; a few epochs of a few steps are measured anyway.
    """
    began = time.perf_counter()
    plan = experiment.with_training(epochs=MANY)
    learned = min(sizes.learned, STEPS * plan.training.batch_size)
    validated = min(sizes.validated, EVALUATION_BATCH)
    components = _on_noise(plan, sizes._replace(learned=learned, validated=validated))
    training: list[float] = []
    validation: list[float] = []
    with closing(learn(plan, components)) as records:
        for record in records:
            training.append(learned / record.images_per_second)
            validation.append(record.seconds - training[-1])
            if record.epoch > EPOCHS and time.perf_counter() - began > most:
                break
    per_image = float(np.mean(training[1:])) / learned
    per_validated = float(np.mean(validation[1:])) / validated if validated else 0.0
    found = sizes.learned * per_image + sizes.validated * per_validated + OVERHEAD
    return found, time.perf_counter() - began


def _on_noise(plan: Experiment, sizes: Sizes) -> Components:
    """A network of the plan, to be trained on noise."""
    fabric, draw = make_fabric(plan), np.random.default_rng(0)
    if plan.task.needs_encoder:
        network: torch.nn.Module = plan.build_classifier(sizes.code_size, sizes.classes)
    else:
        network = plan.build(sizes.shape)

    def noise(count: int) -> ResidentSet:
        if not plan.task.needs_encoder:
            pixels = torch.from_numpy(draw.integers(0, 256, (count, *sizes.shape), dtype=np.uint8))
            return ResidentSet(pixels.to(fabric.device))
        codes = torch.from_numpy(draw.standard_normal((count, sizes.code_size), dtype=np.float32))
        labels = torch.from_numpy(draw.integers(0, sizes.classes, count))
        return ResidentSet(codes.to(fabric.device), labels.to(fabric.device))

    return set_up(
        plan, fabric, network, noise(sizes.learned), noise(sizes.validated) if sizes.validated else None
    )
