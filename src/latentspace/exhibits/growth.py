"""Random decodes of plain autoencoders that differ in the size of their code alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..evaluation.samples import SamplesRecord
from ..types import ImageArray
from .autoencoder import JUDGED, draw_codes, likeness
from .subject import Subject

SHOWN = 10


@dataclass(frozen=True)
class Grown:
    """One of them: its test error, what it decodes from random codes, and how far that lies from letters."""

    code_size: int
    epochs: int
    mse: float
    decoded: ImageArray
    likeness: SamplesRecord


def gather_growth(subjects: Sequence[Subject]) -> tuple[Grown, ...]:
    """In the order of their code sizes."""
    grown = [_grown(subject) for subject in subjects]
    return tuple(sorted(grown, key=lambda one: one.code_size))


def _grown(subject: Subject) -> Grown:
    codes = draw_codes(subject, subject.trained.encode(subject.images), subject.affordable(JUDGED))
    decoded = subject.trained.decode(codes.codes)
    mse = subject.result.metrics["mse"]
    return Grown(
        code_size=subject.trained.code_size,
        epochs=len(subject.run.metrics),
        mse=float(mse) if not isinstance(mse, list) else mse[0],
        decoded=decoded[:SHOWN],
        likeness=likeness(subject, decoded),
    )
