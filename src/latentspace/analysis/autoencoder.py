"""What is shown of every run that encodes and decodes."""

from dataclasses import dataclass

import numpy as np

from ..core.types import CodeArray, ImageArray, Int64Array, Pixels
from ..data.batches import float_blocks
from ..evaluation.beside_pca import BesidePCA, beside_pca
from ..evaluation.cache import kept
from ..evaluation.codes import FITTED_TO
from ..evaluation.frechet import COMPONENTS, FrechetRecord, frechet_record
from ..inference.code_paths import linear
from ..inference.maps import Projection, project
from ..inference.mixtures import fitted_mixture
from ..inference.sampling import DrawnCodes, around_codes, draw, of_prior
from .run_context import RunContext

SHOWN, DRAWN = 10, 40  # reconstructions, and images decoded from random codes
COMPARED = 2000  # random codes that are decoded to measure how far they lie from real images
PAIRS, STEPS = 3, 9  # of the walks between two images
REFINED = 4000  # images that are encoded for the page, at most, by a network that refines codes


@dataclass(frozen=True)
class Walks:
    """Codes on the straight line between the codes of two images, decoded.

    Args:
        ends: two images for each walk, one after the other.
        steps: the decoded codes, walk after walk; the first and the last are the ends' own codes.
        shares: of the second image, one for each step.
    """

    ends: Pixels
    steps: ImageArray
    shares: tuple[float, ...]


@dataclass(frozen=True)
class AutoencoderAnalysis:
    """`originals` and `reconstructions` are test images and the same decoded from their codes.

    Args:
        errors: mean squared errors per pixel, of the shown images.
        drawn, decoded: random codes, and what is decoded from them.
        likeness: the Frechet distances of decoded random codes, and of training images, to test images.
        mapped: the images that are encoded: all, or a sample; none where there is a prior.
        plane: their codes on the first two principal components; None where there is a prior.
        beside: the test error beside that of PCA with as many numbers an image as the codes have.
    """

    context: RunContext
    beside: BesidePCA
    originals: Pixels
    reconstructions: ImageArray
    errors: tuple[float, ...]
    drawn: DrawnCodes
    decoded: ImageArray
    likeness: FrechetRecord
    mapped: Int64Array
    plane: Projection | None
    walks: Walks
    code_size: int


def analyse_autoencoder(
    context: RunContext,
    *,
    shown: int = SHOWN,
    drawn: int = DRAWN,
    compared: int = COMPARED,
) -> AutoencoderAnalysis:
    """Reconstruct test images, decode random codes, and lay all codes in a plane.

    Args:
        compared: random codes that are decoded to be measured, at most; fewer of large images.

    Raises:
        RunError: a classifier's run.
    """
    trained, images = context.trained, context.images
    mapped = _mapped(context)
    codes = trained.encode(images, chosen=mapped)
    learned = codes[np.isin(mapped, context.run.split.train)]
    compared = context.affordable(compared)
    originals = images.pixels[context.some_test_images(shown)]
    reconstructions = trained.reconstruct(originals)
    random_codes = draw_codes(context, learned, max(drawn, compared))
    decoded = trained.decode(random_codes.codes)
    return AutoencoderAnalysis(
        context=context,
        beside=beside_pca(context.run, images, context.device),
        originals=originals,
        reconstructions=reconstructions,
        errors=errors(reconstructions, originals),
        drawn=random_codes,
        decoded=decoded[:drawn],
        likeness=likeness(context, decoded[:compared], learned),
        mapped=mapped,
        plane=project(codes) if len(codes) else None,
        walks=walks(context),
        code_size=trained.code_size,
    )


def _mapped(context: RunContext) -> Int64Array:
    """The images whose codes are drawn from and shown: none where the network has a prior to draw from."""
    every, model = np.arange(len(context.images)), context.trained.model
    if model.prior is not None:
        return every[:0]
    return context.sample(every, REFINED) if model.refine else every


def draw_codes(context: RunContext, learned: CodeArray, count: int) -> DrawnCodes:
    """From the prior where the run has one, else around `learned`, the codes of its training images."""
    if context.trained.model.prior is not None:
        return draw(of_prior(context.trained.model.prior), count, context.seed)
    return around_codes(learned, count, context.seed)


def likeness(context: RunContext, decoded: ImageArray, learned: CodeArray | None = None) -> FrechetRecord:
    """Kept in the run: how far its random decodes, and as many training images, lie from the test images.

    Without a prior also those of a mixture fitted to `learned`, if they are given: that takes seconds.
    """
    parts, pixels = context.run.split, context.images.pixels

    def measure(
        compared: int = len(decoded), components: int = COMPONENTS, fitted_to: int = FITTED_TO
    ) -> FrechetRecord:
        training, test = context.sample(parts.train, compared), context.sample(parts.test, fitted_to)
        more = float_blocks(pixels, np.setdiff1d(parts.test, test), "images compared")
        real = floats(pixels[training]), floats(pixels[test])
        count = len(training)
        mixture = None if learned is None else mixed(context, learned, count)
        return frechet_record(decoded[:count], *real, components, more, mixture)

    return kept(context.run, "decodes" if learned is None else "samples", FrechetRecord, measure)


def mixed(context: RunContext, learned: CodeArray, count: int) -> ImageArray | None:
    """Images decoded from a mixture fitted to the codes of training images; None: there is a prior."""
    if context.trained.model.prior is not None:
        return None
    mixture = fitted_mixture(learned)
    return context.trained.decode(mixture.draw(count, context.seed))


def walks(context: RunContext, pairs: int = PAIRS, steps: int = STEPS) -> Walks:
    """Decoded codes on straight lines between pairs of test images, `steps` each, both ends included."""
    chosen = context.pairs(pairs)
    ends = context.trained.encode(context.images, chosen=chosen).reshape(-1, 2, context.trained.code_size)
    between = [linear(first, second, steps) for first, second in ends]
    return Walks(
        ends=context.images.pixels[chosen],
        steps=context.trained.decode(np.concatenate(between)),
        shares=tuple(np.linspace(0, 1, steps).tolist()),
    )


def errors(made: ImageArray, originals: Pixels) -> tuple[float, ...]:
    """The mean squared error of each image, per pixel."""
    return tuple(((made - floats(originals)) ** 2).mean(axis=(1, 2, 3)).tolist())


def floats(pixels: Pixels) -> ImageArray:
    """Bytes as float32 in [0, 1]."""
    return pixels / np.float32(255)
