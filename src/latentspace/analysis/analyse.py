"""A judged run -> what is shown of it, by what its network and its objective can do."""

from typing import TypeAlias

from ..objectives.denoising import DenoisingConfig
from .autoencoder import AutoencoderAnalysis, analyse_autoencoder
from .classifier import ClassifierAnalysis, analyse_classifier
from .denoiser import DenoiserAnalysis, analyse_denoiser
from .run_context import RunContext
from .variational import VariationalAnalysis, analyse_variational

Analysis: TypeAlias = AutoencoderAnalysis | DenoiserAnalysis | VariationalAnalysis | ClassifierAnalysis


def analyse(context: RunContext) -> Analysis:
    """Everything that the page of this run alone shows.

    Raises:
        RunError: a classifier's encoder is gone.
    """
    if context.run.experiment.task.needs_encoder:
        return analyse_classifier(context)
    if context.trained.model.prior is not None:
        return analyse_variational(context)
    if isinstance(context.run.experiment.objective, DenoisingConfig):
        return analyse_denoiser(context)
    return analyse_autoencoder(context)
