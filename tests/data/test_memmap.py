"""Images on disk: the same images as those in memory, and no more memory for more of them."""

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError, OutputError
from latentspace.data import memmap as mapping
from latentspace.data.cache import keep, recall
from latentspace.data.cleaning import blank
from latentspace.data.config import DataConfig
from latentspace.data.facts import Facts
from latentspace.data.imageset import ImageSet
from latentspace.data.memmap import allocate_on_disk, free_memory, stays_on_disk
from latentspace.data.sources import load_images
from latentspace.data.splits import Shares, split
from makers import random_pixels
from materials import make_images

pytestmark = pytest.mark.usefixtures("cache")


def as_npy(pixels: np.ndarray, place: Path) -> Path:
    np.save(place / "images.npy", pixels)
    return place / "images.npy"


def as_fortran(pixels: np.ndarray, place: Path) -> Path:
    return as_npy(np.asfortranarray(pixels), place)


def as_channels_last(pixels: np.ndarray, place: Path) -> Path:
    return as_npy(np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), place)


def as_npz(pixels: np.ndarray, place: Path) -> Path:
    np.savez(place / "images.npz", labels=np.arange(len(pixels)) % 3, images=pixels)
    return place / "images.npz"


def as_idx(pixels: np.ndarray, place: Path) -> Path:
    sizes = b"".join(size.to_bytes(4, "big") for size in pixels.shape)
    (place / "some-images-idx4-ubyte").write_bytes(b"\0\0\x08\x04" + sizes + pixels.tobytes())
    labels = bytes(number % 3 for number in range(len(pixels)))
    header = b"\0\0\x08\x01" + len(pixels).to_bytes(4, "big")
    (place / "some-labels-idx1-ubyte").write_bytes(header + labels)
    return place / "some-images-idx4-ubyte"


MAPPED = [as_npy, as_fortran, as_channels_last, as_npz, as_idx]


def both(path: Path, **settings: object) -> tuple[ImageSet, ImageSet]:
    """The images at `path` from disk, and in memory."""
    found = [
        load_images(DataConfig.parse({"spec": str(path), "resident": one, **settings}, "the test"))
        for one in ("never", "always")
    ]
    return found[0], found[1]


def assert_same(on_disk: ImageSet, resident: ImageSet) -> None:
    assert on_disk.on_disk
    assert not resident.on_disk
    np.testing.assert_array_equal(on_disk.pixels, resident.pixels)
    assert on_disk.content_hash == resident.content_hash
    np.testing.assert_array_equal(on_disk.image_hashes, resident.image_hashes)
    assert on_disk.record == resident.record
    for name in ("labels", "groups"):
        np.testing.assert_array_equal(getattr(on_disk, name), getattr(resident, name))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("store", MAPPED)
def test_from_disk_the_images_are_the_same(
    store: Callable[[np.ndarray, Path], Path], channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping, "BLOCK", 1000)  # a few images: what is walked in blocks takes several
    pixels = random_pixels(33, channels, 12, 10)
    on_disk, resident = both(store(pixels, tmp_path))
    np.testing.assert_array_equal(resident.pixels, pixels)
    assert_same(on_disk, resident)
    one, other = (split(images, Shares.parse("60/20/20"), 1) for images in (on_disk, resident))
    assert one.to_json() == other.to_json()
    assert Facts(on_disk).mean_and_deviation == Facts(resident).mean_and_deviation
    with pytest.raises(ValueError, match="read-only"):
        on_disk.pixels[0] = 0


def test_hashes_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = make_images(40)
    whole = (images.content_hash, images.image_hashes.tolist(), images.duplicates)
    monkeypatch.setattr(mapping, "BLOCK", 700)
    again = make_images(40)
    assert (again.content_hash, again.image_hashes.tolist(), again.duplicates) == whole


def test_statistics_in_blocks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = random_pixels(50, 3, 8, 8)
    pixels[[7, 44]] = np.array([0, 9, 255], dtype=np.uint8)[:, None, None]  # flat in each channel
    monkeypatch.setattr(mapping, "BLOCK", 1000)
    assert blank(pixels).tolist() == [7, 44]
    mean, deviation = Facts(ImageSet(pixels, "made")).mean_and_deviation
    assert mean == pytest.approx(pixels.mean(dtype=np.float64) / 255, rel=1e-12)
    assert deviation == pytest.approx(pixels.std(dtype=np.float64) / 255, rel=1e-12)


