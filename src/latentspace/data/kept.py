"""Images that were read from a folder or an archive are kept in the cache, until a file of it changes.

They are found again by the path, by the names, sizes and times of the files, and by the settings of reading.
All of them together take at most `MOST` bytes, the latest always excepted: those that were not asked for
for the longest time go first. A set is kept if the disk then still has as much free as it takes.
"""

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final

import PIL

from .cache import keep, recall
from .config import DataConfig
from .imageset import ImageSet
from .paths import cache_directory, keeps_images

logger = logging.getLogger(__name__)

MOST: Final = 10 * 2**30  # bytes
RULES: Final = 6  # of decoding and conversion; another number after each change of what comes out
_SETTINGS: Final = {"resize", "fit", "levels", "tiles", "label"}  # others act on what was read


def kept_images(
    path: Path,
    identity: object,
    config: DataConfig,
    read: Callable[[], ImageSet],
    *,
    worth: bool,
    again: Callable[[], object],
) -> ImageSet:
    """The images of `path`, from the cache or else from `read`, and then kept.

    Args:
        identity: of the files: another one where one of them has changed.
        worth: whether they are enough to be kept.
        again: the identity now; images of files that changed meanwhile are not kept.

    Raises:
        DataError: what `read` raises.
    """
    if not worth or not keeps_images():
        return read()
    settings = config.model_dump(mode="json", include=_SETTINGS)
    about = repr((RULES, PIL.__version__, str(path.resolve()), identity, sorted(settings.items())))
    place = _folder() / f"{hashlib.blake2b(about.encode(errors='replace'), digest_size=16).hexdigest()}.npz"
    images = recall(place, config.resident)
    if images is not None:
        _asked_for(place)
        logger.info("%s: as it was read before, from the cache", path)
        return images
    images = read()
    if images.comparable:  # notMNIST, which is kept by its name
        return images
    after = _beside(again)  # it waits for the disk mostly: hashes, which `keep` needs, take as long
    _ = images.content_hash, images.image_hashes
    if after.result() != identity:
        logger.warning("%s changed while it was read: read it again when nothing writes it any more", path)
    elif _fits(images.pixels.nbytes):
        images = keep(place, images, config.resident)
        _bound(place)
    return images


def _beside(call: Callable[[], object]) -> "Future[object]":
    """What comes of a call in a thread, which Ctrl-C does not wait for."""
    future: Future[object] = Future()

    def answer() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    Thread(target=answer, daemon=True).start()
    return future


def _folder() -> Path:
    return cache_directory() / "images"


def _fits(size: int) -> bool:
    with suppress(OSError):
        there = next(one for one in (_folder(), *_folder().parents) if one.exists())
        return shutil.disk_usage(there).free >= 2 * size
    return False


def _asked_for(place: Path) -> None:
    """Set the time of access alone: of a mapped file another time of change would say that it has changed."""
    with suppress(OSError):
        os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))


def _bound(latest: Path) -> None:
    """Remove those that were asked for longest ago, until the rest is small enough."""
    with suppress(OSError):  # removed by another process meanwhile
        ages = sorted((one.stat().st_atime_ns, one.stat().st_size, one) for one in _folder().glob("[!.]*"))
        left = sum(size for _, size, _ in ages)
        for _, size, one in ages:
            if left <= MOST:
                return
            if one != latest:
                one.unlink(missing_ok=True)
                left -= size
