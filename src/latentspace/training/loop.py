"""The training loop: a generator that yields a record an epoch. Nobody passes callbacks down."""

import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import nn

from ..core.errors import TrainingError
from ..core.progress import tell
from ..core.randomness import generator
from ..core.wording import option
from ..data.batches import Batches, at_once, order
from ..objectives.loss import Context, Loss, Objective

if TYPE_CHECKING:
    import lightning_fabric

EVALUATION_BATCH = 1024
TRAINING, VALIDATION = "training", "validation"  # what is told of as progress


@dataclass(frozen=True)
class EpochRecord:
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

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        if self.validation is None:
            del values["validation"]
        return values


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
        judge: the objective whose parts are the validation's.
        auxiliary: the objective's own networks by name.
        train, validation: what is learned from, and what is judged after each epoch, or None.
    """

    fabric: "lightning_fabric.Fabric"
    model: nn.Module
    learned: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Objective
    judge: Objective
    train: Batches
    validation: Batches | None
    auxiliary: Mapping[str, Auxiliary] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        return self.train.device


@dataclass(frozen=True)
class Epoch:
    """What a pass over the training images is a function of, beside what it works on.

    Args:
        number: counted from 1.
        order: of the images; `noise` is what the objective draws from.
        learning_rate: of a step, counted from 0 over the whole training.
        clip_norm: largest norm of the gradient; 0: not clipped.
    """

    number: int
    order: torch.Tensor
    noise: torch.Generator
    batch_size: int
    learning_rate: Callable[[int], float]
    clip_norm: float

    @property
    def steps(self) -> int:
        return -(-len(self.order) // self.batch_size)

    @property
    def first_step(self) -> int:
        return (self.number - 1) * self.steps


# Moves the weights of components through an epoch -> each term's mean over its images.
# Raises TrainingError.
Pass: TypeAlias = Callable[[Epoch], dict[str, float]]


def epochs(
    components: Components,
    *,
    learn: Pass,
    seed: int,
    batch_size: int,
    learning_rate: Callable[[int], float],
    clip_norm: float,
    first: int,
    last: int,
) -> Generator[EpochRecord, None, None]:
    """Train from epoch `first` to epoch `last`, both counted from 1 and included.

    The order and the noise of an epoch are functions of (seed, epoch), so a training that begins at
    `first` with the state that `first - 1` left goes on as if it had never stopped.

    Raises:
        TrainingError: a loss that is not a finite number.
    """
    m, images = components, components.train.images
    for epoch in range(first, last + 1):
        began = time.perf_counter()
        m.model.train()
        plan = Epoch(
            number=epoch,
            order=order(images, generator(seed, "order", epoch)).to(m.device),
            noise=generator(seed, "noise", epoch, m.device),
            batch_size=batch_size,
            learning_rate=learning_rate,
            clip_norm=clip_norm,
        )
        train = learn(plan)
        trained = time.perf_counter()
        validation = None
        if m.validation is not None:
            validation = evaluate(m.model, m.judge, m.validation, validation_noise(seed, m.device))
        yield EpochRecord(
            epoch=epoch,
            train=train,
            validation=validation,
            seconds=time.perf_counter() - began,
            images_per_second=images / (trained - began),
            learning_rate=learning_rate(epoch * plan.steps - 1),
        )


def by_autograd(m: Components, epoch: Epoch) -> dict[str, float]:
    """The pass of every network and objective.

    Raises:
        TrainingError: a loss that is not finite: at once on the CPU, before its gradient reaches the
            weights; elsewhere, where looking would be a wait, after the epoch.
    """
    on_cpu = m.device.type == "cpu"
    losses = Losses(epoch.steps)
    batches = m.train.batches(epoch.batch_size, epoch.order)
    for step, batch in enumerate(batches, start=epoch.first_step):
        for optimizer in (m.optimizer, *(one.optimizer for one in m.auxiliary.values())):
            for group in optimizer.param_groups:
                group["lr"] = epoch.learning_rate(step)
        loss = m.objective(m.model, batch, context(m, epoch, step))
        if on_cpu and not math.isfinite(loss.total.item()):
            raise _not_finite(_values(loss), losses.steps_done, epoch.steps, epoch.number)
        descend(m, loss, epoch.clip_norm)
        losses.add(loss)
    return losses.mean_over_images(m.train.images, epoch.batch_size, epoch.number)


def context(m: Components, epoch: Epoch, step: int) -> Context:
    """Where a batch stands; `step` counts from 0 over the whole training."""
    networks = {name: one.network for name, one in m.auxiliary.items()}
    return Context(epoch.noise, m.train.images, epoch.number, step, networks)


def descend(m: Components, loss: Loss, clip_norm: float) -> None:
    """One step of each optimiser, down the gradient of what its network minimises."""
    _step(m, m.model, m.optimizer, loss.total, clip_norm)
    for name, one in m.auxiliary.items():  # the model's step left gradients in it: they are set to zero
        _step(m, one.network, one.optimizer, loss.auxiliary[name], clip_norm)


def _step(
    m: Components, network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor, clip_norm: float
) -> None:
    optimizer.zero_grad()
    m.fabric.backward(loss)
    if clip_norm:  # a gradient that is not finite shows in the next loss
        m.fabric.clip_gradients(network, optimizer, max_norm=clip_norm, error_if_nonfinite=False)
    optimizer.step()


def validation_noise(seed: int, device: torch.device) -> torch.Generator:
    """What is drawn to judge a network: the same for every epoch, and never an epoch's own."""
    return generator(seed, "noise", 0, device)


