"""Paths through a code space: straight, on a great circle, or a closed walk. Arrays only."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from ..core.randomness import numpy_generator
from ..core.types import CodeArray
from ..core.wording import option
from ..models.priors import Prior
from .sampling import SHOWN, Code, CodeDistribution, DrawnCodes, require

# (start, end, frames) -> the codes from `start` to `end`, both included.
Between: TypeAlias = Callable[[Code, Code, int], CodeArray]

TURNS = 3  # how often the fastest part of a walk goes round


def linear(start: Code, end: Code, frames: int) -> CodeArray:
    """(1 - t) start + t end for `frames` equal steps of t from 0 to 1.

    Raises:
        ConfigurationError: fewer than two frames.
    """
    t = _times(frames)
    return np.asarray((1 - t) * start + t * end, dtype=np.float32)


def spherical(start: Code, end: Code, frames: int) -> CodeArray:
    """(sin((1 - t) w) start + sin(t w) end) / sin w, with w the angle between the two.

    Codes drawn from N(0, I) lie near a sphere; this path stays there, where a straight one cuts through
    its middle (https://arxiv.org/abs/1609.04468, section 2.1). Codes in one direction are joined by a line.

    Raises:
        ConfigurationError: fewer than two frames, or opposite codes, or one at 0: there is no one path.
    """
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    require(
        min(lengths) > 0,
        "a path on a sphere needs codes that are not 0",
        "a code at 0",
        "take a straight one",
    )
    cosine = float(np.clip(np.dot(start / lengths[0], end / lengths[1]), -1, 1))
    require(
        cosine > -1 + 1e-6,
        "a path on a sphere needs codes that are not opposite each other",
        "an angle of 180 degrees",
        "take a straight one",
    )
    if cosine > 1 - 1e-6:  # the limit of the formula as the angle goes to 0
        return linear(start, end, frames)
    angle, t = np.arccos(cosine), _times(frames)
    codes = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    return np.asarray(codes, dtype=np.float32)


def between(frames: int, *, round_: bool, prior: Prior | None) -> Between:
    """How a path is made: spherical, or linear; what cannot be is refused before an image is read.

    Args:
        prior: of the network whose codes are joined.

    Raises:
        ConfigurationError: fewer than two frames, or a great circle where codes do not lie around 0.
    """
    require(
        prior is not None or not round_,
        f"{option('spherical', True)} needs codes that lie around 0, as a vae's do",
        "a network without a prior",
        "leave it out",
    )
    _times(frames)
    return spherical if round_ else linear


def _times(frames: int) -> Float[np.ndarray, "frames 1"]:
    require(
        2 <= frames <= SHOWN,
        f"a path needs at least two frames, and at most {SHOWN:,}",
        f"{frames}",
        "write for example --frames 24",
    )
    return np.linspace(0, 1, frames)[:, None]


def walk(distribution: CodeDistribution, frames: int, seed: int) -> DrawnCodes:
    """A smooth closed walk through random codes: the last frame leads back to the first.

    z(t) = mean + std * sum_k (a_k cos 2 pi k t + b_k sin 2 pi k t) / sqrt(K), k = 1..K, with a_k and b_k
    drawn from N(0, I). The squares of each cosine and sine add up to one, so every single frame follows
    the distribution, as an independent draw would: the walk never cuts through where no code lies.

    Raises:
        ConfigurationError: fewer than two frames.
    """
    require(
        2 <= frames <= SHOWN,
        f"a walk needs at least two frames, and at most {SHOWN:,}",
        f"{frames}",
        "write for example --frames 60",
    )
    a, b = numpy_generator(seed, "sample").standard_normal((2, TURNS, distribution.code_size))
    angles = 2 * np.pi * np.arange(frames)[:, None] / frames * np.arange(1, TURNS + 1)
    path = (np.cos(angles) @ a + np.sin(angles) @ b) / np.sqrt(TURNS)
    codes = distribution.mean + distribution.std * path
    return DrawnCodes(codes.astype(np.float32), f"a closed walk through {distribution.words}")
