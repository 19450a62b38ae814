"""A few images of a set as one small picture."""

from base64 import b64encode
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

from ..core.types import Pixels
from .channels import drawn_channels

COUNT: Final = 20
COLUMNS: Final = 10
WIDTH: Final = 640  # of the picture, at most


def sheet(pixels: Pixels) -> Image.Image:
    """Up to `COUNT` images from all over the set, `COLUMNS` in a row, on white."""
    chosen = np.unique(np.linspace(0, len(pixels) - 1, min(COUNT, len(pixels))).round().astype(np.int64))
    images = drawn_channels(np.asarray(pixels[chosen]))
    count, channels, height, width = images.shape
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    whole = np.full((rows * columns, channels, height, width), 255, dtype=np.uint8)
    whole[:count] = images
    placed = whole.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    area = placed.reshape(rows * height, columns * width, channels)
    picture = Image.fromarray(area[..., 0] if channels == 1 else area)
    scale = WIDTH / picture.width
    if scale >= 2:
        return picture.resize(
            (picture.width * int(scale), picture.height * int(scale)), Image.Resampling.NEAREST
        )
    if scale < 1:
        picture.thumbnail((WIDTH, WIDTH))
    return picture


def as_html(pixels: Pixels) -> str:
    """The sheet as an image of HTML that needs no file."""
    buffer = BytesIO()
    sheet(pixels).save(buffer, "PNG")
    return (
        f'<img alt="some of the images" src="data:image/png;base64,{b64encode(buffer.getvalue()).decode()}">'
    )
