"""The error of reconstructions by the first numbers of a code, for networks whose codes are ordered."""

from collections.abc import Sequence

import torch

from ..core.devices import exact
from ..data.batches import Batches, told_of
from ..models.autoencoder import Autoencoder
from ..models.ordered import first_numbers

SIZES = 16  # are evaluated, at most
BATCH = 256


def sizes_evaluated(code_size: int) -> list[int]:
    """Code sizes from 1 to all: every one up to 16, else at most 16, each larger by about one factor."""
    if code_size <= SIZES:
        return list(range(1, code_size + 1))
    spread = [round(code_size ** (number / (SIZES - 1))) for number in range(SIZES)]
    return sorted(set(spread))


def numbers_enough(sizes: Sequence[int | float], errors: Sequence[float]) -> int:
    """The first of these code sizes, ascending, whose error is within a tenth of that of the last."""
    return round(next(size for size, error in zip(sizes, errors, strict=True) if error <= 1.1 * errors[-1]))


@torch.no_grad()
@exact()
def errors_of_first_numbers(model: Autoencoder, images: Batches, sizes: list[int]) -> list[float]:
    """The mean squared error per pixel, with so many numbers of the mean codes and zeros behind, for each."""
    model.eval()
    sums, values = torch.zeros(len(sizes), dtype=torch.float64), 0
    for batch in told_of(images, BATCH, "images decoded with shorter codes"):
        codes = model.encode(batch.inputs).mean
        values += batch.inputs.numel()
        for place, size in enumerate(sizes):
            lengths = torch.full((len(codes),), size, device=codes.device)
            errors = model.decode(first_numbers(codes, lengths)) - batch.inputs
            sums[place] += errors.square().sum(dtype=torch.float64).cpu()
    return [float(one) / values for one in sums]
