"""How long a training is: its batch size and its epochs, fitted to few images or to minutes."""

import logging

from ..core.config import MANY
from ..core.wording import counted, option
from ..experiment.config import Experiment
from .estimate import Sizes, seconds_an_epoch

logger = logging.getLogger(__name__)

LONGEST = 60  # seconds that a speed is measured for
MARGIN = 0.05  # of the minutes, for a machine that grows slower and for what is written


def settle_steps(experiment: Experiment, images: int) -> Experiment:
    """The settings with batches and epochs fitted to so many training images; a change is logged."""
    before, training = experiment.training, experiment.training.fitted(images)
    if training.batch_size != before.batch_size:
        logger.info(
            "batches of %d, for %s to learn from (%s for the usual size)",
            training.batch_size,
            counted(images),
            option("training.batch_size", before.batch_size),
        )
    if training.epochs != before.epochs and training.minutes is None:  # by which they are settled later
        logger.info(
            "%s instead of %d, for at least %s with %s (%s for the usual number)",
            counted(training.epochs, "epoch"),
            before.epochs,
            counted(before.min_steps, "step"),
            counted(images),
            option("training.epochs", before.epochs),
        )
    return experiment.model_copy(update={"training": training})


def settle_minutes(experiment: Experiment, sizes: Sizes) -> Experiment:
    """The settings with as many epochs as fit the plan's minutes here; those of others stay.

    The speed is that of a network of the same plan, trained on noise for a moment.
    """
    minutes = experiment.training.minutes
    if minutes is None:
        return experiment
    most = min(3 * minutes, LONGEST)  # a twentieth of the time
    seconds, spent = seconds_an_epoch(experiment, sizes, most=most)
    epochs = min(max(1, int((60 * minutes * (1 - MARGIN) - spent) / seconds)), MANY)
    if seconds > 60 * minutes:
        logger.warning(
            "one epoch takes about %.0f seconds here, more than %g min: one is trained", seconds, minutes
        )
    else:
        logger.info("%s in %g min (%.3g seconds each here)", counted(epochs, "epoch"), minutes, seconds)
    return experiment.with_training(epochs=epochs)
