"""The training loop: a generator that yields a record an epoch. Nobody passes callbacks down."""

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeAlias

import torch
from torch import nn

from ..core.devices import exact
from ..core.randomness import generator
from ..core.record import Record
from ..data.batches import Batches, at_once
from ..experiment.config import Experiment
from ..models.autoencoder import unrefined
from ..models.classifier import ClassifierConfig
from ..objectives.classification import ClassificationConfig
from ..objectives.loss import Context, Objective
from .augmentation import augmentation_of
from .components import Components, threads_of
from .epoch import VALIDATION, Epoch, Losses
from .extra import mixed_order, share_in
from .optimizers import UNIFORM
from .schedules import schedule_of
from .steps.autograd import by_autograd
from .steps.divided import threads_for
from .steps.numpy_head import ManualBackward

EVALUATION_BATCH = 1024

# Moves the weights of components through an epoch -> each term's mean over its images.
# Raises TrainingError.
Pass: TypeAlias = Callable[[Epoch], dict[str, float]]


class EpochRecord(Record):
    """One line of metrics.jsonl.

    `train` holds each term as its mean over the epoch's images as they were trained on (the weights
    move meanwhile); `validation` is over the whole split after the epoch, in float32, or None.
    `seconds` are the epoch's, validation included; `images_per_second` counts training alone.
    """

    epoch: int
    train: dict[str, float]
    validation: dict[str, float] | None
    seconds: float
    images_per_second: float
    learning_rate: float


def learn(
    experiment: Experiment, components: Components, first: int = 1
) -> Generator[EpochRecord, None, None]:
    """Train from epoch `first`, counted from 1, to the experiment's last.

    The order and the noise of an epoch are functions of (seed, epoch), so a training that begins at
    `first` with the state that `first - 1` left goes on as if it had never stopped.

    Raises:
        TrainingError: a loss that is not a finite number.
    """
    plan, m, images = experiment.training, components, components.train.images
    batch_size = min(plan.batch_size, images)
    steps = plan.epochs * -(-images // batch_size)
    schedule, run_through = schedule_of(plan, steps), _pass_for(experiment, m)
    for number in range(first, plan.epochs + 1):
        with threads_of(experiment):  # not while the caller has the record
            began = time.perf_counter()
            m.model.train()
            epoch = Epoch(
                number=number,
                order=mixed_order(
                    images - m.extra,
                    m.extra,
                    share_in(plan, number),
                    generator(experiment.seed, "order", number),
                ).to(m.device),
                noise=generator(experiment.seed, "noise", number, m.device),
                batch_size=batch_size,
                schedule=schedule,
                augment=augmentation_of(experiment, number, steps),
                clip_norm=plan.clip_norm,
            )
            train = run_through(epoch)
            trained = time.perf_counter()
            validation = None
            if m.validation is not None:
                noise = validation_noise(experiment.seed, m.device)
                with m.kept_weights(), _as_in_training(experiment, m.model):
                    validation = evaluate(m.model, m.validation_objective, m.validation, noise)
            record = EpochRecord(
                epoch=number,
                train=train,
                validation=validation,
                seconds=time.perf_counter() - began,
                images_per_second=images / (trained - began),
                learning_rate=plan.learning_rate * schedule(number * epoch.steps - 1),
            )
        yield record


def _as_in_training(experiment: Experiment, network: nn.Module) -> AbstractContextManager[None]:
    """Codes as the network learns from them: a frozen encoder's as it has them, others not refined."""
    return nullcontext() if experiment.task.needs_encoder else unrefined(network)


def _pass_for(experiment: Experiment, components: Components) -> Pass:
    """A function of the plan, the device and PyTorch's threads alone, so that a training repeats exactly."""
    plan = experiment.objective
    if (
        isinstance(plan, ClassificationConfig)
        and isinstance(experiment.model, ClassifierConfig)
        and plan.learns_from_codes
        and experiment.training.optimizer in UNIFORM
        and components.average is None
        and experiment.precision != "bf16"
        and components.device.type == "cpu"
        and components.peers is None
    ):
        return ManualBackward(components, gradient=plan.gradient, minimised=plan.minimised)
    return partial(by_autograd, components, threads=threads_for(experiment, components))


def validation_noise(seed: int, device: torch.device, piece: int = 0) -> torch.Generator:
    """What is drawn to evaluate a network: the same for every epoch, and never an epoch's own.

    Args:
        piece: of a set that is evaluated in pieces, counted from 0.
    """
    return generator(seed, "noise", -piece, device)


@torch.no_grad()
@exact()
def evaluate(
    model: nn.Module,
    objective: Objective,
    images: Batches,
    noise: torch.Generator,
    what: str = VALIDATION,
) -> dict[str, float]:
    """Each term's mean over the images, in float32 whatever the training's precision.

    Args:
        what: is told of as progress.
    """
    network = getattr(model, "_forward_module", model)  # Fabric's wrapper would cast to its precision
    network.eval()
    size = at_once(EVALUATION_BATCH, images.shape)
    losses = Losses(-(-images.images // size), what)
    for batch in images.batches(size):
        losses.add(objective(network, batch, Context(noise, images.images)))
    return losses.mean_over_images(images.images, size, None)
