"""One image file -> bytes, by rules that do not depend on the machine.

- Grey stays grey: Pillow's modes 1, L, LA, I;16, I, F, and P where every pixel's colour is grey. All else
  becomes RGB. A set is grey if all of its images are, else grey images are repeated over three channels.
- Alpha is laid over black. A palette is resolved.
- 16 bits become 8 by `round(value * 255 / 65535)`; whole numbers of 32 bits are taken as 16-bit ones, floats
  as 0..1, and both are unreadable outside that range.
- CMYK, YCbCr, Lab and HSV become RGB as Pillow converts them, without colour profiles.
- Of an animation, or a file of several pages, the first frame counts.
- The EXIF orientation is applied.
- Pillow's limit against decompression bombs holds, and its warning counts as unreadable.
- EPS is not read, as Pillow runs Ghostscript for it.

Resizing averages areas where both sides shrink, and is bilinear (antialiased) elsewhere. It does not keep
the ratio of the sides.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from ...core.errors import DataError
from ...core.types import Pixels
from ...core.wording import counted, option
from ..imageset import ImageSet
from ..memmap import allocate, require_unchanged

Raster: TypeAlias = UInt8[np.ndarray, "height width channels"]

# What Pillow's plugins raise on files that are not what they say they are.
_BROKEN = (
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
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_ORIENTATION = 0x0112
_NEVER_TURNED = ("PNG", "BMP", "GIF", "PPM")


@dataclass(frozen=True)
class DecodedImage:
    """One image, grey (1 channel) or RGB, and what was done to it ("with alpha laid over black")."""

    pixels: Raster
    conversions: tuple[str, ...] = ()


@contextmanager
def decoding() -> Iterator[None]:
    """Within the block, Pillow's bomb warning is an error and its other warnings are silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    common = ("PNG", "JPEG")  # tried first, as the order is the order of the attempts
    return common + tuple(sorted(set(Image.OPEN) - {*common, "EPS"}))


def decode(content: bytes | Path) -> DecodedImage:
    """The image in a file, or in the bytes of one; to be called within `decoding()`.

    Raises:
        DataError: it is no image that Pillow reads, or a damaged one.
    """
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(source, formats=_formats()) as image:
            frames = getattr(image, "is_animated", False)
            image.load()
            decoded = raster_of(image)
        notes = ("cut to the first frame",) if frames else ()
        return replace(decoded, conversions=notes + decoded.conversions) if notes else decoded
    except _BROKEN as error:
        raise DataError(
            "an image must be a file that Pillow can read",
            found=_reason(error),
            do=f"remove or mend the file, or leave out {option('strict', True)} to skip such files",
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def raster_of(image: Image.Image) -> DecodedImage:
    """An image that Pillow has opened, by the rules above."""
    info = image.info
    if image.format in _NEVER_TURNED and not any(
        "exif" in str(key).lower() or "xmp" in str(key) for key in info
    ):
        return _converted(image)
    if image.getexif().get(_ORIENTATION, 1) not in range(2, 9):
        return _converted(image)
    decoded = _converted(ImageOps.exif_transpose(image))
    return replace(decoded, conversions=(*decoded.conversions, "turned as their EXIF data say"))


def _converted(image: Image.Image) -> DecodedImage:
    mode = image.mode
    if mode == "L" and "transparency" not in image.info:
        return DecodedImage(np.asarray(image)[:, :, None])
    if mode.startswith("I") or mode == "F":
        return _deep(np.asarray(image), mode)
    if mode in ("P", "PA"):
        return _resolved(image)
    if mode in ("LA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return _over_black(np.asarray(image.convert("LA" if mode[0] in "1L" and mode != "LAB" else "RGBA")))
    if mode == "1":
        return DecodedImage(np.asarray(image.convert("L"))[:, :, None])
    notes = () if mode in ("RGB", "RGBX") else (f"converted from {mode} to RGB",)
    return DecodedImage(np.asarray(image.convert("RGB")), notes)


def _deep(values: np.ndarray, mode: str) -> DecodedImage:
    top = 1 if mode == "F" else 65535
    if not (values.min() >= 0 and values.max() <= top):  # NaN fails both
        raise ValueError(f"pixels of mode {mode} outside 0..{top}")
    if mode == "F":
        return DecodedImage(
            np.rint(values * 255).astype(np.uint8)[:, :, None], ("rounded from floats to 8 bits",)
        )
    scaled = (values.astype(np.uint32) * 255 + 32767) // 65535
    return DecodedImage(scaled.astype(np.uint8)[:, :, None], ("scaled from 16 bits to 8",))


def _resolved(image: Image.Image) -> DecodedImage:
    colours = np.asarray(image.convert("RGBA"))
    grey = bool((colours[:, :, :1] == colours[:, :, 1:3]).all())
    return _over_black(colours[:, :, [0, 3]] if grey else colours)


def _over_black(layers: UInt8[np.ndarray, "height width layers"]) -> DecodedImage:
    """The last layer is alpha; it is no conversion where everything is opaque."""
    colour, alpha = layers[:, :, :-1], layers[:, :, -1:]
    if (alpha == 255).all():
        return DecodedImage(colour)
    return DecodedImage(flattened(colour, alpha), ("with alpha laid over black",))


def flattened(colour: UInt8[np.ndarray, "..."], alpha: UInt8[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """`round(colour * alpha / 255)`: what shows in front of black; `alpha` is broadcast."""
    mixed: UInt8[np.ndarray, ...] = ((colour.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return mixed


def resized(raster: Raster, size: tuple[int, int]) -> UInt8[np.ndarray, "new_height new_width channels"]:
    """`raster` brought to `size` (height, width)."""
    height, width = size
    if raster.shape[:2] == size:
        return raster
    shrinks = height <= raster.shape[0] and width <= raster.shape[1]
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    image = Image.fromarray(np.ascontiguousarray(raster[:, :, 0] if raster.shape[2] == 1 else raster))
    result = np.asarray(image.resize((width, height), method))
    return result[:, :, None] if result.ndim == 2 else result


def resized_set(images: ImageSet, size: tuple[int, int]) -> ImageSet:
    """`images` brought to `size` (height, width); images that change are no longer comparable."""
    if images.size == size:
        return images
    pixels: Pixels = allocate((len(images), images.channels, *size), images.pixels)
    for number, one in enumerate(images.pixels):
        require_unchanged(images.pixels)
        pixels[number] = resized(one.transpose(1, 2, 0), size).transpose(2, 0, 1)
    note = f"{counted(len(images))} resized from {format_size(images.size)} to {format_size(size)}"
    record = images.record.model_copy(update={"conversions": (*images.record.conversions, note)})
    return replace(images, pixels=pixels, record=record, comparable=False)


def format_size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
