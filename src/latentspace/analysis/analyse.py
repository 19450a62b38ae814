"""A finished run -> what a page shows of it, in parts: each by what its network and its objective can do."""

from dataclasses import dataclass

from ..runs.directory import Run
from .autoencoder import AutoencoderAnalysis, analyse_autoencoder
from .classifier import ClassifierAnalysis, analyse_classifier
from .denoiser import DenoiserAnalysis, analyse_denoiser
from .run_context import RunContext
from .variational import VariationalAnalysis, analyse_variational


@dataclass(frozen=True)
class Analysis:
    """What is shown of a run; a part is None where the run can do nothing of the kind.

    Args:
        autoencoder: of a run that encodes and decodes.
        denoiser: where the objective corrupts its images.
        variational: where codes have a prior.
        classifier: of a run that classifies codes.
    """

    context: RunContext
    autoencoder: AutoencoderAnalysis | None = None
    denoiser: DenoiserAnalysis | None = None
    variational: VariationalAnalysis | None = None
    classifier: ClassifierAnalysis | None = None


def analyse(context: RunContext, beside: Run | None = None) -> Analysis:
    """Everything that the page of a run shows.

    Args:
        beside: the run of a plain autoencoder that a denoiser is compared with, or None.

    Raises:
        RunError: a classifier's encoder is gone.
    """
    if context.run.experiment.task.needs_encoder:
        return Analysis(context, classifier=analyse_classifier(context))
    plain = analyse_autoencoder(context)
    corruption = context.run.experiment.objective.corrupted_by
    return Analysis(
        context,
        autoencoder=plain,
        denoiser=None if corruption is None else analyse_denoiser(plain, corruption, beside),
        variational=None if context.trained.model.prior is None else analyse_variational(context),
    )
