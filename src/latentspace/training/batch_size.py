"""The default batch size: the task's, smaller for a small set."""

import logging

from ..core.wording import counted, option
from ..experiment.config import Experiment

logger = logging.getLogger(__name__)


def settle_batch_size(experiment: Experiment, images: int) -> Experiment:
    """The settings with a batch size fitted to so many training images; a change is logged."""
    training = experiment.training.fitted(images)
    size = training.batch_size
    if size != experiment.training.batch_size:
        logger.info(
            "batches of %d, for %s to learn from (%s for others)",
            size,
            counted(images),
            option("training.batch_size", experiment.training.batch_size),
        )
    return experiment.model_copy(update={"training": training})
