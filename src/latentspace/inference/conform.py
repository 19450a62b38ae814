"""Images brought to the channels and the size that a run was trained on, and what is said of it."""

import logging

import numpy as np

from ..core.errors import DataError
from ..core.logs import unsaid
from ..core.types import Int64Array, Pixels
from ..core.wording import brief, colour_of, option
from ..data.channels import first_channel, is_grey, with_channels
from ..data.config import DataConfig
from ..data.fitting import Fit, fitted_set, format_size
from ..data.given import Given, given_pixels, given_set
from ..data.imageset import ImageSet
from ..data.levels import kept_levels
from ..data.sources import load_images
from ..data.summary import DataRecord

logger = logging.getLogger(__name__)


def conformed(images: ImageSet, shape: tuple[int, int, int], fit: Fit) -> ImageSet:
    """`images` as a network for `shape` (channels, height, width) takes them.

    Grey ones are repeated over three channels; of colour with R = G = B everywhere one channel is taken;
    another size is fitted. What was done goes to the log and to the record.

    Raises:
        DataError: colour for a run in grey, or another number of channels.
    """
    found = images
    if (images.channels, shape[0]) == (1, 3):
        found = with_channels(images, 3)
    elif (images.channels, shape[0]) == (3, 1) and is_grey(images.pixels):
        found = first_channel(images)
    elif images.channels != shape[0]:
        grey = (images.channels, shape[0]) == (3, 1)
        raise DataError(
            f"images must be as the run's: {'x'.join(map(str, shape))} (channels, height, width)",
            found=f"{colour_of(images.channels)}: shape {images.pixels.shape}",
            do=f"make them grey: {option('channels', 1)}, or train a run on images like these"
            if grey
            else "give images of as many channels, or train a run on images like these",
        )
    found = fitted_set(found, (shape[1], shape[2]), fit)
    for note in found.record.conversions[len(images.record.conversions) :]:
        logger.info("%s, as the run's images are", note)
    return found


def conforming(images: Given, data: DataRecord, fit: Fit = "crop") -> Pixels:
    """The pixels of `images`, as a network trained on `data` takes them; an array must have the run's size.

    Raises:
        DataError: images of another type, size or number of channels.
    """
    pixels = given_pixels(images, data.shape)
    if pixels is not None:
        return pixels
    known = given_set(images)
    if not isinstance(images, ImageSet) and known.size != data.shape[1:]:
        raise DataError(
            f"images must be as the run's: {'x'.join(map(str, data.shape))} (channels, height, width)",
            found=brief(images) if isinstance(images, np.ndarray) else f"shape {known.pixels.shape}",
            do=f"bring them to that, for example with {option('resize', data.shape[1:])}",
        )
    return conformed(known, data.shape, fit).pixels


def chosen_rows(chosen: Given | None, count: int) -> Int64Array:
    """The rows of `count` images that are chosen, in that order; None: all.

    Raises:
        DataError: they are no whole numbers, or there is no such image.
    """
    if chosen is None:
        return np.arange(count)
    rows = np.asarray(chosen)
    whole = rows.ndim == 1 and (rows.dtype.kind in "iu" or not rows.size)
    if not whole or (rows.size and not 0 <= rows.min() <= rows.max() < count):
        raise DataError(
            f"images are chosen by their numbers, from 0 to {count - 1}",
            found=f"{rows.dtype} from {rows.min()} to {rows.max()}" if whole else brief(chosen),
            do="of a mask, give np.flatnonzero(mask)"
            if rows.dtype == bool
            else "give whole numbers of that range",
        )
    return rows.astype(np.int64)


def load_alike(config: DataConfig, known: DataRecord) -> ImageSet:
    """`load_images` for a run: images of several sizes come from their own to the run's, in one step.

    Left to themselves they are brought to a size that suits them all, which may be smaller than the run's.

    Raises:
        DataError: images that cannot be found, read, or brought together.
    """
    images = load_images(config)
    several = images.record.sizes and not config.resize and not config.tiles and not config.strict
    if not several or images.size == known.shape[1:]:
        return images
    logger.info("read again, to bring each from its own size to %s, the run's", format_size(known.shape[1:]))
    with unsaid():  # what was said of them once
        return load_images(config.model_copy(update={"resize": known.shape[1:]}))


def as_read(data: DataConfig, own: DataConfig, known: DataRecord) -> DataConfig:
    """`data` with the levels, the fit and the channels of a run's own, where it has none of its own.

    Args:
        own: how the run's images were read.
        known: what is kept of them: the levels that they gave.
    """
    given = data.model_fields_set
    same = {name: getattr(own, name) for name in ("fit", "channels") if name not in given}
    if "levels" not in given:
        same["levels"] = kept_levels(own.levels, known.cleaning.levels)
    return data.model_copy(update=same)


def like_own(own: DataConfig, known: DataRecord, spec: str) -> DataConfig:
    """How other images than the run's own are read, as these were."""
    levels = kept_levels(own.levels, known.cleaning.levels)
    return own.model_copy(update={"spec": spec, "levels": levels})
