"""What has been read or rendered once is kept as one file, and checked when it is read back.

Beside the images it holds their hashes, which take longer to work out than reading. Every array has a CRC-32,
which is compared at each reading, whether it is read or mapped. The header, under a CRC-32 too, says which
ones they must be, and the name of the file. So a damaged file, one of another set, and one with an array of
another set are made anew. Images of notMNIST, whose results are compared with published ones, are checked
by their SHA-256 as well.
"""

import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Final, overload

import numpy as np

from ..core.atomic_files import make_folder, replacing, sweep
from ..core.errors import DataError, OutputError
from .cleaning import CleaningRecord
from .imageset import ImageSet
from .memmap import Residence, stays_on_disk
from .readers.arrays import read_arrays

logger = logging.getLogger(__name__)

VERSION: Final = 4  # of the format; another one is read anew, not converted
_ABOUT: Final = "about"


class _Joined(Sequence[str]):
    """Names as they are kept, with a zero byte between two; they are parted once one is asked for."""

    def __init__(self, content: np.ndarray) -> None:
        self._content = content

    @cached_property
    def _parts(self) -> list[str]:
        return self._content.tobytes().decode().split("\0")

    def __len__(self) -> int:
        return int(np.count_nonzero(self._content == 0)) + 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        return self._parts[place]


def recall(path: Path, resident: Residence = "always") -> ImageSet | None:
    """The images kept at `path`; None where there are none, or they are damaged, which is said.

    Args:
        resident: whether the pixels are read or mapped.
    """
    if not path.exists():
        return None
    try:
        arrays = read_arrays(path, resident)
        about = json.loads(arrays["about"].tobytes())
        if about["version"] != VERSION:
            logger.info("the cache file %s has another format and is made anew", path)
            return None
        fits = about["name"] == path.name and about["checksums"] == _checksums(path)
        images = ImageSet(
            arrays["images"],
            source=about["source"],
            labels=arrays.get("labels"),
            class_names=tuple(about["class_names"]),
            groups=arrays.get("groups"),
            parts=arrays.get("parts"),
            record=CleaningRecord.from_json(about["record"]),
            comparable=about["comparable"],
            files=_Joined(arrays["files"]) if "files" in arrays else None,
        )
        fits = fits and (not images.comparable or images.content_hash == about["content_hash"])
        images.remember(about["content_hash"], arrays["image_hashes"])
    except (DataError, OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        reason = error.found if isinstance(error, DataError) else error
        logger.warning("the cache file %s is damaged (%s) and is made anew", path, reason)
        return None
    if not fits:
        logger.warning("the cache file %s is not what was kept there and is made anew", path)
        return None
    return images


def keep(path: Path, images: ImageSet, resident: Residence = "always") -> ImageSet:
    """Write `images` to `path`; a cache that cannot be written costs time only, and is said.

    Returns:
        The same images; from the file where they should stay on disk.
    """
    arrays = {"images": images.pixels, "image_hashes": images.image_hashes}
    for name in ("labels", "groups", "parts"):
        if (column := getattr(images, name)) is not None:
            arrays[name] = column
    if images.files is not None:
        arrays["files"] = np.frombuffer("\0".join(images.names).encode(), dtype=np.uint8)
    about = {
        "version": VERSION,
        "name": path.name,
        "source": images.source,
        "class_names": images.class_names,
        "record": images.record.to_json(),
        "comparable": images.comparable,
        "content_hash": images.content_hash,
    }
    try:
        make_folder(path.parent)
        sweep(path.parent)
        with replacing(path) as file:
            _write(file, arrays, about)
    except OutputError as error:
        logger.warning("%s could not be kept in the cache: %s", images.source, error.found)
        return images
    if images.on_disk or not stays_on_disk(images.pixels.nbytes, resident):
        return images
    return recall(path, resident) or images


def _write(file: IO[bytes], arrays: Mapping[str, np.ndarray], about: Mapping[str, object]) -> None:
    """An .npz; the array `about`, the last, holds `about` and the checksums of those before it."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            _write_array(archive, name, array)
        header = json.dumps({**about, "checksums": _checksums_of(archive)}).encode()
        _write_array(archive, _ABOUT, np.frombuffer(header, dtype=np.uint8))


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def _checksums(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        return _checksums_of(archive)


def _checksums_of(archive: zipfile.ZipFile) -> dict[str, int]:
    """The CRC-32 of each array but `about`: that of what it holds, or reading it is an error."""
    return {one.filename: one.CRC for one in archive.infolist() if one.filename != f"{_ABOUT}.npy"}
