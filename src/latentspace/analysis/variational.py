"""What is shown of a variational autoencoder beyond what is shown of every autoencoder."""

from dataclasses import dataclass

import numpy as np

from ..core.types import ImageArray
from ..evaluation.bce_bounds import bce_of_copy, bce_of_mean
from ..evaluation.likelihood import required_prior
from ..inference.sampling import CodeGrid, grid, of_prior
from .run_context import RunContext

SIDE = 10  # of the grid: quantiles from 0.05 to 0.95 of the prior


@dataclass(frozen=True)
class PriorGrid:
    """The decoded codes of `plan`: a grid over two dimensions, the others at the prior's mean."""

    plan: CodeGrid
    decoded: ImageArray


@dataclass(frozen=True)
class VariationalAnalysis:
    """The prior's grid, and bounds of the cross-entropy.

    Args:
        kl: the mean divergence over the test images of each dimension, in nats; empty where the prior has no
            divergence of a single dimension.
        grid: None for codes of one dimension.
        bce_of_copy, bce_of_mean: what the cross-entropy of any reconstruction lies between, in nats a test
            image; None where pixels are not Bernoulli.
    """

    kl: tuple[float, ...]
    grid: PriorGrid | None
    bce_of_copy: float | None
    bce_of_mean: float | None


def analyse_variational(context: RunContext) -> VariationalAnalysis:
    """Decode a grid over the two dimensions that the posterior uses most."""
    metrics, size = context.result.metrics, context.trained.code_size
    measured = metrics.get("kl_per_dimension", [])
    kl = tuple(measured) if isinstance(measured, list) else (measured,)
    pixels, parts = context.images.pixels, context.run.split
    return VariationalAnalysis(
        kl=kl,
        grid=None if size < 2 else prior_grid(context, kl or (0.0,) * size),
        bce_of_copy=bce_of_copy(pixels, parts.test) if "bce" in metrics else None,
        bce_of_mean=bce_of_mean(pixels, parts.train, parts.test) if "bce" in metrics else None,
    )


def prior_grid(context: RunContext, kl: tuple[float, ...]) -> PriorGrid:
    across, down = np.argsort(-np.array(kl), kind="stable")[:2].tolist()
    plan = grid(of_prior(required_prior(context.trained.model)), (across, down), SIDE)
    return PriorGrid(plan, context.trained.decode(plan.codes))
