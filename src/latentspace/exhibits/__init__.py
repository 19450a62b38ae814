"""What a page shows of a run beyond its records: arrays and records, gathered by one function a kind."""

from .autoencoder import AutoencoderExhibits, gather_autoencoder
from .classifier import ClassifierExhibits, gather_classifier
from .denoiser import DenoiserExhibits, gather_denoiser
from .gathering import Exhibits, gather
from .growth import Grown, gather_growth
from .subject import Subject
from .variational import PriorGrid, VariationalExhibits, gather_variational

__all__ = [
    "AutoencoderExhibits",
    "ClassifierExhibits",
    "DenoiserExhibits",
    "Exhibits",
    "Grown",
    "PriorGrid",
    "Subject",
    "VariationalExhibits",
    "gather",
    "gather_autoencoder",
    "gather_classifier",
    "gather_denoiser",
    "gather_growth",
    "gather_variational",
]
