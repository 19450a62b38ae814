"""New codes, to be decoded: drawn at random, or on a grid. Arrays only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias, TypeVar, cast, get_args

import numpy as np
import torch
from jaxtyping import Float

from ..core.config import whole_number
from ..core.errors import ConfigurationError
from ..core.randomness import generator, numpy_generator
from ..core.types import CodeArray, Pixels
from ..core.wording import option
from ..data.config import DataConfig
from ..data.given import FURTHEST
from ..data.imageset import ImageSet
from ..models.priors import Prior, StandardNormal
from ..runs.directory import Run
from .denoise import image_at
from .kept_density import CodeDensity, moments
from .kept_refined import encoded_once
from .mixtures import CodeMixture, rows_fitted_to
from .run_images import own_or_other
from .trained import TrainedAutoencoder

Code: TypeAlias = Float[np.ndarray, " code"]

Product = TypeVar("Product")

# Of the codes of a network without a prior: a mixture of Gaussians, or a Gaussian for each dimension alone.
Density: TypeAlias = Literal["mixture", "independent"]

MOST = 1_000_000  # images at a time
SHOWN = 10_000  # of them in one film or one grid, which memory must hold whole
FAR = 10  # times the largest standard deviation of a dimension: no code lies as far from the mean
MANY = 10_000  # draws of a prior that its mean and deviation are taken from
INDEPENDENT = (
    "independent Gaussians with the mean and standard deviation of each code dimension over the training "
    "images"
)


@dataclass(frozen=True, eq=False)
class CodeDistribution:
    """Independent Gaussians, one a dimension, that new codes come from; `words` say which, to a person."""

    mean: Code
    std: Code
    words: str
    prior: Prior | None = None  # drawn from instead, where it is no such Gaussian
    mixture: CodeMixture | None = None  # drawn from instead, where it was asked for

    @property
    def code_size(self) -> int:
        return len(self.mean)


@dataclass(frozen=True, eq=False)
class DrawnCodes:
    """Codes, and the distribution that they were drawn from, in words."""

    codes: CodeArray
    distribution: str


@dataclass(frozen=True, eq=False)
class CodeGrid:
    """Codes on a plane through a code space, row by row from the top.

    `dimensions` are the two that vary, counted from 0: the first takes the values `across` from left to
    right, the second the values `down` from top to bottom. `words` say where the others stand, and `warning`
    whether the values lie where no codes do.
    """

    codes: CodeArray
    dimensions: tuple[int, int]
    across: tuple[float, ...]
    down: tuple[float, ...]
    words: str
    warning: str = ""


def prior(code_size: int) -> CodeDistribution:
    """N(0, I): what a variational autoencoder presses its codes towards."""
    return CodeDistribution(
        np.zeros(code_size, dtype=np.float32),
        np.ones(code_size, dtype=np.float32),
        "the prior N(0, I)",
    )


def of_prior(learned: Prior) -> CodeDistribution:
    """The prior of a network; the mean and deviation of one that is not N(0, I) are those of many draws."""
    if isinstance(learned, StandardNormal):
        return prior(learned.code_size)
    with torch.no_grad():
        codes = learned.sample(MANY, torch.Generator(learned.device).manual_seed(0)).cpu().numpy()
    found = fitted(codes)
    return CodeDistribution(found.mean, found.std, f"the prior: {learned.words}", learned)


def fitted(codes: CodeArray) -> CodeDistribution:
    """Gaussians with the mean and standard deviation of each dimension of `codes`.

    A plain autoencoder has no prior, so this stands in its place; the dimensions are taken as independent.
    """
    return CodeDistribution(*moments(codes), INDEPENDENT)


def distribution_of(
    run: Run, trained: TrainedAutoencoder, data: DataConfig | None = None, density: Density = "independent"
) -> CodeDistribution:
    """The prior where the run has one; else what is fitted to the codes of its training images.

    That is kept in the run: it is fitted once, and its images are read for it alone, or where `data` names
    them.

    Args:
        density: what that is.
        data: where the run's images are now.

    Raises:
        RunError: the run's images are gone or have changed.
        ConfigurationError: `data` are other images than the run's.
    """
    if trained.model.prior is not None:
        return of_prior(trained.model.prior)
    kept = CodeDensity.read(run)
    if kept is None or data is not None:
        images = _own_images(run, data)
    if kept is None:
        learned = run.split.train
        kept = CodeDensity.of(encoded_once(trained, images, learned[rows_fitted_to(len(learned))]))
        kept.keep(run)
    return _of_density(kept, density)


def around(codes: CodeArray, density: Density) -> CodeDistribution:
    """What is fitted to `codes`, for a network without a prior."""
    return _of_density(CodeDensity.of(codes), density) if density == "mixture" else fitted(codes)


def _of_density(found: CodeDensity, density: Density) -> CodeDistribution:
    mixture = found.mixture if density == "mixture" else None
    return CodeDistribution(found.mean, found.std, INDEPENDENT, mixture=mixture)


def require_density(name: str) -> Density:
    """Refuse what is no density: raises ConfigurationError."""
    for known in get_args(Density):
        if name == known:
            return cast(Density, known)
    raise ConfigurationError(
        f"{option('density')} is one of: {', '.join(get_args(Density))}",
        found=repr(name),
        do="name one of them",
    )


def made_from(
    run: Run,
    trained: TrainedAutoencoder,
    data: DataConfig | None,
    make: Callable[[CodeDistribution], Product],
    density: Density = "independent",
) -> Product:
    """What `make` makes of `distribution_of` the run; what it refuses is refused before images are read.

    Raises:
        LatentspaceError: as `make` and `distribution_of`.
    """
    make(prior(trained.code_size))
    return make(distribution_of(run, trained, data, density))


def _own_images(run: Run, data: DataConfig | None) -> ImageSet:
    images, own = own_or_other(run, data)
    require(
        own,
        f"the images of {run.path} itself are needed here",
        "other images in --data (their content hash is not the run's)",
        "name the images that the run was trained on, or leave --data out",
    )
    return images


def draw(distribution: CodeDistribution, count: int, seed: int) -> DrawnCodes:
    """`count` codes; a seed gives the same codes for ever.

    The first of many are those of few, but for a prior that was learned.

    Raises:
        ConfigurationError: no code asked for.
    """
    require(
        1 <= count <= MOST,
        f"at least one image and at most {MOST:,} can be asked for",
        f"{count}",
        "write for example --count 40",
    )
    if distribution.prior is not None:
        return DrawnCodes(drawn_from(distribution.prior, count, seed), distribution.words)
    if distribution.mixture is not None:
        return DrawnCodes(distribution.mixture.draw(count, seed), distribution.mixture.words)
    noise = numpy_generator(seed, "sample").standard_normal((count, distribution.code_size))
    codes = distribution.mean + distribution.std * noise
    return DrawnCodes(codes.astype(np.float32), distribution.words)


@torch.no_grad()
def drawn_from(learned: Prior, count: int, seed: int) -> CodeArray:
    """`count` codes from a network's prior."""
    return learned.sample(count, generator(seed, "sample", device=learned.device)).cpu().numpy()


