"""One pass over the training images: what it is a function of, and what its steps lose."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..core.errors import TrainingError
from ..core.progress import tell
from ..core.wording import option
from ..objectives.loss import Loss

DIVERGED = 1_000
TRAINING, VALIDATION = "training", "validation"  # what is told of as progress


@dataclass(frozen=True)
class Epoch:
    """What a pass over the training images is a function of, beside what it works on.

    Args:
        number: counted from 1.
        order: of the images; `noise` is what the objective draws from.
        schedule: the factor of every learning rate at a step, counted from 0 over the whole training.
        augment: (images, step) -> what is learned from in their place.
        clip_norm: largest norm of the gradient; 0: not clipped.
    """

    number: int
    order: torch.Tensor
    noise: torch.Generator
    batch_size: int
    schedule: Callable[[int], float]
    augment: Callable[[torch.Tensor, int], torch.Tensor]
    clip_norm: float

    @property
    def steps(self) -> int:
        return -(-len(self.order) // self.batch_size)

    @property
    def first_step(self) -> int:
        return (self.number - 1) * self.steps


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
            TrainingError: a term is NaN or infinite, or the loss of a training grew without bound; the first
                step where it is so is named.
        """
        table = self.table.cpu().double()  # Apple GPUs have no float64
        bad = (~torch.isfinite(table)).any(dim=1).nonzero()
        if len(bad):
            step = int(bad[0])
            values = dict(zip(self.names, table[step].tolist(), strict=True))
            raise not_finite(values, step, self.steps, epoch)
        if epoch is not None:
            self._require_bounded(table, epoch)
        sizes = torch.full((self.steps,), float(batch_size), dtype=torch.float64)
        sizes[-1] = images - batch_size * (self.steps - 1)
        means = (sizes[:, None] * table).sum(dim=0) / images
        return dict(zip(self.names, means.tolist(), strict=True))

    def _require_bounded(self, table: torch.Tensor, epoch: int) -> None:
        """Refuse a loss that has become `DIVERGED` times what it was in the epoch's first step."""
        losses = table[:, self.names.index("loss")]
        grown = (losses > DIVERGED * max(abs(float(losses[0])), 1.0)).nonzero()
        if not len(grown):
            return
        step = int(grown[0])
        first, values = table[0].tolist(), table[step].tolist()
        terms = [place for place, name in enumerate(self.names) if name != "loss"] or [0]
        worst = max(terms, key=lambda place: abs(values[place]) / max(abs(first[place]), 1.0))
        raise TrainingError(
            f"a loss must not become {DIVERGED:,} times what it was in the epoch's first step",
            found=f"{self.names[worst]} = {values[worst]:.3g} at step {step + 1} of {self.steps} in epoch "
            f"{epoch}, {first[worst]:.3g} in the first: the training diverges",
            do=_calmer(),
        )


def values_of(loss: Loss) -> dict[str, float]:
    """What is minimised and its parts."""
    return {"loss": loss.total.item(), **{name: part.item() for name, part in loss.parts.items()}}


def not_finite(values: dict[str, float], step: int, steps: int, epoch: int | None) -> TrainingError:
    """The error of a step (counted from 0), which names the first of its terms that is no number."""
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    name = next((one for one in bad if one != "loss"), bad[0])  # a term says more than their sum
    where = "in validation" if epoch is None else f"in epoch {epoch}"
    return TrainingError(
        "every loss must be a finite number",
        found=f"{name} = {values[name]} at step {step + 1} of {steps} {where}",
        do=_calmer(),
    )


def _calmer() -> str:
    return (
        f"train a new run with a lower learning rate ({option('training.learning_rate')}) or a clipped "
        f"gradient ({option('training.clip_norm', 1)})"
    )
