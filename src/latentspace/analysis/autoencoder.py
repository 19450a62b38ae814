"""What is shown of every run that encodes and decodes."""

from dataclasses import dataclass

import numpy as np

from ..core.types import CodeArray, ImageArray, Pixels
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
        plane: the codes of all images on their first two principal components, in the images' order.
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
    plane: Projection
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
    codes = trained.encode(images)
    compared = context.affordable(compared)
    originals = images.pixels[context.some_test_images(shown)]
    reconstructions = trained.reconstruct(originals)
    random_codes = draw_codes(context, codes[context.run.split.train], max(drawn, compared))
    decoded = trained.decode(random_codes.codes)
    return AutoencoderAnalysis(
        context=context,
        beside=beside_pca(context.run, images, context.device),
        originals=originals,
        reconstructions=reconstructions,
        errors=errors(reconstructions, originals),
        drawn=random_codes,
        decoded=decoded[:drawn],
        likeness=likeness(context, decoded[:compared], codes),
        plane=project(codes),
        walks=walks(context, codes),
        code_size=trained.code_size,
    )


def draw_codes(context: RunContext, learned: CodeArray, count: int) -> DrawnCodes:
    """From the prior where the run has one, else around `learned`, the codes of its training images."""
    if context.trained.model.prior is not None:
        return draw(of_prior(context.trained.model.prior), count, context.seed)
    return around_codes(learned, count, context.seed)


def likeness(context: RunContext, decoded: ImageArray, codes: CodeArray | None = None) -> FrechetRecord:
    """Kept in the run: how far its random decodes, and as many training images, lie from the test images.

    Without a prior also those of a mixture fitted to `codes`, if they are given: that takes seconds.
    """
    parts, pixels = context.run.split, context.images.pixels

    def measure(
        compared: int = len(decoded), components: int = COMPONENTS, fitted_to: int = FITTED_TO
    ) -> FrechetRecord:
        training, test = context.sample(parts.train, compared), context.sample(parts.test, fitted_to)
        more = float_blocks(pixels, np.setdiff1d(parts.test, test), "images compared")
        real = floats(pixels[training]), floats(pixels[test])
        count = len(training)
        mixture = None if codes is None else mixed(context, codes, count)
        return frechet_record(decoded[:count], *real, components, more, mixture)

    return kept(context.run, "decodes" if codes is None else "samples", FrechetRecord, measure)


def mixed(context: RunContext, codes: CodeArray, count: int) -> ImageArray | None:
    """Images decoded from a mixture fitted to the codes of training images; None: there is a prior."""
    if context.trained.model.prior is not None:
        return None
    mixture = fitted_mixture(codes[context.run.split.train])
    return context.trained.decode(mixture.draw(count, context.seed))


def walks(context: RunContext, codes: CodeArray, pairs: int = PAIRS, steps: int = STEPS) -> Walks:
    """Decoded codes on straight lines between pairs of test images, `steps` each, both ends included."""
    chosen = context.pairs(pairs)
    between = [linear(codes[first], codes[second], steps) for first, second in chosen.reshape(-1, 2)]
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
