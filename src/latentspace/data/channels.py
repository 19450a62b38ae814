"""Channels: grey from colour and colour from grey, for sets of images.

Grey is Pillow's L, 0.299 R + 0.587 G + 0.114 B. Colour from grey has the grey in each of its three channels.
"""

from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import UInt8

from ..core.errors import DataError
from ..core.wording import counted, option
from .imageset import ImageSet
from .memmap import allocate, blocks

MOST_CHANNELS: Final = 32
# Of any number of channels, where one function takes and returns two of them.
AnyChannels: TypeAlias = UInt8[np.ndarray, "_images _channels height width"]
_WEIGHTS: Final = (19595, 38470, 7471)  # of 65,536: what Pillow's convert("L") adds up


def to_grey(pixels: AnyChannels) -> AnyChannels:
    """Images x 3 x height x width -> images x 1 x height x width, as Pillow's `convert("L")`."""
    grey: AnyChannels = allocate((len(pixels), 1, *pixels.shape[2:]), pixels)
    for here in blocks(pixels):
        layers = [pixels[here, channel].astype(np.uint32) * _WEIGHTS[channel] for channel in range(3)]
        grey[here, 0] = (layers[0] + layers[1] + layers[2] + 0x8000) >> 16
    return grey


def repeated(pixels: AnyChannels) -> AnyChannels:
    """Images x 1 x height x width -> images x 3 x height x width, equal in each channel."""
    colour: AnyChannels = allocate((len(pixels), 3, *pixels.shape[2:]), pixels)
    for here in blocks(pixels):
        colour[here] = pixels[here]
    return colour


def is_grey(pixels: AnyChannels) -> bool:
    """Whether every pixel of images in colour has R = G = B."""
    return all(bool((pixels[here, :1] == pixels[here, 1:]).all()) for here in blocks(pixels))


def with_channels(images: ImageSet, channels: int) -> ImageSet:
    """`images` in grey (1) or in colour (3), and what was done in their record.

    Raises:
        DataError: images of another number of channels than these two.
    """
    if images.channels == channels:
        return images
    if {images.channels, channels} != {1, 3}:
        raise DataError(
            f"{option('channels', channels)} takes grey images, or colour images of 3 channels",
            found=f"images of {counted(images.channels, 'channel')}",
            do="leave it out: all channels are kept. Or choose channels in an array of your own, .npy",
        )
    if channels == 1:
        return _changed(images, to_grey(images.pixels), "made grey: 0.299 R + 0.587 G + 0.114 B")
    return _changed(images, repeated(images.pixels), "repeated from grey over three channels")


def first_channel(images: ImageSet) -> ImageSet:
    """Images in colour whose pixels are grey (see `is_grey`), with one channel."""
    grey = images.pixels[:, :1]
    pixels = grey if images.on_disk else np.ascontiguousarray(grey)
    return _changed(images, pixels, "in colour with R = G = B everywhere, taken as grey")


def _changed(images: ImageSet, pixels: AnyChannels, words: str) -> ImageSet:
    note = f"{counted(len(images))} {words}"
    record = images.record.model_copy(update={"conversions": (*images.record.conversions, note)})
    return replace(images, pixels=pixels, record=record, comparable=False)


def drawn_channels(pixels: AnyChannels) -> AnyChannels:
    """The one or three channels that are drawn as grey, or as red, green and blue.

    Of more, the first, the middle and the last; two are red and green.
    """
    channels = pixels.shape[1]
    if channels == 2:
        return np.concatenate([pixels, np.zeros_like(pixels[:, :1])], axis=1)
    return pixels if channels <= 3 else pixels[:, [0, channels // 2, channels - 1]]
