"""Arrays and tables in archives are read as they are beside them."""

from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.idx import write_idx_folder
from makers import bytes_of, load, write_archive, write_zip
from materials import make_images

pytestmark = pytest.mark.usefixtures("cache")

NAMES = ["x.tar", "x.tar.gz", "x.zip"]


def npz(images: ImageSet) -> bytes:
    return bytes_of(np.savez_compressed, images=images.pixels, labels=images.labels)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["", "outer/inner/"])
def test_an_array_in_an_archive(tmp_path: Path, name: str, folder: str) -> None:
    images = make_images(12)
    files = {f"{folder}images.npz": npz(images), f"{folder}README.txt": b"hello", "__MACOSX/._x.npz": b"x"}
    found = load(write_archive(tmp_path / name, files))
    np.testing.assert_array_equal(found.pixels, images.pixels)
    np.testing.assert_array_equal(found.labels, images.labels)
    assert found.source.endswith(", in an archive")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_idx_files_in_an_archive(tmp_path: Path, name: str) -> None:
    images = make_images(12)
    write_idx_folder(images, tmp_path / "idx")
    files = {f"MNIST/raw/{one.name}": one.read_bytes() for one in (tmp_path / "idx").iterdir()}
    found = load(write_archive(tmp_path / name, files))
    assert found.content_hash == images.content_hash


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_in_an_archive_is_refused_by_name(tmp_path: Path, name: str) -> None:
    inner = write_archive(tmp_path / "inner.zip", {"a/1.png": b"x"}).read_bytes()
    path = write_archive(tmp_path / name, {"sub/inner.zip": inner, "README.md": b"x"})
    with pytest.raises(DataError, match=r"1 archive in it: sub/inner\.zip") as error:
        load(path)
    assert "unpack it" in error.value.do


def test_several_arrays_are_named(tmp_path: Path) -> None:
    one = npz(make_images(12))
    with pytest.raises(DataError, match="two/images, a/one/images"):
        load(write_zip(tmp_path / "x.zip", {"a/one.npz": one, "two.npz": one}))


def test_an_error_names_the_archive_and_the_member(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"images.npz": b"PK"})
    with pytest.raises(DataError) as error:
        load(path)
    assert f"{path}: images.npz" in error.value.must
    assert "inside-" not in str(error.value)
