"""Whether a run is worth the same on its validation and on its test part, as far as chance allows."""

from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Float

from ..core.devices import AUTO
from ..core.randomness import numpy_generator
from ..core.types import Int64Array
from ..core.wording import counted, option
from ..data.imageset import ImageSet
from ..data.sampling import affordable, stratified_sample
from ..inference.trained import TrainedAutoencoder, TrainedClassifier
from ..runs.directory import Run
from ..training.components import required_labels
from .cache import Measurement, kept

MOST: Final = 1000  # images of each part, at most
RARE: Final = 0.001  # probability below which a difference is not chance
LARGE: Final = 0.1  # share of the error by which the parts must differ, to be worth a word


class Agreement(Measurement):
    """The mean of a measure over images of each part.

    Args:
        measure: the mean squared error per pixel, or the share of wrong answers: lower is better.
        chance: the probability of means so far apart if both parts held images of one kind (Welch's t-test).
        images: of each part, how many were looked at.
        groups: of images that stay together, in all parts; 0 where there are none.
    """

    measure: str
    validation: float
    test: float
    chance: float
    images: tuple[int, int]
    groups: int

    @property
    def differ(self) -> bool:
        return self.chance < RARE and abs(self.test - self.validation) > LARGE * self.validation

    @property
    def words(self) -> str:
        """What that means, and what can be done."""
        few = (
            f"Images of one group stay in one part, and there are {counted(self.groups, 'group')}: "
            "which lies where decides the score."
            if self.groups
            else "Something sets the parts apart, such as images that come in series."
        )
        return (
            f"The {self.measure} is {self.validation:.4g} on validation images and {self.test:.4g} on test "
            f"images, further apart than chance explains for {self.images[0]:,} and "
            f"{counted(self.images[1])}. "
            f"{few} Neither number alone says what other images will bring: evaluate on several splits "
            f"({option('split.seed', 1)} and so on), or use images of more kinds."
        )


def agreement_of(run: Run, images: ImageSet, device: str = AUTO, most: int = MOST) -> Agreement:
    """Evaluate a sample of each part, image by image.

    Raises:
        RunError: the run has not ended.
    """
    measure, found = _measured(run, images, device, most)
    return compared(measure, *found, groups=0 if images.groups is None else len(np.unique(images.groups)))


def agreement_with_test(run: Run, images: ImageSet, device: str = AUTO) -> Agreement | None:
    """`agreement_of`, kept in the run; None where the validation part was learned from."""
    if run.experiment.training.fit != "train":
        return None
    return kept(run, "agreement", Agreement, partial(agreement_of, run, images, device))


def compared(
    measure: str,
    validation: Float[np.ndarray, " _some"],
    test: Float[np.ndarray, " _others"],
    groups: int = 0,
) -> Agreement:
    """The means of two samples of `measure`, a value per image each, and the p of Welch's t-test.

    Args:
        groups: how many groups the images have; 0: none.
    """
    from scipy.stats import ttest_ind

    if min(len(validation), len(test)) < 2 or max(np.ptp(validation), np.ptp(test)) == 0:
        chance = 1.0
    else:
        chance = float(ttest_ind(validation, test, equal_var=False).pvalue)
    sizes = len(validation), len(test)
    return Agreement(
        measure=measure,
        validation=float(validation.mean()),
        test=float(test.mean()),
        chance=chance,
        images=sizes,
        groups=groups,
    )


def _measured(
    run: Run, images: ImageSet, device: str, most: int
) -> tuple[str, tuple[Float[np.ndarray, " _some"], Float[np.ndarray, " _others"]]]:
    """What is measured, and its value for each image of a sample of the validation and of the test part."""
    draw = numpy_generator(run.experiment.seed, "sample")
    validation, test = (
        stratified_sample(run.split.part(name), affordable(most, images.shape), images.labels, draw)
        for name in ("validation", "test")
    )
    if run.experiment.task.needs_encoder:
        head = TrainedClassifier.load(run, device)

        def wrong(chosen: Int64Array) -> Float[np.ndarray, " _images"]:
            part = images.subset(chosen)
            answers = head.probabilities(part).argmax(axis=1)
            return np.asarray(answers != required_labels(part), dtype=np.float64)

        return "share of wrong answers", (wrong(validation), wrong(test))
    trained = TrainedAutoencoder.load(run, device)

    def errors(chosen: Int64Array) -> Float[np.ndarray, " _images"]:
        pixels = images.pixels[chosen]
        missed = trained.reconstruct(pixels) - pixels / np.float32(255)
        return np.asarray((missed**2).mean(axis=(1, 2, 3)), dtype=np.float64)

    return "mean squared error per pixel", (errors(validation), errors(test))
