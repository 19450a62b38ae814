"""Images of a folder are kept until a file of it changes; the cache stays within its bound."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from latentspace.data import growing, kept
from latentspace.data.imageset import ImageSet
from latentspace.data.readers import image_readers
from makers import encoded, load, random_pixels, write_folder, write_zip


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(image_readers, "WORTH_FILES", 1)
    monkeypatch.setattr(image_readers, "WORTH_BYTES", 1)
    return cache / "images"


def files(count: int = 5) -> dict[str, bytes]:
    return {
        f"{'ab'[number % 2]}/{number}.png": encoded(random_pixels(6, 5, seed=number))
        for number in range(count)
    }


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_the_second_reading_is_from_the_cache(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = {**files(), "a/broken.png": b"x"}
    path = write_folder(tmp_path / "set", given) if kind == "folder" else write_zip(tmp_path / "x.zip", given)
    with caplog.at_level(logging.INFO):
        first = load(path)
        assert "from the cache" not in caplog.text
        second = load(path)
        assert "from the cache" in caplog.text
    assert second.content_hash == first.content_hash
    assert (second.names, second.record, second.source) == (first.names, first.record, first.source)
    assert second.class_names == ("a", "b")


@pytest.mark.parametrize("change", ["content", "name", "added", "removed"])
def test_a_change_is_seen(tmp_path: Path, change: str) -> None:
    folder = write_folder(tmp_path / "set", files())
    before = load(folder)
    one = folder / "a" / "0.png"
    if change == "content":  # of the same size, and with the old time
        about, size = one.stat(), one.stat().st_size
        new = encoded(random_pixels(6, 5, seed=77))[:size]
        one.write_bytes(new + bytes(size - len(new)))
        os.utime(one, ns=(about.st_atime_ns, about.st_mtime_ns))
    elif change == "name":
        one.rename(folder / "a" / "9.png")
    elif change == "added":
        (folder / "a" / "9.png").write_bytes(encoded(random_pixels(6, 5, seed=9)))
    else:
        one.unlink()
    after = load(folder)
    assert (after.content_hash, after.names) != (before.content_hash, before.names)


def test_settings_of_reading_have_sets_of_their_own(tmp_path: Path, own_cache: Path) -> None:
    folder = write_folder(tmp_path / "set", files())
    assert load(folder, resize=(8, 8)).size == (8, 8)
    assert load(folder).size == (6, 5)
    assert load(folder, resize=(8, 8)).size == (8, 8)
    assert len(list(own_cache.iterdir())) == 2


def test_nothing_is_kept_with_off(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTSPACE_CACHE", "off")
    assert len(load(write_folder(tmp_path / "set", files()))) == 5
    assert not own_cache.exists()


def test_the_oldest_go_first(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [write_folder(tmp_path / name, files(number)) for number, name in enumerate("xyz", start=3)]
    load(folders[0])
    (first,) = own_cache.iterdir()
    os.utime(first, (1, 1))
    load(folders[1])
    (second,) = set(own_cache.iterdir()) - {first}
    os.utime(second, (2, 2))
    load(folders[0])  # asked for again
    monkeypatch.setattr(kept, "MOST", first.stat().st_size * 5 // 2)
    load(folders[2])
    assert first.exists()
    assert not second.exists()


def test_what_changes_while_it_is_read_is_not_kept(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from latentspace.data.readers import folders

    folder = write_folder(tmp_path / "set", files())
    read = folders.read_listing

    def while_another_writes(*given: object) -> object:
        (folder / "a" / "new.png").write_bytes(b"")
        return read(*given)

    monkeypatch.setattr(folders, "read_listing", while_another_writes)
    assert len(load(folder)) == 5
    assert "changed while it was read" in caplog.text
    assert not own_cache.exists()


@pytest.mark.parametrize("look", [1, 400])
def test_a_set_grows_on_disk_to_the_same_pixels(
    tmp_path: Path, look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    colour = {"a/20.png": encoded(random_pixels(6, 5, 3, seed=99))}
    folder = write_folder(tmp_path / "set", {**files(20), **colour})
    archive = write_zip(tmp_path / "x.zip", dict(reversed({**files(20), **colour}.items())))
    monkeypatch.setattr(image_readers, "WORTH_FILES", 1000)
    monkeypatch.setattr(image_readers, "WORTH_BYTES", 2**30)
    in_memory = load(folder, resident="always")
    monkeypatch.setattr(growing, "LOOK", look)
    for source in (folder, archive):
        on_disk = load(source, resident="never")
        assert on_disk.on_disk
        assert not in_memory.on_disk
        assert on_disk.shape == (3, 6, 5)
        np.testing.assert_array_equal(on_disk.pixels, in_memory.pixels)


def _replaced(file: Path, name: str, array: np.ndarray) -> None:
    """Put another array into an .npz, with checksums that fit."""
    with np.load(file) as found:
        arrays = dict(found)
    np.savez(file, **{**arrays, name: array})


@pytest.mark.parametrize("resident", ["always", "never"])
@pytest.mark.parametrize("change", ["byte", "cut", "array", "hashes", "about", "other set"])
def test_a_damaged_or_replaced_cache_is_noticed(
    tmp_path: Path, own_cache: Path, change: str, resident: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(tmp_path / "set", files())
    first = load(folder)
    (file,) = own_cache.iterdir()
    content = file.read_bytes()
    if change == "byte":
        place = content.index(first.pixels.tobytes()[:20]) + 7
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    elif change == "cut":
        file.write_bytes(content[:-30])
    elif change == "array":
        _replaced(file, "images", first.pixels[::-1])
    elif change == "hashes":
        _replaced(file, "image_hashes", first.image_hashes[::-1])
    elif change == "about":
        _replaced(file, "about", np.frombuffer(b"[]", dtype=np.uint8))
    else:
        load(write_folder(tmp_path / "other", {f"{name}.png": one for name, one in files(9).items()}))
        (other,) = set(own_cache.iterdir()) - {file}
        other.replace(file)
    caplog.clear()
    again = load(folder, resident=resident)
    assert "made anew" in caplog.text
    assert again.names == first.names
    np.testing.assert_array_equal(again.pixels, first.pixels)
    caplog.clear()
    assert load(folder).content_hash == first.content_hash
    assert "made anew" not in caplog.text


@pytest.mark.parametrize("resident", ["always", "never"])
def test_the_hashes_that_are_kept_are_those_of_the_images(tmp_path: Path, resident: str) -> None:
    folder = write_folder(tmp_path / "set", {**files(), "a/copy.png": files()["a/0.png"]})
    load(folder)
    found = load(folder, resident=resident)
    assert {"content_hash", "image_hashes"} <= set(vars(found))
    anew = ImageSet(found.pixels, "", labels=found.labels, class_names=found.class_names)
    assert anew.content_hash == found.content_hash == found.hashed()
    assert anew.image_hashes.tolist() == found.image_hashes.tolist()
    assert found.duplicates.extra == 1
    some = found.subset(np.array([1, 2]))
    assert some.content_hash != found.content_hash
    assert some.image_hashes.tolist() == found.image_hashes[1:3].tolist()
