"""HDF5 files that hold image files, as JPEG or PNG, beside labels."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import latentspace
from latentspace.core.errors import DataError
from makers import encoded, random_pixels

PIXELS = random_pixels(6, 8, 8)
FILES = [encoded(one) for one in PIXELS]


def of_any_length(group: h5py.Group, name: str, files: list[bytes]) -> None:
    column = group.create_dataset(name, (len(files),), dtype=h5py.vlen_dtype(np.uint8))
    for place, one in enumerate(files):
        column[place] = np.frombuffer(one, np.uint8)


def opaque(group: h5py.Group, name: str, files: list[bytes]) -> None:
    group[name] = np.array(files, dtype=f"V{max(map(len, files))}")


@pytest.mark.parametrize("write", [of_any_length, opaque])
def test_a_dataset_of_files_beside_labels(write, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write(file, "images", FILES)
        file["labels"], file["patient"] = [0, 1, 2, 0, 1, 2], [7, 7, 8, 8, 9, 9]
        file["class_names"] = ["ant", "bee", "cow"]
        file["split"] = np.array(["train"] * 4 + ["test"] * 2, dtype="S5")
    found = latentspace.load_data(tmp_path / "x.h5")
    np.testing.assert_array_equal(found.pixels[:, 0], PIXELS)
    assert (found.class_names, found.labels.tolist()) == (("ant", "bee", "cow"), [0, 1, 2, 0, 1, 2])
    assert (found.parts.tolist(), found.groups.tolist()) == ([0] * 4 + [2] * 2, [0, 0, 1, 1, 2, 2])


def test_parts_each_with_its_labels(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for part, here in (("test", slice(4, 6)), ("train", slice(4))):
            of_any_length(file.create_group(part), "images", FILES[here])
            file[f"{part}/labels"], file[f"{part}/coarse"] = np.arange(6)[here] % 2, np.arange(6)[here] % 3
    found = latentspace.load_data(tmp_path / "x.h5")
    np.testing.assert_array_equal(found.pixels[:, 0], PIXELS)
    assert (found.labels.tolist(), found.parts.tolist()) == ([0, 1] * 3, [0] * 4 + [2] * 2)
    assert latentspace.load_data(tmp_path / "x.h5", label="coarse").labels.tolist() == [0, 1, 2] * 2


def test_files_without_a_label_are_left_out(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        of_any_length(file, "images", FILES)
        file["labels"] = [0, 1, np.nan, 0, 1, np.nan]
    found = latentspace.load_data(tmp_path / "x.h5")
    assert (found.class_names, found.labels.tolist()) == (("0", "1"), [0, 1, 0, 1])


def test_a_dataset_for_each_image(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for place, one in enumerate(FILES):
            file[f"{'ab'[place % 2]}/{place}.png"] = np.frombuffer(one, np.uint8)
    found = latentspace.load_data(tmp_path / "x.h5")
    np.testing.assert_array_equal(found.pixels[:, 0], PIXELS[[0, 2, 4, 1, 3, 5]])
    assert (found.class_names, found.labels.tolist()) == (("a", "b"), [0] * 3 + [1] * 3)


def test_what_is_damaged_or_does_not_fit(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        of_any_length(file, "images", [*FILES[:5], FILES[5][:40]])
        file["labels"] = [0, 1, 2, 0, 1, 2]
    found = latentspace.load_data(tmp_path / "x.h5")
    assert [one.name for one in found.record.unreadable] == ["5"]
    assert found.labels.tolist() == [0, 1, 2, 0, 1]
    with h5py.File(tmp_path / "x.h5", "a") as file:
        del file["labels"]
        file["labels"] = [0, 1]
    with pytest.raises(DataError, match="one of the labels for each image"):
        latentspace.load_data(tmp_path / "x.h5")
