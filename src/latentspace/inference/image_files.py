"""Images -> the bytes that are drawn, and picture files: a PNG for each, and a film."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ..core.atomic_files import make_folder, write_bytes
from ..core.errors import DataError
from ..core.types import ImageArray
from ..core.wording import counted, numerals
from ..data.channels import drawn_channels

# Bytes, or floats of which 0 is black and 1 is white.
Drawable: TypeAlias = (
    UInt8[np.ndarray, "images channels height width"] | Float[np.ndarray, "images channels height width"]
)
Raster: TypeAlias = UInt8[np.ndarray, "images raster_height raster_width bands"]

FILM_SIDE = 256  # pixels that the longer side of a film fills, in whole steps of the image's own pixels
FRAME_TIME = 80  # milliseconds


def numbered(count: int) -> tuple[str, ...]:
    """0001.png, 0002.png, ...: as many digits as are needed, four at least."""
    return tuple(f"{number}.png" for number in numerals(count, 4))


def write_pictures(images: ImageArray, names: Sequence[str], folder: Path) -> None:
    """Each image as a PNG at its own size; a name may hold folders, which are made.

    Args:
        images: in [0, 1]; what lies outside is cut there.

    Raises:
        OutputError: a file cannot be written.
    """
    for picture, name in zip(_pictures(images), names, strict=True):
        make_folder((folder / name).parent)
        write_bytes(folder / name, png(picture))


def png(picture: Image.Image) -> bytes:
    """The content of its file."""
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def write_film(images: ImageArray, path: Path) -> None:
    """A GIF that repeats for ever, `FRAME_TIME` a frame; pixels become squares of whole size.

    Raises:
        OutputError: the file cannot be written.
    """
    height, width = images.shape[2:]
    scale = max(1, FILM_SIDE // max(height, width))
    frames = [
        one.resize((one.width * scale, one.height * scale), Image.Resampling.NEAREST)
        for one in _pictures(images)
    ]
    buffer = BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=FRAME_TIME, loop=0, optimize=False
    )
    write_bytes(path, buffer.getvalue())


def there_and_back(images: ImageArray) -> ImageArray:
    """1, 2, 3 -> 1, 2, 3, 2: a film of it repeats without a jump."""
    return np.concatenate([images, images[-2:0:-1]])


def raster(images: Drawable) -> Raster:
    """The bytes to draw: one channel is grey, three are colour.

    Of other numbers of channels, those of `drawn_channels`.

    Floats are cut at 0 and 1, where a noisy image may lie outside.

    Raises:
        DataError: no image, values that are neither bytes nor floats, or a pixel that is not a number.
    """
    if len(images) == 0:
        raise DataError(
            "a picture of images needs at least one image",
            found=f"an array of shape {images.shape}",
            do="give it images",
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise DataError(
            "images to draw are bytes from 0 to 255, or floats from 0 to 1",
            found=f"an array of {images.dtype}",
            do="convert it to uint8, or divide it by its largest possible value",
        )
    if images.dtype != np.uint8:
        if not np.isfinite(images).all():
            raise DataError(
                "the pixels of an image must be numbers",
                found=f"{counted(int((~np.isfinite(images)).sum()), 'value')} infinite or not a number",
                do="look at the training's loss: the network may have diverged",
            )
        images = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    images = drawn_channels(images)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def picture(pixels: UInt8[np.ndarray, "height width bands"]) -> Image.Image:
    """One image of a raster, grey or in colour."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _pictures(images: ImageArray) -> list[Image.Image]:
    return [picture(one) for one in raster(images)]
