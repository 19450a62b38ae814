"""An array of images that grows while they are read: in memory, or on disk once it takes too much of that."""

import math
import tempfile
import weakref
from collections.abc import Sequence
from typing import IO, Final

import numpy as np

from ..core.atomic_files import refusals
from ..core.errors import DataError
from ..core.types import Pixels
from ..core.wording import counted, option
from .memmap import Residence, allocate_on_disk, blocks, stays_on_disk
from .paths import cache_directory

BEGUN: Final = 2**26  # bytes that the array begins with, or one image
MEMORY_LIMIT: Final = 16 * 2**30  # bytes of one set in memory
LOOK: Final = 2**26  # bytes after which the free memory is looked at again


class Growing:
    """Images of one size, added some at a time; `origin` names their source in errors.

    Args:
        resident: where the array ends: with `auto` on disk, as soon as it is more than a quarter of the free
            memory. On disk it is a file without a name in the cache directory, which ends with the array.
    """

    def __init__(self, origin: str, resident: Residence) -> None:
        self.origin = origin
        self.resident = resident
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self._held: Pixels = np.empty((0, 0, 0, 0), dtype=np.uint8)
        self._file: IO[bytes] | None = None
        self._looked = 0

    def extend(self, images: Pixels) -> None:
        """Add images; those of one channel are repeated over the channels of the others.

        Raises:
            DataError: more than memory may hold, with `resident` = `always`.
            OutputError: the disk is full.
        """
        if self.count == 0:
            self.shape = images.shape[1:]
        elif images.shape[1] > self.shape[0]:
            self._widen(images.shape[1])
        count = self.count + len(images)
        self._reserve(count)
        if self._file is not None:
            with refusals(cache_directory()):
                whole = np.broadcast_to(images, (len(images), *self.shape))
                self._file.write(np.ascontiguousarray(whole).data)
        else:
            self._held[self.count : count] = images
        self.count = count

    def finished(self, order: Sequence[int] | None = None) -> Pixels:
        """All images; put in `order`, where it is given."""
        if self._file is None:
            if order is not None:
                return self._held[: self.count][list(order)]
            self._held.resize((self.count, *self.shape), refcheck=False)
            return self._held
        pixels = _mapped(self._file, self.count, self.shape)
        self._file.close()  # the map holds it
        if order is None:
            return pixels
        places, turned = np.array(order), allocate_on_disk(pixels.shape)
        for here in blocks(turned):
            turned[here] = pixels[places[here]]
        return turned

    @property
    def _bytes(self) -> int:
        return math.prod(self.shape)

    def _reserve(self, count: int) -> None:
        """Room for so many images in all."""
        used = count * self._bytes
        if self._file is None and used >= self._looked + LOOK:
            self._looked = used
            if stays_on_disk(used, self.resident):
                self._to_disk()
        if self._file is not None or count <= len(self._held):
            return
        if used > MEMORY_LIMIT:
            raise DataError(
                f"the images of {self.origin} must fit in {MEMORY_LIMIT // 2**30} GiB of memory",
                found=f"more than {counted(self.count)} of {'x'.join(map(str, self.shape[1:]))}",
                do=f"make them smaller with {option('resize')}, or keep them on disk: "
                f"{option('data.resident', 'never')}",
            )
        begun = max(1, min(16, BEGUN // self._bytes))
        capacity = min(max(2 * self.count, begun, count), max(MEMORY_LIMIT // self._bytes, 1))
        if self.count == 0:
            self._held = np.empty((capacity, *self.shape), dtype=np.uint8)
        else:
            self._held.resize((capacity, *self.shape), refcheck=False)

    def _to_disk(self) -> None:
        folder = cache_directory()
        with refusals(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._opened()
            self._file.write(np.ascontiguousarray(self._held[: self.count]).data)
        self._held = np.empty((0, 0, 0, 0), dtype=np.uint8)

    def _opened(self) -> IO[bytes]:
        """A new file without a name, which is closed with this object at the latest."""
        file: IO[bytes] = tempfile.TemporaryFile(dir=cache_directory())  # noqa: SIM115
        weakref.finalize(self, file.close)
        return file

    def _widen(self, channels: int) -> None:
        """Repeat the one channel of the images so far."""
        before, self.shape = self.shape, (channels, *self.shape[1:])
        if self._file is None:
            self._held = np.repeat(self._held, channels, axis=1)
            return
        narrow = _mapped(self._file, self.count, before)
        self._file.close()  # the map holds it
        with refusals(cache_directory()):
            self._file = self._opened()
            for here in blocks(narrow):
                self._file.write(np.repeat(narrow[here], channels, axis=1).data)


def _mapped(file: IO[bytes], count: int, shape: tuple[int, ...]) -> Pixels:
    with refusals(cache_directory()):
        file.flush()
    return np.memmap(file, np.uint8, mode="r+", shape=(count, *shape))
