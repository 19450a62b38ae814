"""`training.augment = auto` becomes what suits the images and the length of the training."""

import logging
from typing import Final

import numpy as np

from ..core.errors import ConfigurationError
from ..core.randomness import numpy_generator
from ..core.wording import counted, option
from ..data.imageset import ImageSet
from ..experiment.config import Experiment

logger = logging.getLogger(__name__)

ENOUGH_EPOCHS: Final = 10  # after 17 epochs moved images had paid, after 7 they made no difference
LOOKED_AT: Final = 200  # images
FLAT: Final = 0.25  # share of neighbouring pixels that are equal: less in photographs, more in drawings


def settle_augmentation(experiment: Experiment, images: ImageSet) -> Experiment:
    """The plan with an augmentation that is said, and recorded, in the place of `auto`.

    Raises:
        ConfigurationError: images are to be moved for a classifier whose codes are made once.
    """
    plan = experiment.training
    if plan.augment == "none":
        return experiment
    if experiment.objective.learns_from_codes:
        if plan.augment == "auto":
            return experiment.with_training(augment="none")
        raise ConfigurationError(
            "a classifier that learns from codes has them made once, of images as they are",
            found=f"training.augment = {plan.augment}",
            do=f"leave {option('training.augment')} out, or encode anew in every epoch "
            f"({option('objective.method', 'frozen-encoder')})",
        )
    if plan.augment != "auto":
        return experiment
    chosen, reason = _chosen(plan.epochs, images)
    off = "" if chosen == "none" else f"; {option('training.augment', 'none')} for none"
    logger.info("augmentation %s (%s%s)", chosen, reason, off)
    return experiment.with_training(augment=chosen)


def _chosen(epochs: int, images: ImageSet) -> tuple[str, str]:
    if epochs < ENOUGH_EPOCHS:
        return "none", f"{counted(epochs, 'epoch')}: it pays from {ENOUGH_EPOCHS} on"
    if not can_be_mirrored(images):
        return "affine", "small turns, shifts and changes of size"
    return "mirror", "colour photographs, which are mirrored too"


def can_be_mirrored(images: ImageSet) -> bool:
    """Whether left and right may be exchanged: colour photographs that show no letters or digits.

    A photograph is told from a drawing by its noise: few of its pixels are equal to their right neighbour.
    Letters and digits are told by class names of one character; without class names nothing is known of them.
    """
    if images.shape[0] != 3 or any(len(one) < 2 for one in images.class_names):
        return False
    count = min(LOOKED_AT, len(images))
    chosen = numpy_generator(0, "augmentation").choice(len(images), count, replace=False)
    pixels = np.asarray(images.pixels)[np.sort(chosen)]
    equal = (pixels[..., 1:] == pixels[..., :-1]).all(axis=1)
    return bool(equal.mean() < FLAT)
