"""What is shown of every run that encodes and decodes: ae, dae, vae."""

from dataclasses import dataclass

import numpy as np

from ..data.batches import float_blocks
from ..evaluation.codes import FITTED_TO, Plane, pca_error, principal_plane
from ..evaluation.records import kept
from ..evaluation.samples import COMPONENTS, SamplesRecord, samples_record
from ..generation import DrawnCodes, around_codes, draw, has_prior, linear, prior
from ..types import CodeArray, ImageArray, Pixels
from .subject import Subject

SHOWN, DRAWN = 10, 40  # images of figures 3 and 11, and of 4, 8 and 12
JUDGED = 2000  # random codes that are decoded to measure how far they lie from letters
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
class AutoencoderExhibits:
    """`originals` and `reconstructions` are test images and the same decoded from their codes.

    Args:
        errors: mean squared errors a pixel, of the shown images.
        drawn, decoded: random codes, and what is decoded from them.
        likeness: the Frechet distances of decoded random codes, and of training images, to test images.
        plane: the codes of all images, in the images' order.
        pca: the test error of PCA with as many numbers an image as the codes have.
    """

    subject: Subject
    pca: float
    originals: Pixels
    reconstructions: ImageArray
    errors: tuple[float, ...]
    drawn: DrawnCodes
    decoded: ImageArray
    likeness: SamplesRecord
    plane: Plane
    walks: Walks
    code_size: int


def gather_autoencoder(
    subject: Subject,
    *,
    shown: int = SHOWN,
    drawn: int = DRAWN,
    judged: int = JUDGED,
    fitted_to: int = FITTED_TO,
) -> AutoencoderExhibits:
    """Reconstruct test images, decode random codes, and lay all codes in a plane.

    Args:
        judged: random codes that are decoded to measure them, at most; fewer of large images.
        fitted_to: images that PCA is fitted to, at most.

    Raises:
        RunError: a classifier's run.
    """
    trained, images, parts = subject.trained, subject.images, subject.run.split
    codes = trained.encode(images)
    fitted, judged = subject.sample(parts.train, fitted_to), subject.affordable(judged)
    originals = images.pixels[subject.some_test_images(shown)]
    reconstructions = trained.reconstruct(originals)
    random_codes = draw_codes(subject, codes, max(drawn, judged))
    decoded = trained.decode(random_codes.codes)
    return AutoencoderExhibits(
        subject=subject,
        pca=pca_error(images.pixels, fitted, parts.test, trained.code_size),
        originals=originals,
        reconstructions=reconstructions,
        errors=errors(reconstructions, originals),
        drawn=random_codes,
        decoded=decoded[:drawn],
        likeness=likeness(subject, decoded[:judged]),
        plane=principal_plane(codes),
        walks=walks(subject, codes),
        code_size=trained.code_size,
    )


def draw_codes(subject: Subject, codes: CodeArray, count: int) -> DrawnCodes:
    """From the prior where the run has one, else around the codes of its training images."""
    if has_prior(subject.run.experiment):
        return draw(prior(codes.shape[1]), count, subject.seed)
    return around_codes(codes[subject.run.split.train], count, subject.seed)


def likeness(subject: Subject, decoded: ImageArray) -> SamplesRecord:
    """Kept in the run: how far its random decodes, and as many training images, lie from the test images."""
    parts, pixels = subject.run.split, subject.images.pixels

    def measure(
        judged: int = len(decoded), components: int = COMPONENTS, fitted_to: int = FITTED_TO
    ) -> SamplesRecord:
        training, test = subject.sample(parts.train, judged), subject.sample(parts.test, fitted_to)
        more = float_blocks(pixels, np.setdiff1d(parts.test, test), "images compared")
        real = floats(pixels[training]), floats(pixels[test])
        return samples_record(decoded[: len(training)], *real, components, more)

    return kept(subject.run, "samples", SamplesRecord, measure)


def walks(subject: Subject, codes: CodeArray, pairs: int = PAIRS, steps: int = STEPS) -> Walks:
    chosen = subject.pairs(pairs)
    between = [linear(codes[first], codes[second], steps) for first, second in chosen.reshape(-1, 2)]
    return Walks(
        ends=subject.images.pixels[chosen],
        steps=subject.trained.decode(np.concatenate(between)),
        shares=tuple(np.linspace(0, 1, steps).tolist()),
    )


def errors(made: ImageArray, originals: Pixels) -> tuple[float, ...]:
    """Of each image, a pixel."""
    return tuple(((made - floats(originals)) ** 2).mean(axis=(1, 2, 3)).tolist())


def floats(pixels: Pixels) -> ImageArray:
    return pixels / np.float32(255)