def around_codes(codes: CodeArray, count: int, seed: int) -> DrawnCodes:
    """`draw` from what is `fitted` to `codes`."""
    return draw(fitted(codes), count, seed)


def grid(
    distribution: CodeDistribution,
    dimensions: tuple[int, int] = (0, 1),
    side: int = 12,
    span: tuple[float, float] | None = None,
) -> CodeGrid:
    """`side` x `side` codes that differ in two dimensions; the others stand at the distribution's mean.

    The values are the quantiles at (i + 1/2) / side of each dimension's Gaussian, so that every image
    stands for an equal share of it, as in figure 4 of https://arxiv.org/abs/1312.6114; with `span`, equal
    steps from its lower to its upper end. They grow to the right, and upwards.

    Raises:
        ConfigurationError: a dimension that the codes do not have, the same one twice, an empty span.
    """
    first, second = dimensions
    size = distribution.code_size
    require(
        size > 1,
        "a grid needs codes of two numbers or more",
        "codes of one number",
        "write --what walk, which goes through them, or --what samples",
    )
    require(
        first != second and all(0 <= one < size for one in dimensions),
        f"the grid's two dimensions must differ, and lie in 0..{size - 1}",
        f"{first},{second}",
        "write for example --dimensions 0,1",
    )
    require(
        1 <= side <= SHOWN**0.5,
        f"a grid needs at least one image a side, and at most {SHOWN:,} in all",
        f"{side}",
        "write for example --count 12",
    )
    across, down = (_steps(distribution, one, side, span) for one in dimensions)
    codes = np.tile(distribution.mean, (side * side, 1)).astype(np.float32)
    codes[:, first] = np.tile(across, side)
    codes[:, second] = np.repeat(down[::-1], side)
    how = "quantiles" if span is None else "equal steps"
    others = f"; the other {size - 2} stay at their mean" if size > 2 else ""
    return CodeGrid(
        codes,
        dimensions,
        tuple(float(one) for one in across),
        tuple(float(one) for one in down[::-1]),
        f"dimensions {first} and {second} vary, in {how}, under {distribution.words}{others}",
        "" if span is None else _far(distribution, dimensions, span),
    )


