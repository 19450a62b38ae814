"""Analysis: a finished run -> the arrays and records that its page shows."""

from .analyse import Analysis, analyse
from .autoencoder import AutoencoderAnalysis, analyse_autoencoder
from .classifier import ClassifierAnalysis, analyse_classifier
from .denoiser import DenoiserAnalysis, analyse_denoiser
from .growth import CodeSizeResult, analyse_growth
from .run_context import RunContext
from .variational import PriorGrid, VariationalAnalysis, analyse_variational

__all__ = [
    "Analysis",
    "AutoencoderAnalysis",
    "ClassifierAnalysis",
    "CodeSizeResult",
    "DenoiserAnalysis",
    "PriorGrid",
    "RunContext",
    "VariationalAnalysis",
    "analyse",
    "analyse_autoencoder",
    "analyse_classifier",
    "analyse_denoiser",
    "analyse_growth",
    "analyse_variational",
]
