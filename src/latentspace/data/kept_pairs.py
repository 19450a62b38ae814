"""The near copies of a large set are kept in the cache, by the hash of its content.

They lie beside the images that are kept there, and count among them.
"""

import hashlib
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from ..core.atomic_files import make_folder, replacing, sweep
from ..core.errors import OutputError
from .near_copies import RULES, Pairs
from .paths import cache_directory, keeps_images

logger = logging.getLogger(__name__)

WORTH: Final = 5_000  # images; fewer are compared in less than a second
_DIGEST: Final = 32  # bytes at the start of a file: the hash of the rest


def kept_near_copies(content_hash: str, count: int, find: Callable[[], Pairs]) -> Pairs:
    """The pairs among `count` images with this hash: from the cache, or else from `find`, and then kept."""
    if count < WORTH or not keeps_images():
        return find()
    place = cache_directory() / "images" / f"{content_hash[:32]}-{RULES}.pairs"
    pairs = _recall(place)
    if pairs is None:
        pairs = find()
        _keep(place, pairs)
    return pairs


def _recall(place: Path) -> Pairs | None:
    """What is kept at `place`; None where there is nothing, or it is damaged, which is said."""
    try:
        content = place.read_bytes()
    except OSError:  # there is none, or it may not be read
        return None
    if content[:_DIGEST] != _hash(content[_DIGEST:]):
        logger.warning("the cache file %s is damaged and is made anew", place)
        return None
    with suppress(OSError):
        os.utime(place)  # what was asked for last stays longest
    first, second = np.frombuffer(content[_DIGEST:], dtype="<i8").astype(np.int64).reshape(2, -1)
    logger.info("near copies: as they were found before, from the cache")
    return Pairs(first, second)


def _keep(place: Path, pairs: Pairs) -> None:
    """A cache that cannot be written costs time alone."""
    content = np.stack([pairs.first, pairs.second]).astype("<i8").tobytes()
    try:
        make_folder(place.parent)
        sweep(place.parent)
        with replacing(place) as file:
            file.write(_hash(content) + content)
    except OutputError as error:
        logger.warning("the near copies could not be kept in the cache: %s", error.found)


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()
