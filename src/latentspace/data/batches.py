"""Seeded order -> batches: cut on the device from what lies there, or read from disk a few ahead."""

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch

from ..core.progress import tell
from ..core.tensor_types import Images, Labels, Order, Resident
from ..core.types import ImageArray, Int64Array, Pixels
from .memmap import require_unchanged
from .sampling import affordable

AHEAD: Final = 4  # batches that are read before they are asked for
VALUES: Final = 1 << 20  # of a batch that nothing learns from, at most: 4 MB of pixels, more in the network


def at_once(most: int, shape: Sequence[int]) -> int:
    """How many images of this shape are a batch that nothing learns from: `most`, or fewer large ones."""
    return affordable(most, shape, VALUES)


class Batch(NamedTuple):
    """What a network is given: images in [0, 1] or codes, and the labels where the objective needs them."""

    inputs: torch.Tensor
    labels: Labels | None = None


@runtime_checkable
class Batches(Protocol):
    """A set that is cut into batches. Equal sets give equal batches, wherever they lie."""

    @property
    def images(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input: an image or a code."""
        ...

    def batches(self, batch_size: int, order: Order | None = None) -> Iterator[Batch]:
        """Cut into batches, in `order` (of some, or all) or as they lie; the last, smaller one is kept."""
        ...


class ResidentSet(NamedTuple):
    """Images as bytes, or codes as floats, and perhaps labels, on the device they are worked on.

    Where `chosen` is given, the set is those rows of `inputs`, which are not copied; there is a label for
    each of them.
    """

    inputs: torch.Tensor
    labels: Labels | None = None
    chosen: Order | None = None

    @property
    def images(self) -> int:
        return int(self.inputs.shape[0] if self.chosen is None else self.chosen.shape[0])

    @property
    def device(self) -> torch.device:
        return self.inputs.device

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.inputs.shape[1:])

    def batches(self, batch_size: int, order: Order | None = None) -> Iterator[Batch]:
        """Cut into batches, in `order` or as they lie; the last, smaller one is kept."""
        if order is not None and self.inputs.dtype != torch.uint8:
            yield from self.reordered(order).batches(batch_size)
            return
        for start in range(0, self.images if order is None else len(order), batch_size):
            stop = start + batch_size
            here = slice(start, stop) if order is None else order[start:stop]
            rows = here if self.chosen is None else self.chosen[here]
            inputs = self.inputs[rows] if isinstance(rows, slice) else self.inputs.index_select(0, rows)
            if inputs.dtype == torch.uint8:
                inputs = to_images(inputs)
            yield Batch(inputs, None if self.labels is None else self.labels[here])

    def reordered(self, order: Order) -> "ResidentSet":
        """A copy that lies in `order`. For codes, which are a few bytes an image: a batch is then a slice."""
        rows = order if self.chosen is None else self.chosen[order]
        labels = None if self.labels is None else self.labels.index_select(0, order)
        return ResidentSet(self.inputs.index_select(0, rows), labels)


@dataclass(frozen=True, eq=False)
class OnDiskSet:
    """Images that are read batch by batch, from disk or memory, in a thread that stays a few batches ahead.

    Args:
        pixels: the whole array; it is neither copied nor laid on the device.
        chosen: the rows of it that are the set.
        on: the device that the batches are for.
        labels: of the chosen images, on that device.
    """

    pixels: Pixels
    chosen: Int64Array
    on: torch.device
    labels: Labels | None = None

    @property
    def images(self) -> int:
        return len(self.chosen)

    @property
    def device(self) -> torch.device:
        return self.on

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape[1:]

    def batches(self, batch_size: int, order: Order | None = None) -> Iterator[Batch]:
        """Cut into batches, in `order` or as they lie; the last, smaller one is kept.

        What goes wrong in the thread is raised here. The thread ends with the last batch, or when the
        iterator is closed.
        """
        rows = self.chosen if order is None else self.chosen[order.cpu().numpy()]
        cuts = (slice(start, start + batch_size) for start in range(0, len(rows), batch_size))
        pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        try:
            ahead = deque((cut, pool.submit(self._read, rows[cut])) for cut in islice(cuts, AHEAD))
            while ahead:
                here, coming = ahead.popleft()
                pixels = coming.result()
                ahead.extend((cut, pool.submit(self._read, rows[cut])) for cut in islice(cuts, 1))
                yield Batch(to_images(pixels.to(self.on)), self._labels(here, order))
        finally:
            pool.shutdown(cancel_futures=True)

    def _labels(self, here: slice, order: Order | None) -> Labels | None:
        if self.labels is None:
            return None
        return self.labels[here if order is None else order[here]]

    def _read(self, rows: Int64Array) -> Resident:
        """The rows in their order, read in the file's: neighbours are read together."""
        require_unchanged(self.pixels)
        ascending = np.argsort(rows, kind="stable")
        original = np.empty_like(ascending)
        original[ascending] = np.arange(len(rows))
        read, whole = rows[ascending], np.asarray(self.pixels)
        # `take` moves an image at once, but would copy all of an array that does not lie in that order
        pixels = whole.take(read, axis=0) if whole.flags.c_contiguous else whole[read]
        return torch.from_numpy(np.ascontiguousarray(pixels.take(original, axis=0)))


def laid_out(
    pixels: Pixels, chosen: Int64Array, device: torch.device, labels: Labels | None = None
) -> ResidentSet | OnDiskSet:
    """The chosen images as a set for `device`; read from disk where they lie there, else resident.

    Nothing is copied that is on its device already.

    Args:
        labels: of all images.
    """
    rows = torch.from_numpy(chosen)
    labels = None if labels is None else labels[rows].to(device)
    if isinstance(pixels, np.memmap):
        return OnDiskSet(pixels, chosen, device, labels)
    whole = as_tensor(pixels)
    if device.type == "cpu":
        return ResidentSet(whole, labels, rows)
    return ResidentSet(whole[rows].to(device), labels)


def passed_once(pixels: Pixels, chosen: Int64Array, device: torch.device) -> ResidentSet | OnDiskSet:
    """The chosen images as a set for `device` that only ever has single batches of them there."""
    if device.type == "cpu":
        return laid_out(pixels, chosen, device)
    return OnDiskSet(pixels, chosen, device)


def told_of(held: Batches, most: int, what: str) -> Iterator[Batch]:
    """The batches of at most so many images that nothing learns from; images are told of as progress."""
    done = 0
    for batch in held.batches(at_once(most, held.shape)):
        yield batch
        done += len(batch.inputs)
        tell(what, done, held.images)


def float_blocks(pixels: Pixels, chosen: Int64Array, what: str) -> Iterator[ImageArray]:
    """The chosen images as floats in [0, 1], some at a time; `what` is told of as progress."""
    for batch in told_of(passed_once(pixels, chosen, torch.device("cpu")), 1024, what):
        yield batch.inputs.numpy()


def order(images: int, generator: torch.Generator) -> torch.Tensor:
    """A permutation of 0..images-1, drawn on the CPU so that it is the same for every device."""
    return torch.randperm(images, generator=generator)


def as_tensor(pixels: Pixels) -> Resident:
    """The same bytes as a tensor, to be read only; a mapped array stays on disk, a shared one where it is."""
    whole = pixels if isinstance(pixels, np.memmap) else np.require(pixels, requirements="C")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(whole)


def to_images(pixels: Resident) -> Images:
    """Bytes 0..255 -> pixels in [0, 1], float32."""
    return pixels.to(torch.float32).div_(255)
