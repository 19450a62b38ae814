"""How many images a step learns from, where nobody said: the report's number, fewer where a set is small."""

import logging

from ..core.wording import counted, option
from ..experiment.config import Experiment

logger = logging.getLogger(__name__)


def settle_batch_size(experiment: Experiment, images: int) -> Experiment:
    """The batch fitted to so many images to learn from, said where it is not the report's."""
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
