"""Whether a run's pictures are nearer to the images than those of PCA with as many numbers."""

from functools import partial
from typing import Final

import numpy as np

from ..core.devices import AUTO
from ..core.randomness import numpy_generator
from ..core.wording import counted, option
from ..data.imageset import ImageSet
from ..data.memmap import require_unchanged
from ..data.sampling import affordable, stratified_sample
from ..data.splits import Part
from ..inference.computing import Computed, here
from ..inference.encoding import computed_codes
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from ..training.components import learned_from
from ..training.selection import stopped_by, train_longer
from .cache import Measurement, kept
from .codes import FITTED_TO, linear_errors

MARGIN: Final = 0.02  # share by which an error must be smaller to be called better
ROUNDING: Final = 1e-10  # an error per pixel: that of images that are all the same, in float32
QUICKLY: Final = 2000  # images that are looked at when a training has ended, at most


class BesidePCA(Measurement):
    """Mean squared errors per pixel: of images decoded from their mean codes, of PCA's, and of a mean image.

    Args:
        part: of the split, whose images are evaluated.
        images: how many of them.
        learned: how many of the images that the run learned from PCA is fitted to.
        code_size: numbers an image, of both.
        linear_path: whether the network has one: on, off, or None where it cannot.
        patience: of the early stopping that ended the training; None: it had all of its epochs.
        mean_image: the error of one mean image, that of the learned ones, in the place of each.
        refine: steps of refinement of each code, which validation in training is without.
    """

    VERSION = 3

    part: str
    images: int
    learned: int
    code_size: int
    mse: float
    pca: float
    mean_image: float
    linear_path: str | None = None
    patience: int | None = None
    refine: int = 0

    @property
    def better(self) -> bool | None:
        """Whether the run's error is the smaller one; None where the two are about equal."""
        if abs(self.mse - self.pca) <= MARGIN * self.pca:
            return None
        return self.mse < self.pca

    def kept(self, error: float) -> float | None:
        """The share of what differs between images that is kept with this error; None where nothing differs.

        1: all of it; 0: nothing, as by one mean image for all; less than 0: that would be nearer to them.
        """
        return 1 - error / self.mean_image if self.mean_image > ROUNDING else None

    @property
    def linear(self) -> str:
        """PCA, with its number of components where that is not the code's: it has no more than images."""
        if self.learned >= self.code_size:
            return "PCA with as many numbers"
        return f"PCA with the {counted(self.learned, 'component')} that it has of as many images"

    @property
    def words(self) -> str:
        how = {True: "less than", False: "more than", None: "about as much as"}[self.better]
        refined = f", refined by {counted(self.refine, 'step')}" if self.refine else ""
        return (
            f"From {counted(self.code_size, 'number')} an image{refined}, its pictures miss the {self.part} "
            f"images by {self.mse:.4g} (mean squared error per pixel), {how} {self.linear}: {self.pca:.4g}."
        )

    @property
    def advice(self) -> str:
        """What to do; empty of a run that is better."""
        if self.better:
            return ""
        longer = train_longer(self.patience)
        if self.linear_path == "off":
            return (
                f"{longer}, or let the training begin from principal components "
                f"({option('model.linear_path', 'on')})."
            )
        if self.learned < 10 * self.code_size:
            return f"{longer}, or on more images: PCA is hard to beat on few. A smaller code helps too."
        larger = option("code_size", 2 * self.code_size)
        return f"{longer}, with a wider network, or with a larger code ({larger})."

    @property
    def said(self) -> str:
        return f"{self.words} {self.advice}".rstrip()


def beside_pca(
    run: Run,
    images: ImageSet,
    device: str = AUTO,
    fitted_to: int = FITTED_TO,
    computed: Computed = here,
) -> BesidePCA:
    """Of all test images; kept in the run.

    Args:
        fitted_to: images that PCA is fitted to, at most.
        computed: what computes the run's pictures.

    Raises:
        RunError: the run has not ended, or is a classifier's.
    """
    measure = partial(_measured, run, images, "test", device, computed, fitted_to=fitted_to)
    return kept(run, "beside-pca", BesidePCA, measure)


def quickly_beside_pca(run: Run, images: ImageSet, device: str = AUTO) -> BesidePCA:
    """Of some images that the run did not learn from, but of no test images; learned ones where all were."""
    part: Part = "validation" if run.experiment.training.fit == "train" else "train"
    return _measured(run, images, part, device, here, most=QUICKLY)


def _measured(
    run: Run,
    images: ImageSet,
    part: Part,
    device: str,
    computed: Computed,
    fitted_to: int = FITTED_TO,
    most: int | None = None,
) -> BesidePCA:
    trained = TrainedAutoencoder.load(run, device)
    draw = numpy_generator(run.experiment.seed, "sample")
    learned, evaluated = learned_from(run.experiment, run.split), run.split.part(part)
    if most is not None:
        evaluated = stratified_sample(evaluated, affordable(most, images.shape), images.labels, draw)
    fitted = stratified_sample(learned, affordable(fitted_to, images.shape), images.labels, draw)
    _, errors = computed_codes(trained, images.pixels, evaluated, computed)
    require_unchanged(images.pixels)  # or it would be kept
    linear = linear_errors(images.pixels, fitted, evaluated, trained.code_size)
    return BesidePCA(
        part=part,
        images=len(evaluated),
        learned=len(learned),
        code_size=trained.code_size,
        mse=float(np.mean(errors, dtype=np.float64)),
        pca=linear.pca,
        mean_image=linear.mean_image,
        linear_path=getattr(run.experiment.model, "linear_path", None),
        patience=stopped_by(run),
        refine=trained.model.refine,
    )