def test_what_is_resized_or_loses_copies_stays_on_disk(tmp_path: Path) -> None:
    pixels = random_pixels(20, 1, 16, 16)
    path = as_npy(np.concatenate([pixels, pixels[3:9]]), tmp_path)
    on_disk, resident = both(path, deduplicate=True)
    assert len(on_disk) == 20
    assert on_disk.record.duplicates_dropped == 6
    assert_same(on_disk, resident)
    assert_same(*both(path, resize=[8, 4]))
    assert not list((tmp_path / "cache").iterdir()), "a file stayed behind"


def test_floats_are_rounded_into_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="latentspace")
    path = as_npy(random_pixels(9, 1, 16, 16) / 255, tmp_path)
    first, second = both(path)
    assert not first.on_disk
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert "cannot stay on disk" in caplog.text


def test_what_is_kept_in_the_cache_is_recalled_from_disk(tmp_path: Path) -> None:
    images = make_images(30)
    path = tmp_path / "kept.npz"
    assert keep(path, images) is images
    kept = keep(path, images, "never")
    assert_same(kept, images)
    recalled = recall(path, "never")
    assert recalled is not None
    assert_same(recalled, images)
    assert recall(path).content_hash == images.content_hash
    rendered = load_images(DataConfig(spec="glyphs:40", resident="never"))
    assert rendered.on_disk
    assert rendered.content_hash == load_images(DataConfig(spec="glyphs:40", resident="always")).content_hash


@pytest.mark.parametrize("place", [0.3, 0.7])
def test_a_changed_byte_in_a_mapped_archive_is_found(tmp_path: Path, place: float) -> None:
    path = as_npz(random_pixels(40, 1, 16, 16), tmp_path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"must be an \.npz file") as caught:
        load_images(DataConfig(spec=str(path), resident="never"))
    assert "Bad CRC-32" in caught.value.found


@pytest.mark.parametrize("change", [b"", b"more"])
@pytest.mark.parametrize("store", [as_npy, as_idx])
def test_a_file_of_another_length_is_refused(
    store: Callable[[np.ndarray, Path], Path], change: bytes, tmp_path: Path
) -> None:
    path = store(random_pixels(5, 1, 16, 16), tmp_path)
    path.write_bytes(path.read_bytes() + change if change else path.read_bytes()[:-1])
    with pytest.raises(DataError, match="exactly the bytes that its header declares"):
        load_images(DataConfig(spec=str(path), resident="never"))


def test_the_path_is_chosen_by_size_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="latentspace")
    path = as_npy(random_pixels(100, 1, 100, 100), tmp_path)  # 1 MB
    for free, on_disk, said in (
        (4_000_000, False, "1 MB of pixels: resident in memory"),
        (3_999_999, True, "1 MB of pixels: read from disk, batch by batch"),
        (None, False, "1 MB of pixels: resident in memory"),
    ):
        caplog.clear()
        monkeypatch.setattr(mapping, "free_memory", lambda free=free: free)
        assert load_images(DataConfig(spec=str(path))).on_disk is on_disk
        assert said in caplog.text
    assert stays_on_disk(0, "never")
    assert not stays_on_disk(2**50, "always")


def test_free_memory_is_what_the_system_and_the_control_group_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(mapping, "_CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:    2000 kB\n")
    assert free_memory() == 2_048_000
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert free_memory() == 2_048_000
    (tmp_path / "memory.max").write_text("5000\n")
    assert free_memory() == 4000
    (tmp_path / "meminfo").unlink()
    unknown = free_memory()
    assert unknown is None or unknown > 0


def test_a_full_disk_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OutputError, match="must be writable"):
        allocate_on_disk((10, 1, 4, 4))


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_a_set_on_disk_takes_no_memory_of_its_own(tmp_path: Path) -> None:
    """In a process of its own: what others have freed here would hide what it asks for."""
    path = as_npy(random_pixels(100_000, 1, 28, 28), tmp_path)  # 78 MB
    script = """
import subprocess
import sys
from pathlib import Path
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from latentspace.data.splits import Shares, split

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024

before = anonymous()
images = load_images(DataConfig(spec=sys.argv[1], resident=sys.argv[2]))
split(images, Shares.parse("60/20/20"), 0)
print(anonymous() - before)
"""
    taken = {}
    for resident in ("never", "always"):
        command = [sys.executable, "-c", script, str(path), resident]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
        taken[resident] = int(done.stdout)
    assert taken["never"] < 50e6
    assert taken["always"] > 78e6
