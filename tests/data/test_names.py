"""What images are called: files of folders and archives, rows of arrays, through all that moves them."""

from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import DataError
from latentspace.data.cache import keep, recall
from latentspace.data.imageset import ImageSet
from makers import encoded, random_pixels, write_folder, write_tar, write_zip

CASE = Path(__file__).parents[3] / "shared" / "cases" / "r02_names_of_files"


def pictures() -> dict[str, bytes]:
    """img1 ... img10, of which img5 is no image and img7 is a copy of img2."""
    files = {f"img{number}.png": encoded(random_pixels(8, 9, seed=number)) for number in range(1, 11)}
    files["img5.png"] = b"no image"
    files["img7.png"] = files["img2.png"]
    return files


NAMES = tuple(f"img{number}.png" for number in (1, 2, 3, 4, 6, 7, 8, 9, 10))


@pytest.mark.parametrize("store", [write_folder, write_tar, write_zip])
def test_files_are_named_in_the_order_of_the_pixels(store, tmp_path: Path):
    images = latentspace.load_data(store(tmp_path / f"{store.__name__}.zip", pictures()))
    assert images.names == NAMES
    assert [one.name for one in images.record.unreadable] == ["img5.png"]
    assert images.pixels[8, 0].tolist() == random_pixels(8, 9, seed=10).tolist()


def test_class_folders_stand_before_the_file(tmp_path: Path):
    files = {f"outer/{letter}/1.png": encoded(random_pixels(8, 8, seed=ord(letter))) for letter in "ba"}
    assert latentspace.load_data(write_folder(tmp_path / "set", files)).names == ("a/1.png", "b/1.png")


def test_arrays_have_rows(tmp_path: Path):
    np.save(tmp_path / "images.npy", random_pixels(5, 8, 8))
    images = latentspace.load_data(tmp_path / "images.npy")
    assert images.files is None
    assert images.names == ("0", "1", "2", "3", "4")
    assert images.subset(np.array([4, 2])).names == ("4", "2")


def test_names_go_with_the_images(tmp_path: Path):
    images = latentspace.load_data(write_folder(tmp_path / "set", pictures()), deduplicate=True)
    kept = tuple(name for name in NAMES if name != "img7.png")
    assert images.names == kept
    some = images.subset(np.array([7, 0, 3]))
    assert some.names == ("img10.png", "img1.png", "img4.png")
    assert some.subset(np.array([2])).names == ("img4.png",)
    assert latentspace.load_data(tmp_path / "set", resize=(4, 4)).names == NAMES


def test_names_are_kept_and_recalled_with_the_images(tmp_path: Path):
    names = ("a/ä.png", "b/two words.png", "b/x.png")
    images = ImageSet(random_pixels(3, 1, 8, 8), "a test", files=names)
    keep(tmp_path / "kept.npz", images)
    for resident in ("always", "never"):
        found = recall(tmp_path / "kept.npz", resident)
        assert found is not None
        assert found.names_of(np.array([1])) == ("b/two words.png",)
        assert found.names == names
    keep(tmp_path / "rows.npz", ImageSet(images.pixels, "a test"))
    found = recall(tmp_path / "rows.npz")
    assert found is not None
    assert found.files is None


def test_as_many_files_as_images():
    with pytest.raises(DataError, match="one of the files for each image"):
        ImageSet(random_pixels(3, 1, 8, 8), "a test", files=("a", "b"))


@pytest.mark.skipif(not CASE.is_dir(), reason="the small inputs are not here (../shared/cases)")
def test_the_names_of_nine_files():
    assert latentspace.load_data(CASE).names == NAMES
