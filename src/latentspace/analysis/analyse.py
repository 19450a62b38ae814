"""A judged run -> what is shown of it, by what it was trained for."""

from functools import singledispatch
from typing import TypeAlias

from ..core.config import Config
from ..experiment.config import ClassificationConfig, DenoisingConfig, ElboConfig, ReconstructionConfig
from .autoencoder import AutoencoderAnalysis, analyse_autoencoder
from .classifier import ClassifierAnalysis, analyse_classifier
from .denoiser import DenoiserAnalysis, analyse_denoiser
from .run_context import RunContext
from .variational import VariationalAnalysis, analyse_variational

Analysis: TypeAlias = AutoencoderAnalysis | DenoiserAnalysis | VariationalAnalysis | ClassifierAnalysis


def gather(context: RunContext) -> Analysis:
    """Everything that the page of this run alone shows.

    Raises:
        RunError: a classifier's encoder is gone.
    """
    return _gather(context.run.experiment.objective, context)


@singledispatch
def _gather(objective: Config, context: RunContext) -> Analysis:  # noqa: ARG001
    raise TypeError(f"nothing is known to show for {type(objective).__name__}")


@_gather.register
def _reconstruction(objective: ReconstructionConfig, context: RunContext) -> Analysis:  # noqa: ARG001
    return analyse_autoencoder(context)


@_gather.register
def _denoising(objective: DenoisingConfig, context: RunContext) -> Analysis:  # noqa: ARG001
    return analyse_denoiser(context)


@_gather.register
def _elbo(objective: ElboConfig, context: RunContext) -> Analysis:  # noqa: ARG001
    return analyse_variational(context)


@_gather.register
def _classification(objective: ClassificationConfig, context: RunContext) -> Analysis:  # noqa: ARG001
    return analyse_classifier(context)
