"""Batches: resident or from disk, they are the same to the bit."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.core.randomness import generator
from latentspace.data import batches as module
from latentspace.data.batches import AHEAD, Batch, Batches, OnDiskSet, ResidentSet, as_tensor, laid_out, order
from latentspace.data.imageset import ImageSet
from latentspace.data.memmap import mapped

CPU = torch.device("cpu")
CHOSEN = np.sort(np.random.default_rng(3).permutation(120)[:71]).astype(np.int64)


@pytest.fixture
def on_disk(tmp_path: Path, images: ImageSet) -> np.ndarray:
    (tmp_path / "bytes").write_bytes(images.pixels.tobytes())
    return mapped(tmp_path / "bytes", 0, images.pixels.shape)


@pytest.fixture
def sets(images: ImageSet, on_disk: np.ndarray) -> tuple[Batches, Batches]:
    labels = torch.from_numpy(images.labels)
    return laid_out(images.pixels, CHOSEN, CPU, labels), laid_out(on_disk, CHOSEN, CPU, labels)


def readers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("batches")]


def test_where_the_images_lie_says_which_set_it_is(sets: tuple[Batches, Batches]) -> None:
    resident, from_disk = sets
    assert isinstance(resident, ResidentSet)
    assert isinstance(from_disk, OnDiskSet)
    assert resident.images == from_disk.images == 71
    assert resident.device == from_disk.device == CPU


@pytest.mark.parametrize("size", [1, 10, 71, 100])
@pytest.mark.parametrize("shuffled", [True, False])
def test_both_sets_give_the_same_batches_to_the_bit(
    sets: tuple[Batches, Batches], images: ImageSet, size: int, shuffled: bool
) -> None:
    drawn = order(71, generator(4, "order")) if shuffled else None
    resident, from_disk = (list(one.batches(size, drawn)) for one in sets)
    assert [len(one.inputs) for one in from_disk] == [size] * (71 // size) + [71 % size] * (71 % size > 0)
    for one, other in zip(resident, from_disk, strict=True):
        assert one.inputs.dtype == other.inputs.dtype == torch.float32
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.labels, other.labels)
    rows = CHOSEN if drawn is None else CHOSEN[drawn.numpy()]
    expected = torch.from_numpy(images.pixels[rows]).float() / 255
    assert torch.equal(torch.cat([one.inputs for one in from_disk]), expected)
    assert torch.cat([one.labels for one in from_disk]).tolist() == images.labels[rows].tolist()
    assert readers() == []


def test_what_is_in_memory_is_not_copied(images: ImageSet, on_disk: np.ndarray) -> None:
    one = laid_out(images.pixels, CHOSEN, CPU)
    assert one.inputs.data_ptr() == images.pixels.ctypes.data
    assert as_tensor(on_disk).data_ptr() == on_disk.ctypes.data
    assert laid_out(on_disk, CHOSEN, CPU).pixels is on_disk


def test_no_more_than_a_few_batches_are_read_ahead(
    sets: tuple[Batches, Batches], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = OnDiskSet._read

    def counted(self: OnDiskSet, rows: np.ndarray) -> torch.Tensor:
        read.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(module.OnDiskSet, "_read", counted)
    cut = sets[1].batches(5)
    for taken in range(1, 6):
        next(cut)
        assert taken <= len(read) <= taken + AHEAD
    assert len(list(cut)) == 15 - 5
    assert read == [5] * 14 + [1]


def dropped(cut) -> None:
    del cut


def thrown_into(cut) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        cut.throw(RuntimeError("stop"))


@pytest.mark.parametrize("leave", [lambda cut: cut.close(), dropped, thrown_into])
def test_a_consumer_that_stops_early_leaves_no_thread(
    sets: tuple[Batches, Batches], leave: Callable[[object], None]
) -> None:
    cut = sets[1].batches(2)
    assert isinstance(next(cut), Batch)
    assert len(readers()) == 1
    leave(cut)
    del cut
    assert readers() == []


def test_an_error_in_the_thread_is_raised_where_the_batches_are_asked_for(on_disk: np.ndarray) -> None:
    beyond = OnDiskSet(on_disk, np.array([*range(20), 500], dtype=np.int64), CPU)
    got = []
    with pytest.raises(IndexError, match="500 is out of bounds"):
        got.extend(beyond.batches(4))
    assert readers() == []
