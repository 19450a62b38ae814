"""16 bits in colour or beside alpha, of which Pillow gives the upper 8: PNG and PPM, read whole.

Pillow unpacks big-endian values by taking every other byte. Where it is told that they are little-endian, it
takes the other ones, so that a PNG is decoded twice and both bytes of each value are had. Grey beside alpha
has four bytes a pixel, and is unpacked as if these were RGBA. PPM is not compressed.
"""

from typing import Any, Final

import numpy as np
from jaxtyping import UInt16
from PIL import Image

_LOWER: Final = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


def is_deep_png(image: Image.Image) -> bool:
    """Whether an image that was opened and not loaded is a PNG of 16 bits in colour."""
    tiles: Any = getattr(image, "tile", ())
    return image.format == "PNG" and len(tiles) == 1 and tiles[0].args in _LOWER


def is_deep_grey_png(image: Image.Image) -> bool:
    """Whether an image that was opened and not loaded is a PNG of 16 bits in grey, beside alpha."""
    tiles: Any = getattr(image, "tile", ())
    return image.format == "PNG" and len(tiles) == 1 and tiles[0].args == "LA;16B"


def with_all_bytes(image: Image.Image) -> Image.Image:
    """The same image, to be loaded with the upper and lower byte of grey and of alpha as four channels."""
    image._mode = "RGBA"
    image.tile = [one._replace(args="RGBA") for one in image.tile]  # type: ignore[attr-defined]
    return image


def with_lower_bytes(image: Image.Image) -> Image.Image:
    """The same image, to be loaded with the lower byte of each value."""
    image.tile = [one._replace(args=_LOWER[one.args]) for one in image.tile]  # type: ignore[attr-defined]
    return image


def is_deep_ppm(image: Image.Image) -> bool:
    """Whether an image that was opened and not loaded is a binary PPM in colour of more than 8 bits."""
    tiles: Any = getattr(image, "tile", ())
    return (
        image.format == "PPM"
        and image.mode == "RGB"
        and len(tiles) == 1
        and tiles[0].codec_name == "ppm"
        and tiles[0].args[1] > 255
    )


def read_ppm(image: Image.Image) -> UInt16[np.ndarray, "height width 3"]:
    """Its values, stretched so that the highest that the header allows is 65,535.

    Raises:
        OSError: the file is cut short.
    """
    (tile,) = image.tile  # type: ignore[attr-defined]
    file, (width, height), highest = image.fp, image.size, tile.args[1]  # type: ignore[attr-defined]
    file.seek(tile.offset)
    content = file.read(2 * 3 * width * height)
    if len(content) < 2 * 3 * width * height:
        raise OSError("image file is truncated")
    values = np.frombuffer(content, dtype=">u2").reshape(height, width, 3)
    scaled = np.rint(np.minimum(values, highest) * (65535 / highest))
    return np.asarray(scaled, dtype=np.uint16)