@torch.no_grad()
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


class Losses:
    """What every step of an epoch lost, in one table on the device.

    The table is made once. A small tensor kept from each step would lie between the large pieces that the
    allocator takes back and hands out again: the process grew by 1.4 MB a step.
    """

    def __init__(self, steps: int, what: str = TRAINING) -> None:
        self.steps = steps
        self.what = what
        self.steps_done = 0

    def add(self, loss: Loss) -> None:
        terms = {"loss": loss.total, **loss.parts}
        self.add_steps({name: value.detach()[None] for name, value in terms.items()})

    def add_steps(self, terms: dict[str, torch.Tensor]) -> None:
        """Terms of several steps at once, each of shape (steps,)."""
        rows = torch.stack(list(terms.values()), dim=1)
        if not self.steps_done:
            self.names = list(terms)
            self.table = rows.new_empty((self.steps, len(terms)))
        self.table[self.steps_done : self.steps_done + len(rows)] = rows
        self.steps_done += len(rows)
        tell(self.what, self.steps_done, self.steps)

    def mean_over_images(self, images: int, batch_size: int, epoch: int | None) -> dict[str, float]:
        """Weigh each batch by its images; one transfer from the device for all steps.

        Raises:
            TrainingError: a term is NaN or infinite; the first step where it is so is named.
        """
        table = self.table.cpu().double()  # Apple GPUs have no float64
        bad = (~torch.isfinite(table)).any(dim=1).nonzero()
        if len(bad):
            step = int(bad[0])
            values = dict(zip(self.names, table[step].tolist(), strict=True))
            raise _not_finite(values, step, self.steps, epoch)
        sizes = torch.full((self.steps,), float(batch_size), dtype=torch.float64)
        sizes[-1] = images - batch_size * (self.steps - 1)
        means = (sizes[:, None] * table).sum(dim=0) / images
        return dict(zip(self.names, means.tolist(), strict=True))


def _values(loss: Loss) -> dict[str, float]:
    """What is minimised and its parts."""
    return {"loss": loss.total.item(), **{name: part.item() for name, part in loss.parts.items()}}


def _not_finite(values: dict[str, float], step: int, steps: int, epoch: int | None) -> TrainingError:
    """The error of a step (counted from 0), which names the first of its terms that is no number."""
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    name = next((one for one in bad if one != "loss"), bad[0])  # a term says more than their sum
    where = "in validation" if epoch is None else f"in epoch {epoch}"
    return TrainingError(
        "every loss must be a finite number",
        found=f"{name} = {values[name]} at step {step + 1} of {steps} {where}",
        do=f"lower the learning rate ({option('training.learning_rate')}) or clip the gradient "
        f"({option('training.clip_norm', 1)})",
    )
