"""What has been read or rendered once is kept as one file, and checked by its hash when it is read back."""

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np

from ..core.atomic_files import make_folder, replacing, sweep
from ..core.errors import DataError, OutputError
from .cleaning import CleaningRecord
from .imageset import ImageSet
from .memmap import Residence, stays_on_disk
from .readers.arrays import read_arrays

logger = logging.getLogger(__name__)

VERSION = 3  # of the format; another one is read anew, not converted


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
        hashes = (images.content_hash, _columns_hash(images))
    except (DataError, OSError, ValueError, KeyError, TypeError) as error:
        reason = error.found if isinstance(error, DataError) else error
        logger.warning("the cache file %s is damaged (%s) and is made anew", path, reason)
        return None
    if hashes != (about["content_hash"], about["columns_hash"]):
        logger.warning("the cache file %s does not match its hash and is made anew", path)
        return None
    return images


def keep(path: Path, images: ImageSet, resident: Residence = "always") -> ImageSet:
    """Write `images` to `path`; a cache that cannot be written costs time only, and is said.

    Returns:
        The same images; from the file where they should stay on disk.
    """
    about = {
        "version": VERSION,
        "source": images.source,
        "class_names": images.class_names,
        "record": images.record.to_json(),
        "comparable": images.comparable,
        "content_hash": images.content_hash,
        "columns_hash": _columns_hash(images),
    }
    arrays = {"images": images.pixels, "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}
    for name in ("labels", "groups", "parts"):
        if (column := getattr(images, name)) is not None:
            arrays[name] = column
    if images.files is not None:
        arrays["files"] = np.frombuffer("\0".join(images.names).encode(), dtype=np.uint8)
    try:
        make_folder(path.parent)
        sweep(path.parent)
        with replacing(path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OutputError as error:
        logger.warning("%s could not be kept in the cache: %s", images.source, error.found)
        return images
    if images.on_disk or not stays_on_disk(images.pixels.nbytes, resident):
        return images
    return recall(path, resident) or images


def _columns_hash(images: ImageSet) -> str:
    """SHA-256 of the groups and parts, which the hash of the content leaves out."""
    digest = hashlib.sha256()
    for column in (images.groups, images.parts):
        digest.update(b"-" if column is None else column.astype("<i8").tobytes())
    return digest.hexdigest()
