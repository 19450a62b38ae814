"""Small pictures of all images on sheets, many to a sheet, as the page draws them."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

import numpy as np
from PIL import Image

from ..core.types import Pixels
from ..inference.image_files import picture, raster

SIDE: Final = 64  # pixels that the longer side of a small picture has at most
SHEET: Final = 1024  # pixels that the longer side of a sheet has at most


@dataclass(frozen=True)
class Sprites:
    """How the small pictures lie on their sheets: row by row, in the order of the images.

    Args:
        width, height: of one picture.
        across, down: pictures of a full sheet.
        count: pictures of all sheets.
    """

    width: int
    height: int
    across: int
    down: int
    count: int

    @classmethod
    def of(cls, pixels: Pixels) -> "Sprites":
        """The layout for these images."""
        height, width = pixels.shape[2:]
        shrunk = max(1.0, max(height, width) / SIDE)
        width, height = max(1, round(width / shrunk)), max(1, round(height / shrunk))
        return cls(width, height, SHEET // width, SHEET // height, len(pixels))

    @property
    def sheets(self) -> int:
        return -(-self.count // (self.across * self.down))

    def sheet(self, pixels: Pixels, number: int, kind: Literal["PNG", "WEBP"] = "PNG") -> bytes:
        """One sheet as a picture file: PNG is exact; WEBP is much smaller, and nearly so."""
        full = self.across * self.down
        drawn = raster(np.asarray(pixels[number * full : (number + 1) * full]))
        rows = -(-len(drawn) // self.across)
        mode = "L" if drawn.shape[3] == 1 else "RGB"
        sheet = Image.new(mode, (self.across * self.width, rows * self.height))
        for place, one in enumerate(drawn):
            small = picture(one)
            if small.size != (self.width, self.height):
                small = small.resize((self.width, self.height), Image.Resampling.BOX)
            sheet.paste(small, (place % self.across * self.width, place // self.across * self.height))
        buffer = BytesIO()
        if kind == "WEBP":
            sheet.save(buffer, "WEBP", quality=70, method=4)
        else:
            sheet.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()
