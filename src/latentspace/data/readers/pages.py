"""One file of several pages, frames or planes, named itself: each of them is an image, `stack.tif#0`.

That is a TIFF, an animation (GIF, APNG, WebP), a DICOM file of several frames or a FITS cube. Among other
images, in a folder or an archive, such a file is one image, its first page.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from PIL import Image, ImageSequence, UnidentifiedImageError

from ...core.errors import DataError
from ...core.wording import option
from ..config import DataConfig
from ..imageset import ImageSet
from .collect import collect
from .decode import BROKEN, DecodedImage, decode, decoding, inflated_image, of_values, raster_of
from .extra_formats import FIRST_FRAME, HEADER, dicom, dicom_frames, fits, fits_planes, read_by
from .filenames import is_named_as_image, readable
from .foreign import foreign
from .listed import Again
from .reading import File
from .streams import is_compressed
from .tiff import STARTS, is_cut, read_tiff

_STARTS: Final = (*STARTS, b"GIF8", b"\x89PNG")
_FORMATS: Final = ("TIFF", "GIF", "PNG", "WEBP", "AVIF")  # with pages that are images of one kind


def has_pages(path: Path, start: bytes) -> bool:
    """Whether the file at `path`, which begins so, may have several: an image, as far as is known."""
    known = read_by(start) is not None or start.startswith(_STARTS)
    return known or (is_named_as_image(path.name) and foreign(path.name, start) is None)


def read_pages(path: Path, config: DataConfig) -> ImageSet:
    """The pages of the file at `path`, or the tiles of one large image.

    Raises:
        DataError: one image alone, or a damaged file.
    """
    with decoding():
        several = len(list(islice(pages(path), 2))) > 1
    if not several and not config.tiles:
        raise DataError(
            f"{path} must hold several images",
            found="one image",
            do=f"name the folder that the image lies in, or cut it into images ({option('tiles', '32x32')})",
        )

    def files() -> Iterator[File]:
        for number, image in enumerate(pages(path)):
            yield File(f"{path.name}#{number}" if several else path.name, image)

    found = collect(Again(files), origin=str(path), config=config, ordered=True)
    return found.images("a file of several pages" if several else "an image in tiles")


def pages(path: Path) -> Iterator[DecodedImage]:
    """The pages of a file, as `decode` reads the first; to be called within `decoding()`.

    Raises:
        DataError: no image, or a damaged one.
    """
    with readable(path), path.open("rb") as file:
        start = file.read(HEADER)
    content = inflated_image(path) if is_compressed(start) else path
    library = read_by(content[:HEADER] if isinstance(content, bytes) else start)
    if library in (dicom, fits):
        for values in (dicom_frames if library is dicom else fits_planes)(content):
            yield _whole(of_values(values, alpha=False))
        return
    frames, cut = 1, False
    try:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        with suppress(UnidentifiedImageError), Image.open(source, formats=_FORMATS) as image:
            frames, cut = getattr(image, "n_frames", 1), is_cut(image)
            if frames > 1 and not cut:
                yield from (_frame(one, image.format) for one in ImageSequence.Iterator(image))
                return
    except BROKEN as error:
        raise DataError(
            f"{path} must be a whole file, with all of its pages",
            found=str(error) or type(error).__name__,
            do="copy or save it again: it is damaged, or not all of it is there",
        ) from error
    yield _whole(decode(content))
    for number in range(1, frames if cut else 1):
        yield _whole(of_values(read_tiff(content, number), alpha=False))


def _frame(image: Image.Image, kind: str | None) -> DecodedImage:
    """A page; of a GIF, whose later frames Pillow makes colour, grey where no pixel has colour."""
    found = raster_of(image)
    if kind == "GIF" and (found.pixels[:, :, :1] == found.pixels[:, :, 1:]).all():
        return replace(found, pixels=found.pixels[:, :, :1])
    return found


def _whole(image: DecodedImage) -> DecodedImage:
    """The image without a word of pages that are not read."""
    return replace(image, conversions=tuple(one for one in image.conversions if one != FIRST_FRAME))
