"""Images as a run's Python methods are given them -> a set of the run's shape, with names."""

from dataclasses import replace
from pathlib import Path

from ..data.given import Given
from ..data.imageset import ImageSet
from ..data.sources import load_images
from .conform import conforming
from .trained import TrainedAutoencoder


def image_set(trained: TrainedAutoencoder, images: Given) -> ImageSet:
    """`images`, as `TrainedAutoencoder.encode` takes them, brought to the run's channels and size.

    Raises:
        DataError: images of another type, size or number of channels.
    """
    if isinstance(images, str | Path):
        images = load_images(trained.experiment.data.model_copy(update={"spec": str(images)}))
    pixels = conforming(images, trained.data, trained.experiment.data.fit)
    if not isinstance(images, ImageSet):
        return ImageSet(pixels, "images given in Python")
    return images if pixels is images.pixels else replace(images, pixels=pixels)
