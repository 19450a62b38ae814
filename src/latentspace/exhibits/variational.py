"""What is shown of a variational autoencoder beyond what is shown of every autoencoder."""

from dataclasses import dataclass

import numpy as np

from ..evaluation.yardsticks import bce_of_copy, bce_of_mean
from ..generation import CodeGrid, grid, prior
from ..types import ImageArray
from .autoencoder import AutoencoderExhibits, gather_autoencoder
from .subject import Subject

SIDE = 10  # of the grid: quantiles from 0.05 to 0.95 of the prior


@dataclass(frozen=True)
class PriorGrid:
    """The decoded codes of `plan`: a grid over two dimensions, the others at the prior's mean."""

    plan: CodeGrid
    decoded: ImageArray


@dataclass(frozen=True)
class VariationalExhibits:
    """`kl` is the mean divergence over the test images of each dimension, in nats; `grid` needs two of them.

    `bce_of_copy` and `bce_of_mean`, in nats a test image, are what any reconstruction lies between.
    """

    plain: AutoencoderExhibits
    kl: tuple[float, ...]
    grid: PriorGrid | None
    bce_of_copy: float
    bce_of_mean: float

    @property
    def subject(self) -> Subject:
        return self.plain.subject


def gather_variational(subject: Subject) -> VariationalExhibits:
    """Decode samples of the prior, and a grid over the two dimensions that the posterior uses most."""
    plain = gather_autoencoder(subject)
    measured = subject.result.metrics["kl_per_dimension"]
    kl = tuple(measured) if isinstance(measured, list) else (measured,)
    pixels, parts = subject.images.pixels, subject.run.split
    return VariationalExhibits(
        plain=plain,
        kl=kl,
        grid=None if len(kl) < 2 else prior_grid(subject, kl),
        bce_of_copy=bce_of_copy(pixels, parts.test),
        bce_of_mean=bce_of_mean(pixels, parts.train, parts.test),
    )


def prior_grid(subject: Subject, kl: tuple[float, ...], side: int = SIDE) -> PriorGrid:
    across, down = np.argsort(-np.array(kl), kind="stable")[:2].tolist()
    plan = grid(prior(len(kl)), (across, down), side)
    return PriorGrid(plan, subject.trained.decode(plan.codes))