def _far(distribution: CodeDistribution, dimensions: tuple[int, int], span: tuple[float, float]) -> str:
    """What to say of a range that leads to where the network has never decoded a code; else nothing."""
    most = FAR * float(distribution.std.max())
    for one in dimensions:
        mean, std = float(distribution.mean[one]), float(distribution.std[one])
        if max(abs(end - mean) for end in span) > most:
            low, high = mean - 3 * std, mean + 3 * std
            return (
                f"the range {span[0]:g},{span[1]:g} leads far from all codes, so what is decoded there says "
                f"nothing: dimension {one} has mean {mean:.3g} and standard deviation {std:.3g}; three "
                f"deviations on either side are --range={low:.3g},{high:.3g}"
            )
    return ""


def _steps(
    distribution: CodeDistribution, dimension: int, side: int, span: tuple[float, float] | None
) -> Float[np.ndarray, " side"]:
    """The values of one dimension along a side of the grid, in ascending order."""
    if span is None:
        quantiles = np.array([NormalDist().inv_cdf((step + 0.5) / side) for step in range(side)])
        return np.asarray(distribution.mean[dimension] + distribution.std[dimension] * quantiles)
    require(
        -FURTHEST <= span[0] < span[1] <= FURTHEST,
        f"the range must be two finite numbers in -{FURTHEST:g}..{FURTHEST:g}, the lower one first",
        f"{span[0]:g},{span[1]:g}",
        "write for example --range=-2,2",
    )
    return np.linspace(*span, side)


def images_named(
    run: Run,
    names: Sequence[str],
    data: DataConfig | None = None,
    resize: tuple[int, int] | None = None,
) -> Pixels:
    """Images of the run's test part by their places in it, counted from 0, and image files by their paths.

    Args:
        data: where the run's images are now; they are read only for a place.
        resize: what a file is brought to: height, width.

    Raises:
        ConfigurationError: a place that the test part does not have.
        DataError: a path that is not one image of the run's size.
        RunError: the run's images are gone or have changed.
    """
    test = run.split.test
    places = [whole_number(name) for name in names]
    for place in places:
        require(
            place is None or place < len(test),
            f"a place in the run's test part lies in 0..{len(test) - 1}",
            f"{place}",
            "name such a place, or the path of an image file",
        )
    files = {
        name: image_at(name, run, resize) for place, name in zip(places, names, strict=True) if place is None
    }
    needed = any(place is not None for place in places)
    own = _own_images(run, data).pixels if needed else np.empty((0, *run.data.shape), dtype=np.uint8)
    return np.concatenate(
        [
            files[name] if place is None else own[test[[place]]]
            for place, name in zip(places, names, strict=True)
        ]
    )


def require(holds: bool, must: str, found: str, do: str) -> None:
    """Refuse where the condition does not hold: raises ConfigurationError."""
    if not holds:
        raise ConfigurationError(must, found=found, do=do)
