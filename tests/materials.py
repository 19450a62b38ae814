"""What several tests are made of."""

import numpy as np

from latentspace.data.imageset import ImageSet


def make_images(
    count: int = 120,
    side: int = 16,
    classes: int = 3,
    channels: int = 1,
    seed: int = 0,
    by_class: bool = False,
) -> ImageSet:
    """Bars at class-dependent places with noise: easy to learn, no two alike.

    Args:
        by_class: class after class, as folders and archives are read, and not in turns.
    """
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    if by_class:
        labels.sort()
    pixels = draw.integers(0, 40, size=(count, channels, side, side), dtype=np.uint8)
    for number, label in enumerate(labels):
        at = (1 + label * side // classes + int(draw.integers(0, 3))) % side
        pixels[number, :, :, at : at + 3] = 255 - pixels[number, :, :, at : at + 3]
    names = tuple("ABCDEFGHIJ"[:classes])
    return ImageSet(pixels, "bars made for a test", labels.astype(np.int64), names)
