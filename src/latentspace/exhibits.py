"""The arrays that a run's figures show, gathered in one pass over its data."""

from dataclasses import dataclass

import numpy as np

from .data.imageset import ImageSet
from .data.sources import DataConfig
from .encoding import TrainedAutoencoder
from .evaluation.codes import Plane, pca_error, principal_plane
from .evaluation.evaluate import Evaluation, evaluate, own_or_other
from .generation import DrawnCodes, around_codes
from .randomness import numpy_generator
from .runs import Run
from .types import ImageArray, Pixels


@dataclass(frozen=True)
class Exhibits:
    """What a page needs of a run beyond its records.

    `originals` and `reconstructions` are test images and the same decoded from their codes; `decoded`
    are images decoded from `drawn`; `errors` are the shown images' own, a pixel; `plane` holds the codes
    of all images, in the images' order;
    `pca` is the test error of PCA with as many numbers an image as the codes have.
    """

    images: ImageSet
    result: Evaluation
    pca: float
    originals: Pixels
    reconstructions: ImageArray
    drawn: DrawnCodes
    decoded: ImageArray
    plane: Plane
    code_size: int
    errors: tuple[float, ...]


def gather(run: Run, data: DataConfig | None = None, *, shown: int = 12, drawn: int = 40) -> Exhibits:
    """Open the test split, judge the run on it, and draw what the figures show.

    Raises:
        RunError: the run has not ended, or its data are gone.
    """
    result = evaluate(run, data, "test")
    trained = TrainedAutoencoder.load(run)
    images, _ = own_or_other(run, data)
    codes = trained.encode(images)
    parts, seed = run.split, run.experiment.seed
    choice = numpy_generator(seed, "figure").choice(
        parts.test, size=min(shown, len(parts.test)), replace=False
    )
    reconstructions = trained.reconstruct(images.pixels[choice])
    errors = ((reconstructions - images.pixels[choice] / np.float32(255)) ** 2).mean(axis=(1, 2, 3))
    random_codes = around_codes(codes[parts.train], drawn, seed)
    return Exhibits(
        images=images,
        result=result,
        pca=pca_error(images.pixels[parts.train], images.pixels[parts.test], trained.code_size),
        originals=images.pixels[choice],
        reconstructions=reconstructions,
        drawn=random_codes,
        decoded=trained.decode(random_codes.codes),
        plane=principal_plane(codes),
        code_size=trained.code_size,
        errors=tuple(errors.tolist()),
    )
