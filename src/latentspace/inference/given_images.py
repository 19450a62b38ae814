"""Images as a run's Python methods are given them -> a set of the run's shape, with names."""

from dataclasses import replace
from pathlib import Path

from ..core.errors import DataError, RunError
from ..core.wording import counted
from ..data.given import Given
from ..data.imageset import ImageSet
from .conform import conforming, like_own, load_alike
from .run_images import asked_images, own_or_other
from .trained import TrainedAutoencoder


def image_set(trained: TrainedAutoencoder, images: Given) -> ImageSet:
    """`images`, as `TrainedAutoencoder.encode` takes them, brought to the run's channels and size.

    Raises:
        DataError: images of another type, size or number of channels.
    """
    if isinstance(images, str | Path):
        images = load_alike(like_own(trained.experiment.data, trained.data, str(images)), trained.data)
    pixels = conforming(images, trained.data, trained.experiment.data.fit)
    if not isinstance(images, ImageSet):
        return ImageSet(pixels, "images given in Python")
    return images if pixels is images.pixels else replace(images, pixels=pixels)


def own_or_given(trained: TrainedAutoencoder, images: Given | None) -> ImageSet:
    """The given images as a set, or the run's own images if none are given; the rest as `image_set`.

    Raises:
        RunError: none are given, and the run's own are not at hand.
    """
    if images is not None:
        return image_set(trained, images)
    if trained.run is None:
        raise RunError("images are needed", found="none, and a network without its run", do="give images")
    return own_or_other(trained.run, None)[0]


def one_image(trained: TrainedAutoencoder, image: Given) -> ImageSet:
    """One image, given as an array, a picture, or the path of a file. Raises: DataError: none, or several."""
    if isinstance(image, str | Path) and trained.run is not None:
        found = asked_images(trained.run, str(image), {})[0]
    else:
        found = image_set(trained, image)
    if len(found) != 1:
        raise DataError("one image is wanted", found=counted(len(found)), do="give one, as images[:1]")
    return found
