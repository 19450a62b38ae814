"""Formats of image files that Pillow does not read: HEIC, DICOM and FITS, each by a library of its own.

The library is an extra of the package, whose name the error gives.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from ...core.errors import DataError
from ...core.wording import counted

MOST_CHANNELS: Final = 32
HEADER: Final = 132  # bytes that tell these formats apart
_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def read_by(start: bytes) -> Callable[[bytes | Path], np.ndarray] | None:
    """What reads a file that begins so: its values, height x width x channels; None: Pillow, perhaps."""
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS and b"avif" not in start[8:64]:
        return heic
    if start[128:132] == b"DICM":
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


def heic(content: bytes | Path) -> np.ndarray:
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
    values = np.array(image)
    result: np.ndarray = values[:, :, None] if values.ndim == 2 else values
    return result


def dicom(content: bytes | Path) -> np.ndarray:
    """The first frame of a DICOM file; RescaleSlope and RescaleIntercept are applied, MONOCHROME1 inverted.

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
            data = pydicom.dcmread(source)
            values = pixel_array(data, index=0)
    except Exception as error:  # what its plugins raise is documented nowhere
        raise DataError(
            "a DICOM file must hold pixels that pydicom can read",
            found=f"DICOM that pydicom cannot read: {str(error).partition(chr(10))[0]}",
            do="check that it is an image, and that pydicom has a plug-in for its compression",
        ) from error
    if str(data.get("PhotometricInterpretation", "")) == "MONOCHROME1":
        top = 2 ** int(data.get("BitsStored", 8)) - 1
        values = (top if values.dtype.kind == "u" else -1) - values.astype(np.int32)
    slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
    if (slope, intercept) != (1, 0):
        values = values * slope + intercept
    result: np.ndarray = values[:, :, None] if values.ndim == 2 else values
    return result


def fits(content: bytes | Path) -> np.ndarray:
    """The first image of a FITS file; of three axes the first are channels, if they are no more than 32.

    Raises:
        DataError: astropy is missing, or there is no image of two or three axes.
    """
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
    for values in found:
        if values is not None and values.ndim == 2:
            return np.asarray(values)[:, :, None]
        if values is not None and values.ndim == 3 and len(values) <= MOST_CHANNELS:
            return np.asarray(values).transpose(1, 2, 0)
    raise DataError(
        "a FITS file must hold an image of two axes, or of three whose last in FITS are channels",
        found=f"FITS with {counted(sum(one is not None for one in found))} of other axes",
        do="save its planes as an array, .npy",
    )
