"""One image file -> its values, by rules that do not depend on the machine.

- Grey stays grey: Pillow's modes 1, L, LA, I;16, I, F, and P where every pixel's colour is grey. All else
  becomes RGB. A set is grey if all of its images are, else grey images are repeated over three channels.
- Bytes stay bytes. Deeper grey keeps its type and its values: `levels` brings them to bytes, by all of a set.
- Alpha is kept beside the colour: `transparency` chooses what it is laid over, by all of a set.
- A palette is resolved.
- CMYK, YCbCr, Lab and HSV become RGB as Pillow converts them, without colour profiles.
- Of an animation, or a file of several pages, the first frame counts (`pages` reads all of one file).
- The EXIF orientation is applied.
- A compressed file of one image (.fits.gz, .bmp.xz) is inflated.
- Pillow's limit against decompression bombs holds, and its warning counts as unreadable.
- 16 bits in colour are read whole from TIFF (`tiff`), PNG and PPM (`deep_colour`), and from PNG those of grey
  beside alpha; of other formats the upper 8 count.
- EPS is not read, as Pillow runs Ghostscript for it. HEIC, DICOM and FITS are read by their libraries.
"""

import logging
import lzma
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from ...core.errors import DataError
from ...core.wording import option
from ..fitting import Raster, Size
from .deep_colour import (
    is_deep_grey_png,
    is_deep_png,
    is_deep_ppm,
    read_ppm,
    with_all_bytes,
    with_lower_bytes,
)
from .extra_formats import FIRST_FRAME, HEADER, Values, heic, read_by
from .jpeg import common_jpeg
from .streams import inflating, is_compressed
from .tiff import STARTS, is_cut, read_tiff

# What Pillow's plugins raise on files that are not what they say they are.
BROKEN: Final = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
UNKNOWN: Final = "not an image that can be read"
INFLATED: Final = 64 * 2**20  # bytes of an image that is compressed as a file
_ORIENTATION = 0x0112
_ON_ITS_SIDE: Final = 5  # orientations from here on swap height and width
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TURNED: Final = "turned as their EXIF data say"
_TURNED_BY_INFO = ("PNG", "JPEG", "BMP", "GIF", "PPM")  # if at all, by EXIF or XMP data in `info`


@dataclass(frozen=True)
class DecodedImage:
    """One image, bytes or deeper values, and what was done to it ("turned as their EXIF data say").

    `alpha` is its opacity, height x width x 1, None where it is opaque everywhere.
    """

    pixels: Raster
    conversions: tuple[str, ...] = ()
    alpha: UInt8[np.ndarray, "_height _width 1"] | None = None

    @property
    def size(self) -> Size:
        return self.pixels.shape[0], self.pixels.shape[1]


@contextmanager
def decoding() -> Iterator[None]:
    """Within the block, Pillow's bomb warning is an error, its other warnings and its log are silent."""
    log = logging.getLogger("PIL")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        log.setLevel(level)


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    common = ("PNG", "JPEG")  # tried first, as the order is the order of the attempts
    return common + tuple(sorted(set(Image.OPEN) - {*common, "EPS", "FITS"}))


def decode(content: bytes | Path) -> DecodedImage:
    """The image in a file, or in the bytes of one; to be called within `decoding()`.

    Raises:
        DataError: it is no image that Pillow reads, or a damaged one.
    """
    if isinstance(content, bytes) and (common := common_jpeg(content)) is not None:
        return DecodedImage(common)
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(source, formats=_formats()) as image:
            if is_cut(image):
                return _of_tiff(content)
            frames = getattr(image, "is_animated", False)
            if is_deep_ppm(image):
                return _deep(read_ppm(image))
            deep, deep_grey = is_deep_png(image), is_deep_grey_png(image)
            cut = () if deep or deep_grey else _cut_to_bytes(image)
            decoded = _deep_grey(with_all_bytes(image)) if deep_grey else _loaded(image)
        if deep:
            with Image.open(source, formats=("PNG",)) as image:
                lower = raster_of(with_lower_bytes(image)).pixels
            decoded = replace(decoded, pixels=256 * decoded.pixels.astype(np.uint16) + lower)
        notes = (FIRST_FRAME,) * bool(frames) + cut
        return replace(decoded, conversions=notes + decoded.conversions) if notes else decoded
    except BROKEN as error:
        return _by_others(content, error)


def _by_others(content: bytes | Path, error: BaseException) -> DecodedImage:
    """What Pillow could not read. Raises: DataError: nothing else can, either."""
    start = _start(content)
    if is_compressed(start) and not is_compressed(inflated := inflated_image(content)):
        return decode(inflated)
    if start.startswith(STARTS) and isinstance(error, UnidentifiedImageError):
        return _of_tiff(content)
    library = read_by(start)
    if library:
        return of_values(library(content), alpha=library is heic)
    raise DataError(
        "an image must be a file that Pillow can read",
        found=_reason(error),
        do=f"remove or mend the file, or leave out {option('strict', True)} to skip such files",
    ) from error


def inflated_image(content: bytes | Path) -> bytes:
    """What is in a compressed file of an image, `m31.fits.gz`.

    Raises:
        DataError: a damaged file, or more than the limit.
    """
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content.open("rb")
        with source as file, inflating(file) as stream:
            inflated = bytes(stream.read(INFLATED + 1))
    except BROKEN as error:
        raise DataError(
            "a compressed image must be whole", found=_reason(error), do="fetch or make it again"
        ) from error
    if len(inflated) > INFLATED:
        raise DataError(
            f"a compressed image must hold at most {INFLATED // 2**20} MiB",
            found="more",
            do="inflate it yourself if you trust it",
        )
    return inflated


