"""New images: codes drawn at random, to be decoded."""

from dataclasses import dataclass

import numpy as np

from .randomness import numpy_generator
from .types import CodeArray


@dataclass(frozen=True)
class DrawnCodes:
    """Codes, and the distribution that they were drawn from, in words."""

    codes: CodeArray
    distribution: str


def around_codes(codes: CodeArray, count: int, seed: int) -> DrawnCodes:
    """Draw from a Gaussian with the mean and standard deviation of each dimension of `codes`.

    A plain autoencoder has no prior, so this stands in its place; the dimensions are drawn
    independently, as the report drew "random samples from the latent space".
    """
    draw = numpy_generator(seed, "sample")
    noise = draw.standard_normal((count, codes.shape[1]))
    drawn = codes.mean(axis=0) + codes.std(axis=0) * noise
    return DrawnCodes(
        drawn.astype(np.float32),
        "independent Gaussians with the mean and standard deviation of each code dimension "
        "over the training images",
    )
