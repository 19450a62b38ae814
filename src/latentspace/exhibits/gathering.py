"""A judged run -> what is shown of it, by what it was trained for."""

from functools import singledispatch
from typing import TypeAlias

from ..configuration import Config
from ..experiment import ClassificationConfig, DenoisingConfig, ElboConfig, ReconstructionConfig
from .autoencoder import AutoencoderExhibits, gather_autoencoder
from .classifier import ClassifierExhibits, gather_classifier
from .denoiser import DenoiserExhibits, gather_denoiser
from .subject import Subject
from .variational import VariationalExhibits, gather_variational

Exhibits: TypeAlias = AutoencoderExhibits | DenoiserExhibits | VariationalExhibits | ClassifierExhibits


def gather(subject: Subject) -> Exhibits:
    """Everything that the page of this run alone shows.

    Raises:
        RunError: a classifier's encoder is gone.
    """
    return _gather(subject.run.experiment.objective, subject)


@singledispatch
def _gather(objective: Config, subject: Subject) -> Exhibits:  # noqa: ARG001
    raise TypeError(f"nothing is known to show for {type(objective).__name__}")


@_gather.register
def _reconstruction(objective: ReconstructionConfig, subject: Subject) -> Exhibits:  # noqa: ARG001
    return gather_autoencoder(subject)


@_gather.register
def _denoising(objective: DenoisingConfig, subject: Subject) -> Exhibits:  # noqa: ARG001
    return gather_denoiser(subject)


@_gather.register
def _elbo(objective: ElboConfig, subject: Subject) -> Exhibits:  # noqa: ARG001
    return gather_variational(subject)


@_gather.register
def _classification(objective: ClassificationConfig, subject: Subject) -> Exhibits:  # noqa: ARG001
    return gather_classifier(subject)