def _loaded(image: Image.Image) -> DecodedImage:
    turned = image.format == "TIFF" and _orientation(image) > 1  # which Pillow turns as it loads them
    image.load()
    decoded = raster_of(image)
    return replace(decoded, conversions=(*decoded.conversions, TURNED)) if turned else decoded


def _deep_grey(image: Image.Image) -> DecodedImage:
    """Grey of 16 bits beside alpha, of which the upper 8 are kept, from an image of their four bytes."""
    orientation = _orientation(image)
    layers = np.asarray(image.transpose(_TURNS[orientation]) if orientation > 1 else image)
    grey, alpha = 256 * layers[:, :, :1].astype(np.uint16) + layers[:, :, 1:2], layers[:, :, 2:3]
    notes = (TURNED,) if orientation > 1 else ()
    return DecodedImage(grey, notes, alpha=None if (alpha == 255).all() else alpha)


def _of_tiff(content: bytes | Path) -> DecodedImage:
    """A TIFF with values that Pillow does not read. Raises: DataError: it cannot be read, or has NaN."""
    return of_values(read_tiff(content), alpha=False)


def _cut_to_bytes(image: Image.Image) -> tuple[str, ...]:
    """A sentence where Pillow reads the upper 8 of 16 bits, as it does in colour and beside alpha."""
    tiles = getattr(image, "tile", ())
    if image.mode in ("RGB", "RGBA", "RGBX", "LA", "CMYK") and any(";16" in str(one) for one in tiles):
        return ("of 16 bits in colour or beside alpha, of which the upper 8 are read",)
    return ()


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return UNKNOWN
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def raster_of(image: Image.Image) -> DecodedImage:
    """An image that Pillow has opened, by the rules above."""
    info = image.info
    if image.format in _TURNED_BY_INFO and not any(
        "exif" in str(key).lower() or "xmp" in str(key) for key in info
    ):
        return _converted(image)
    orientation = _orientation(image)
    if orientation == 1:
        return _converted(image)
    decoded = _converted(image.transpose(_TURNS[orientation]))
    return replace(decoded, conversions=(*decoded.conversions, TURNED))


def of_values(found: Values, *, alpha: bool) -> DecodedImage:
    """What another library has read. Raises: DataError: values that are no finite numbers."""
    if alpha and found.pixels.shape[2] in (2, 4):
        return replace(_layered(found.pixels), conversions=found.notes)
    try:
        return replace(_deep(found.pixels), conversions=found.notes)
    except ValueError as error:
        raise DataError(
            "the pixels of an image must be finite numbers",
            found=str(error),
            do="replace them, or remove the file",
        ) from error


def _start(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content[:HEADER]
    try:
        with content.open("rb") as file:
            return file.read(HEADER)
    except OSError:
        return b""  # which is said when it is opened to be decoded


def _orientation(image: Image.Image) -> int:
    """The tag of EXIF that says how an image is turned: 1 is upright, and so is one whose EXIF is damaged."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except BROKEN:
        return 1
    return found if isinstance(found, int) and found in _TURNS else 1


def _converted(image: Image.Image) -> DecodedImage:
    mode = image.mode
    if mode == "L" and "transparency" not in image.info:
        return DecodedImage(np.asarray(image)[:, :, None])
    if mode.startswith("I") or mode == "F":
        return _deep(np.asarray(image), image.info.get("transparency"))
    if mode in ("P", "PA"):
        return _resolved(image)
    if mode in ("LA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return _layered(np.asarray(image.convert("LA" if mode[0] in "1L" and mode != "LAB" else "RGBA")))
    if mode == "1":
        return DecodedImage(np.asarray(image.convert("L"))[:, :, None])
    notes = () if mode in ("RGB", "RGBX") else (f"converted from {mode} to RGB",)
    return DecodedImage(np.asarray(image.convert("RGB")), notes)


def _deep(values: np.ndarray, transparent: object = None) -> DecodedImage:
    """Values of more than 8 bits; `transparent` is the one that a PNG declares to be so."""
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if not np.isfinite(values).all():
        raise ValueError("pixels that are NaN or infinite")
    raster = values if values.ndim == 3 else values[:, :, None]
    if not isinstance(transparent, int) or not (values == transparent).any():
        return DecodedImage(raster)
    return DecodedImage(raster, alpha=np.where(raster == transparent, 0, 255).astype(np.uint8))


def _resolved(image: Image.Image) -> DecodedImage:
    """The colours of a palette; layer by layer: a few bytes can name an image of many million pixels."""
    colours = image.convert("RGBA")
    red, green, blue, alpha = map(np.asarray, colours.split())
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    raster = red[:, :, None] if grey else np.asarray(colours)[:, :, :3]
    return DecodedImage(raster, alpha=None if (alpha == 255).all() else alpha[:, :, None])


def _layered(layers: UInt8[np.ndarray, "height width layers"]) -> DecodedImage:
    """The last layer is alpha, which is left out where everything is opaque."""
    colour, alpha = layers[:, :, :-1], layers[:, :, -1:]
    return DecodedImage(colour) if (alpha == 255).all() else DecodedImage(colour, alpha=alpha)


def size_of(content: bytes | Path) -> Size | None:
    """The size of an image that its header shows to be bytes and opaque; None: it must be decoded.

    To be called within `decoding()`.
    """
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(source, formats=_formats()) as image:
            if image.mode not in ("1", "L", "RGB", "CMYK", "YCbCr") or "transparency" in image.info:
                return None
            if is_deep_png(image) or is_deep_ppm(image):
                return None
            width, height = image.size
            return (width, height) if _orientation(image) >= _ON_ITS_SIDE else (height, width)
    except BROKEN:
        return None
