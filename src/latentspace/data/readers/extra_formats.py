"""Formats of image files that Pillow does not read: HEIC, DICOM and FITS, each by a library of its own.

The library is an extra of the package, whose name the error gives.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted

MOST_CHANNELS: Final = 32
HEADER: Final = 132  # bytes that tell these formats apart
_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
# How DICOM begins that lacks its preamble: the number of a group, and the type of an element.
_GROUPS: Final = (b"\x02\0", b"\x08\0")
_TYPES: Final = (b"CS", b"UI", b"UL", b"DA", b"OB", b"SH")
FIRST_FRAME: Final = "cut to the first frame"
_NO_VALUE: Final = "with pixels without a value (NaN, or declared so), which became as dark as the darkest"


class Values(NamedTuple):
    """What a file holds, height x width x channels, and what was done to it."""

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def read_by(start: bytes) -> Callable[[bytes | Path], Values] | None:
    """What reads a file that begins so; None: Pillow, perhaps."""
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS and b"avif" not in start[8:64]:
        return heic
    if start[128:132] == b"DICM" or (start[:2] in _GROUPS and start[3:4] == b"\0" and start[4:6] in _TYPES):
        return dicom
    if start.startswith(b"SIMPLE  ="):
        return fits
    return None


@contextmanager
def _with(name: str, library: str, extra: str) -> Iterator[None]:
    """Within the block a library is imported, and reads. Raises: DataError: it cannot."""
    do = f"pip install 'latentspace[{extra}]', or convert the files to PNG"
    try:
        yield
    except ImportError as error:
        raise DataError(
            f"to read {name} files, {library} must be installed",
            found=f"{name}: to be read with {library} (pip install 'latentspace[{extra}]')",
            do=do,
        ) from error


def heic(content: bytes | Path) -> Values:
    """The primary image of a HEIC file, upright; RGB, or RGBA where it has alpha.

    Raises:
        DataError: pillow-heif is missing, or cannot read it.
    """
    with _with("HEIC", "pillow-heif", "heic"):
        from pillow_heif import open_heif
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content
        image = open_heif(source, convert_hdr_to_8bit=True).to_pillow()
    except (ValueError, RuntimeError, OSError, EOFError, SyntaxError) as error:
        raise DataError(
            "a HEIC file must be one that pillow-heif can read",
            found=f"HEIC that pillow-heif cannot read: {error}",
            do="convert it to PNG or JPEG, or copy it again",
        ) from error
    return Values(_with_channels(np.array(image)))


def dicom(content: bytes | Path) -> Values:
    """The first frame of a DICOM file; raises as `dicom_frames`."""
    return next(dicom_frames(content))


def dicom_frames(content: bytes | Path) -> Iterator[Values]:
    """The frames of a DICOM file.

    RescaleSlope and RescaleIntercept are applied, MONOCHROME1 is inverted, a palette resolved; padding
    becomes as dark as the darkest pixel.

    Raises:
        DataError: pydicom is missing, or a library for the compression of these pixels.
    """
    import warnings

    with _with("DICOM", "pydicom", "dicom"):
        import pydicom
        from pydicom.pixels.utils import pixel_array
    source = BytesIO(content) if isinstance(content, bytes) else content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(source, force=True)  # a file may lack the preamble
            count = max(1, int(data.get("NumberOfFrames") or 1))
            note = (FIRST_FRAME,) if count > 1 else ()
            for number in range(count):
                found = _of_dicom(data, pixel_array(data, index=number))
                yield found._replace(notes=note + found.notes)
    except Exception as error:  # what its plugins raise is documented nowhere
        raise DataError(
            "a DICOM file must hold pixels that pydicom can read",
            found=f"DICOM that pydicom cannot read: {str(error).partition(chr(10))[0]}",
            do="check that it is an image, and that pydicom has a plug-in for its compression",
        ) from error


def _of_dicom(data: Any, values: np.ndarray) -> Values:
    """The values that a frame stands for; whole numbers stay whole."""
    kind = str(data.get("PhotometricInterpretation", ""))
    if kind == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(values, data)
        return Values((colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 else colours)
    padding = _padding(data, values)
    if kind == "MONOCHROME1":
        top = 2 ** int(data.get("BitsStored", 8)) - 1
        unsigned = values.dtype.kind == "u"
        values = np.asarray(top if unsigned else -1, values.dtype) - (
            values.clip(max=top) if unsigned else values
        )
    slope, intercept = float(data.get("RescaleSlope") or 1), float(data.get("RescaleIntercept") or 0)
    if (slope, intercept) != (1, 0):
        whole = slope.is_integer() and intercept.is_integer() and values.dtype.kind in "iu"
        scaled = values * slope + intercept
        fits_in = whole and np.abs(scaled).max() < 2**31
        values = scaled.astype(np.int32) if fits_in else scaled
    return _without_padding(_with_channels(values), padding)


def _padding(data: Any, values: np.ndarray) -> np.ndarray | None:
    """Where a frame declares to have no picture."""
    value = data.get("PixelPaddingValue")
    if value is None or values.ndim != 2:
        return None
    limit = data.get("PixelPaddingRangeLimit", value)
    low, high = sorted((int(value), int(limit)))
    return np.asarray((values >= low) & (values <= high))


def _without_padding(values: np.ndarray, padding: np.ndarray | None) -> Values:
    if padding is None or not padding.any() or padding.all():
        return Values(values)
    return Values(np.where(padding[:, :, None], values[~padding].min(), values), (_NO_VALUE,))


def _with_channels(values: np.ndarray) -> np.ndarray:
    return values[:, :, None] if values.ndim == 2 else values


def fits(content: bytes | Path) -> Values:
    """The first image of a FITS file; of three axes the first are channels, if they are no more than 32.

    Raises:
        DataError: astropy is missing, or there is no image of two or three axes.
    """
    found = _images_of_fits(content)
    for values in found:
        if values.ndim == 2 or (values.ndim == 3 and len(values) <= MOST_CHANNELS):
            return _defined(_with_channels(values if values.ndim == 2 else values.transpose(1, 2, 0)))
    if any(values.ndim == 3 for values in found):
        values = next(values for values in found if values.ndim == 3)
        return (first := _defined(values[0][:, :, None]))._replace(notes=(FIRST_FRAME, *first.notes))
    raise _no_image_in_fits(found)


def fits_planes(content: bytes | Path) -> Iterator[Values]:
    """The planes of the first image of a FITS file; raises as `fits`."""
    found = _images_of_fits(content)
    values = next((one for one in found if one.ndim in (2, 3)), None)
    if values is None:
        raise _no_image_in_fits(found)
    for plane in values if values.ndim == 3 else values[None]:
        yield _defined(plane[:, :, None])


def _images_of_fits(content: bytes | Path) -> list[np.ndarray]:
    """The images of a FITS file, without leading axes of length 1."""
    import warnings

    with _with("FITS", "astropy", "fits"):
        from astropy.io import fits as library
    source = BytesIO(content) if isinstance(content, bytes) else content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with library.open(source, memmap=False) as units:
                found = [unit.data for unit in units if getattr(unit, "is_image", False)]
    except Exception as error:  # damaged headers raise many kinds
        raise DataError(
            "a FITS file must be whole",
            found=f"FITS that astropy cannot read: {str(error).partition(chr(10))[0]}",
            do="fetch or make it again",
        ) from error
    images = [np.asarray(one) for one in found if one is not None]
    for place, values in enumerate(images):
        while values.ndim > 2 and len(values) == 1:
            values = values[0]  # noqa: PLW2901
        images[place] = values
    return images


def _no_image_in_fits(found: list[np.ndarray]) -> DataError:
    return DataError(
        "a FITS file must hold an image of two axes, or of three",
        found=f"FITS with {counted(len(found))} of other axes" if found else "FITS with tables alone",
        do="save its planes as an array, .npy",
    )


def _defined(values: np.ndarray) -> Values:
    """The values; those that are NaN, which FITS has for pixels without one, become the smallest."""
    if values.dtype.kind != "f":
        return Values(values)
    missing = np.isnan(values)
    if not missing.any() or missing.all():
        return Values(values)
    return Values(np.where(missing, values[~missing].min(), values), (_NO_VALUE,))
