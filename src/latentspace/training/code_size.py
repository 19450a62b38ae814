"""The default code size: in proportion to the side of the images, of a network that has such a rule."""

import logging

from ..core.wording import colour_of, counted, option
from ..experiment.config import Experiment
from ..models.autoencoder import EncoderDecoderConfig

logger = logging.getLogger(__name__)


def settle_code_size(experiment: Experiment, shape: tuple[int, int, int]) -> Experiment:
    """The settings with a code size for images of this shape, where none was named; that is logged."""
    model = experiment.model.fitted(shape)
    if model is experiment.model:
        return experiment
    if isinstance(model, EncoderDecoderConfig):
        channels, height, width = shape
        logger.info(
            "codes of %s, for images of %dx%d, %s (%s for another number)",
            counted(model.code_size, "number"),
            height,
            width,
            colour_of(channels),
            option("code_size"),
        )
    return experiment.model_copy(update={"model": model})
