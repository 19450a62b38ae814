"""Decoded images -> picture files: a PNG for each, and a film. A file is whole or not there."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.atomic_files import make_folder, write_bytes
from ..core.errors import DataError
from ..core.types import ImageArray

FILM_SIDE = 256  # pixels that the longer side of a film fills, in whole steps of the image's own pixels
FRAME_TIME = 80  # milliseconds


def numbered(count: int) -> tuple[str, ...]:
    """0001.png, 0002.png, ...: as many digits as are needed, four at least."""
    digits = max(4, len(str(count)))
    return tuple(f"{number:0{digits}}.png" for number in range(1, count + 1))


def write_pictures(images: ImageArray, names: Sequence[str], folder: Path) -> None:
    """Each image as a PNG at its own size; a name may hold folders, which are made.

    Args:
        images: in [0, 1]; what lies outside is cut there.

    Raises:
        OutputError: a file cannot be written.
    """
    for picture, name in zip(_pictures(images), names, strict=True):
        buffer = BytesIO()
        picture.save(buffer, "PNG")
        make_folder((folder / name).parent)
        write_bytes(folder / name, buffer.getvalue())


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


def _pictures(images: ImageArray) -> list[Image.Image]:
    """One channel is grey, three are colour, any other number stand side by side in grey.

    Raises:
        DataError: a pixel that is not a number.
    """
    if not np.isfinite(images).all():
        raise DataError(
            "the pixels of an image must be numbers",
            found="pixels that are infinite or not a number",
            do="look at the training's loss: the network may have diverged",
        )
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    if pixels.shape[1] == 3:
        return [Image.fromarray(np.ascontiguousarray(one.transpose(1, 2, 0))) for one in pixels]
    return [Image.fromarray(np.concatenate(list(one), axis=1)) for one in pixels]
