"""Several SPECs as one set."""

import os
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.cli.options import DataOptions, Reading
from latentspace.core.errors import DataError
from latentspace.data.imageset import ImageSet
from latentspace.data.joined import joined
from makers import encoded, random_pixels, write_folder


def folder(place: Path, classes: str, *shape: int, seed: int = 0) -> Path:
    files = {
        f"{letter}/{n}.png": encoded(random_pixels(*shape, seed=seed + n + 10 * ord(letter)))
        for letter in classes
        for n in range(2)
    }
    return write_folder(place, files)


def test_classes_are_joined_by_name(tmp_path: Path):
    one, other = folder(tmp_path / "one", "ab", 8, 8), folder(tmp_path / "other", "bc", 8, 8, 3, seed=5)
    images = latentspace.load_data(f"{one} + {other}")
    assert len(images) == 8
    assert images.class_names == ("a", "b", "c")
    assert images.labels.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert images.channels == 3
    np.testing.assert_array_equal(images.pixels[:4, 0], images.pixels[:4, 2])
    assert any("4 images repeated from grey" in note for note in images.record.conversions)
    assert images.names[0] == f"{one}/a/0.png"
    assert images.names[-1] == f"{other}/c/1.png"


def test_sizes_are_brought_together(tmp_path: Path):
    one, other = folder(tmp_path / "one", "a", 8, 8), folder(tmp_path / "other", "b", 16, 12)
    images = latentspace.load_data(f"{one} + {other}")
    assert images.size == (8, 8)
    assert any("2 images scaled and cropped" in note for note in images.record.conversions)
    assert latentspace.load_data(f"{one} + {other}", resize=(10, 9)).size == (10, 9)


def test_groups_and_parts_stay_apart():
    first = ImageSet(random_pixels(3, 1, 8, 8), "a", groups=np.array([5, 5, 9]), parts=np.array([0, 0, 2]))
    second = ImageSet(random_pixels(2, 1, 8, 8, seed=1), "b", labels=np.array([0, 1]), class_names=("x", "y"))
    images = joined([first, second], ["a", "b"])
    assert images.groups.tolist() == [0, 0, 1, 2, 3]
    assert images.parts.tolist() == [0, 0, 2, -1, -1]
    assert not images.labelled
    assert "labels left out, as there are none in a" in images.record.conversions
    assert images.names == ("a/0", "a/1", "a/2", "b/0", "b/1")


def test_a_folder_with_a_plus_in_its_name_is_one(tmp_path: Path):
    assert len(latentspace.load_data(folder(tmp_path / "a + b", "xy", 8, 8))) == 4


def test_one_that_is_not_there_is_named(tmp_path: Path):
    one = folder(tmp_path / "one", "ab", 8, 8)
    with pytest.raises(DataError) as error:
        latentspace.load_data(f"{one} + {tmp_path / 'two'}")
    assert error.value.found == repr(str(tmp_path / "two"))


def test_the_command_line_takes_data_several_times(tmp_path: Path):
    one, other = folder(tmp_path / "one", "ab", 8, 8), folder(tmp_path / "other", "c", 8, 8)
    options = DataOptions(
        data=[os.path.relpath(one), str(other), "glyphs:12"], reading=Reading(group_by="folder")
    )
    assert options.settings() == {"spec": f"{one} + {other} + glyphs:12", "group_by": "folder"}
