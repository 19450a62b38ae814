"""How fast a plan would train on this machine, found by training it a little on noise."""

import numpy as np
import torch

from ..data.batches import ResidentSet
from ..experiment.config import Experiment
from .components import make_fabric, set_up
from .loop import learn
from .precision import settle_precision

STEPS = 2  # of each of two epochs; the first only warms up


def images_per_second(
    experiment: Experiment, shape: tuple[int, int, int], code_size: int, classes: int
) -> float:
    """Of training alone, without validation.

    Args:
        shape: channels, height and width of an image.
        code_size, classes: of a classifier's inputs and answers; other kinds do not ask.
    """
    experiment = settle_precision(experiment, quietly=True)
    plan = experiment.model_copy(update={"training": experiment.training.model_copy(update={"epochs": 2})})
    fabric = make_fabric(plan)
    count = STEPS * plan.training.batch_size
    draw = np.random.default_rng(0)
    if plan.task.needs_encoder:
        network: torch.nn.Module = plan.build_classifier(code_size, classes)
        inputs = torch.from_numpy(draw.standard_normal((count, code_size), dtype=np.float32))
        labels = torch.from_numpy(draw.integers(0, classes, count))
    else:
        network = plan.build(shape)
        inputs = torch.from_numpy(draw.integers(0, 256, (count, *shape), dtype=np.uint8))
        labels = None
    held = ResidentSet(inputs.to(fabric.device), None if labels is None else labels.to(fabric.device))
    components = set_up(plan, fabric, network, held)
    return [record.images_per_second for record in learn(plan, components)][-1]
