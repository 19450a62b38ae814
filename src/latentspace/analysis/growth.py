"""Random decodes of plain autoencoders that differ in the size of their code alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.types import ImageArray
from ..evaluation.frechet import FrechetRecord
from .autoencoder import COMPARED, draw_codes, likeness
from .run_context import RunContext

SHOWN = 10


@dataclass(frozen=True)
class CodeSizeResult:
    """One of them: its test error, images decoded from random codes, and their distance to test images."""

    code_size: int
    epochs: int
    mse: float
    decoded: ImageArray
    likeness: FrechetRecord


def analyse_growth(subjects: Sequence[RunContext]) -> tuple[CodeSizeResult, ...]:
    """One for each autoencoder, in the order of their code sizes."""
    grown = [_grown(context) for context in subjects]
    return tuple(sorted(grown, key=lambda one: one.code_size))


def _grown(context: RunContext) -> CodeSizeResult:
    learned = context.trained.encode(context.images, chosen=context.run.split.train)
    decoded = context.trained.decode(draw_codes(context, learned, context.affordable(COMPARED)).codes)
    mse = context.result.metrics["mse"]
    return CodeSizeResult(
        code_size=context.trained.code_size,
        epochs=len(context.run.metrics),
        mse=float(mse) if not isinstance(mse, list) else mse[0],
        decoded=decoded[:SHOWN],
        likeness=likeness(context, decoded),
    )
