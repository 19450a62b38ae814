"""Folders of arrays, HDF5, MATLAB, CIFAR's binary version, archives of these; and pickles."""

import gzip
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from latentspace.core.errors import DataError
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from makers import classes_of, load, random_pixels, write_tar, write_zip


def npy(path: Path, array: Any) -> None:
    np.save(path, np.asarray(array))


# folders of .npy and .npz


def test_quick_draw_is_a_class_a_file(tmp_path: Path) -> None:
    for name, count in (("cat", 3), ("The Eiffel Tower", 2)):
        npy(tmp_path / f"full_numpy_bitmap_{name}.npy", random_pixels(count, 784, seed=count))
    images = load(tmp_path)
    assert images.shape == (1, 28, 28)
    assert classes_of(images) == ["cat"] * 3 + ["The Eiffel Tower"] * 2
    assert images.names[3] == "full_numpy_bitmap_The Eiffel Tower.npy[0]"
    np.testing.assert_array_equal(images.pixels[:3].reshape(3, -1), random_pixels(3, 784, seed=3))
    assert load(tmp_path / "full_numpy_bitmap_cat.npy").labels is None


def test_quick_draw_as_wget_calls_it(tmp_path: Path) -> None:
    for name in ("cat", "the%20moon"):
        npy(tmp_path / f"full%2Fnumpy_bitmap%2F{name}.npy", random_pixels(2, 784))
    assert load(tmp_path).class_names == ("cat", "the moon")


def test_classes_must_have_one_size(tmp_path: Path) -> None:
    npy(tmp_path / "cat.npy", random_pixels(3, 9, 9))
    npy(tmp_path / "dog.npy", random_pixels(3, 9, 8))
    with pytest.raises(DataError, match=r"cat\.npy.*dog\.npy"):
        load(tmp_path)


def test_an_image_in_each_file(tmp_path: Path) -> None:
    pixels = random_pixels(3, 16, 16, 3)
    for number, one in enumerate(pixels):
        npy(tmp_path / f"{number}.npy", one)
    images = load(tmp_path)
    np.testing.assert_array_equal(images.pixels, pixels.transpose(0, 3, 1, 2))
    assert images.names == ("0.npy", "1.npy", "2.npy")


def test_class_folders_of_arrays_in_parts(tmp_path: Path) -> None:
    for number, name in enumerate(("train/cat/1", "train/dog/1", "test/cat/7")):
        (tmp_path / name).parent.mkdir(parents=True)
        npy(tmp_path / f"{name}.npy", random_pixels(16, 16, seed=number))
    images = load(tmp_path)
    assert images.names == ("test/cat/7.npy", "train/cat/1.npy", "train/dog/1.npy")
    assert classes_of(images) == ["cat", "cat", "dog"]
    assert images.parts is not None
    assert images.parts.tolist() == [2, 0, 0]


def test_a_folder_for_each_part(tmp_path: Path) -> None:
    for part, count in (("test", 2), ("train", 3)):
        (tmp_path / part).mkdir()
        npy(tmp_path / part / "X.npy", random_pixels(count, 9, 9))
        npy(tmp_path / part / "y.npy", range(count))
    images = load(tmp_path)
    assert classes_of(images) == ["0", "1", "2", "0", "1"]
    assert images.names[3] == "test/X[0]"


@pytest.mark.parametrize("name", ["", "X_train.npy"])
def test_labels_in_a_file_beside(tmp_path: Path, name: str) -> None:
    npy(tmp_path / "X_train.npy", random_pixels(3, 9, 9))
    npy(tmp_path / "y_train.npy", [4, 5, 4])
    images = load(tmp_path / name)
    assert classes_of(images) == ["4", "5", "4"]


def test_parts_in_files_of_their_own(tmp_path: Path) -> None:
    for part, count in (("test", 2), ("train", 3)):
        np.savez(tmp_path / f"{part}.npz", images=random_pixels(count, 9, 9), labels=range(count))
    images = load(tmp_path)
    assert classes_of(images) == ["0", "1", "2", "0", "1"]
    assert images.parts is not None
    assert images.parts.tolist() == [0, 0, 0, 2, 2]


def test_kuzushiji_as_published(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("test", 2)):
        np.savez(tmp_path / f"kmnist-{part}-imgs.npz", random_pixels(count, 28, 28))
        np.savez(tmp_path / f"kmnist-{part}-labels.npz", np.arange(count))
    assert classes_of(load(tmp_path)) == ["0", "1", "2", "0", "1"]
    assert classes_of(load(tmp_path / "kmnist-test-imgs.npz")) == ["0", "1"]


def test_two_sets_in_a_folder_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("pathmnist", "bloodmnist"):
        np.savez(tmp_path / f"{name}.npz", train_images=random_pixels(2, 9, 9), train_labels=[0, 1])
    with pytest.raises(DataError, match="one set of images"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["images", "arr_0"])
def test_a_class_in_each_npz(tmp_path: Path, key: str) -> None:
    for number, name in enumerate(("cat", "dog")):
        np.savez(tmp_path / f"{name}.npz", **{key: random_pixels(3, 9, 9, seed=number)})
    images = load(tmp_path)
    assert classes_of(images) == ["cat"] * 3 + ["dog"] * 3
    np.testing.assert_array_equal(images.pixels[3:, 0], random_pixels(3, 9, 9, seed=1))


def test_shards_of_a_labelled_set(tmp_path: Path) -> None:
    for number in range(2):
        np.savez(tmp_path / f"batch_{number}.npz", x=random_pixels(3, 9, 9, seed=number), y=[4, number, 4])
    assert classes_of(load(tmp_path)) == ["4", "0", "4", "4", "1", "4"]
    (tmp_path / "batch_1.npz").rename(tmp_path / "other.npz")
    with pytest.raises(DataError, match="one set of images"):
        load(tmp_path)


# HDF5


def h5(path: Path, **arrays: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    return path


def test_galaxy10(tmp_path: Path) -> None:
    pixels = random_pixels(4, 12, 12, 3)
    images = load(h5(tmp_path / "Galaxy10.h5", images=pixels, ans=[0, 2, 1, 2], ra=np.zeros(4)))
    np.testing.assert_array_equal(images.pixels, pixels.transpose(0, 3, 1, 2))
    assert classes_of(images) == ["0", "2", "1", "2"]


@pytest.mark.parametrize("name", ["", "camelyonpatch_level_2_split_test_x.h5"])
def test_patch_camelyon(tmp_path: Path, name: str) -> None:
    for part, count in (("train", 3), ("valid", 2), ("test", 2)):
        start = f"camelyonpatch_level_2_split_{part}"
        h5(tmp_path / f"{start}_x.h5", x=random_pixels(count, 10, 10, 3))
        h5(tmp_path / f"{start}_y.h5", y=np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1))
    images = load(tmp_path / name)
    assert classes_of(images) == (["0", "1"] if name else ["0", "1", "2", "0", "1", "0", "1"])
    assert (images.parts is None) == bool(name)


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_bytes_in_hdf5_can_stay_on_disk(tmp_path: Path, compression: str | None) -> None:
    pixels = random_pixels(5, 9, 9)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("deep/in/images", data=pixels, compression=compression)
    images = load(tmp_path / "x.h5", resident="never")
    assert images.on_disk
    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert load(tmp_path / "x.h5").content_hash == images.content_hash


def test_zeros_and_ones_and_text_in_hdf5(tmp_path: Path) -> None:
    pixels = random_pixels(3, 9, 9) // 128
    images = load(h5(tmp_path / "x.h5", images=pixels, labels=["b", "a", "b"]))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels * 255)
    assert classes_of(images) == ["b", "a", "b"]


def test_hdf5_that_is_damaged_or_leads_elsewhere(tmp_path: Path) -> None:
    whole = h5(tmp_path / "x.h5", images=random_pixels(5, 30, 30)).read_bytes()
    for keep in (8, 600, 3000):
        (tmp_path / "short.h5").write_bytes(whole[:keep])
        with pytest.raises(DataError, match="whole HDF5 file"):
            load(tmp_path / "short.h5")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(tmp_path / "x.h5"), "images")
    with pytest.raises(DataError, match="no array"):
        load(tmp_path / "link.h5")
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.create_dataset("images", shape=(2**30, 64, 64), dtype="u1", chunks=(1, 64, 64))
    with pytest.raises(DataError, match="bytes declared"):
        load(tmp_path / "empty.h5")


# MATLAB


@pytest.mark.parametrize("name", ["", "train_32x32.mat"])
def test_svhn(tmp_path: Path, name: str) -> None:
    pixels = random_pixels(32, 32, 3, 5)
    for part in ("train", "test"):
        scipy.io.savemat(tmp_path / f"{part}_32x32.mat", {"X": pixels, "y": [[10], [1], [9], [10], [2]]})
    images = load(tmp_path / name)
    np.testing.assert_array_equal(images.pixels[:5], pixels.transpose(3, 2, 0, 1))
    assert classes_of(images)[:5] == ["0", "1", "9", "0", "2"]
    assert (images.parts is None) == bool(name)


def test_emnist_of_matlab_is_turned_and_named(tmp_path: Path) -> None:
    rows, mapping = random_pixels(5, 784), np.array([[1, 65, 97], [2, 66, 98], [3, 67, 99]])
    train = {"images": rows, "labels": [[1], [3], [1], [3], [2]]}
    scipy.io.savemat(tmp_path / "emnist-letters.mat", {"dataset": {"train": train, "mapping": mapping}})
    images = load(tmp_path / "emnist-letters.mat")
    np.testing.assert_array_equal(images.pixels[:, 0], rows.reshape(5, 28, 28).swapaxes(1, 2))
    assert classes_of(images) == ["A", "C", "A", "C", "B"]


def test_groups_may_be_floats(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=random_pixels(3, 9, 9), subjects=[7.0, 8.0, 7.0])
    groups = load(tmp_path / "set.npz").groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 0]


def test_labels_of_two_parts_as_rows(tmp_path: Path) -> None:
    arrays = {"trainX": random_pixels(4, 784), "testX": random_pixels(2, 784)}
    scipy.io.savemat(tmp_path / "set.mat", {**arrays, "trainY": [[0, 1, 0, 1]], "testY": [[0, 1]]})
    assert classes_of(load(tmp_path / "set.mat")) == ["0", "1", "0", "1", "0", "1"]


MATLAB = {
    "mnist-original": ({"data": (784, 5), "label": [[0.0, 1, 0, 1, 0]]}, (1, 28, 28)),
    "images last": ({"x": (28, 28, 5), "y": [[0, 1, 0, 1, 0]]}, (1, 28, 28)),
    "images first": ({"x": (5, 28, 28), "y": [[0, 1, 0, 1, 0]]}, (1, 28, 28)),
    "four channels and one-hot columns": (
        {"train_x": (28, 28, 4, 5), "train_y": np.eye(2)[:, [0, 1, 0, 1, 0]]},
        (4, 28, 28),
    ),
    "a structure": (
        {"dataset": {"train": {"images": (5, 784), "labels": [[0], [1], [0], [1], [0]]}}},
        (1, 28, 28),
    ),
}


def filled(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: filled(value) for name, value in tree.items()}
    return random_pixels(*tree) if isinstance(tree, tuple) else tree


@pytest.mark.parametrize("kind", MATLAB)
def test_what_matlab_writes(tmp_path: Path, kind: str) -> None:
    variables, shape = MATLAB[kind]
    scipy.io.savemat(tmp_path / "set.mat", filled(variables))
    images = load(tmp_path / "set.mat")
    assert (len(images), images.shape) == (5, shape)
    assert classes_of(images) == ["0", "1", "0", "1", "0"]


def test_a_variable_of_matlab_may_be_called_file(tmp_path: Path) -> None:
    names = np.array(["a", "b", "a"], dtype=object)
    scipy.io.savemat(tmp_path / "set.mat", {"images": np.zeros((3, 8, 8), np.uint8), "file": names})
    assert len(load(tmp_path / "set.mat")) == 3


def test_a_damaged_text_that_ends_scipy_by_a_signal_ends_in_our_own_words(tmp_path: Path) -> None:
    names = np.array(["a", "b", "c"], dtype=object)
    scipy.io.savemat(tmp_path / "set.mat", {"images": np.zeros((3, 8, 8), np.uint8), "class_names": names})
    content = bytearray((tmp_path / "set.mat").read_bytes())
    content[-8] = 0  # the type of the last text's letters
    (tmp_path / "set.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"set\.mat must be a whole MATLAB file"):
        load(tmp_path / "set.mat")


def test_matlab_of_version_7_3(tmp_path: Path) -> None:
    pixels = random_pixels(12, 10, 3, 7)
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file.create_dataset("X", data=pixels.T)
        file.create_dataset("y", data=np.arange(7.0)[:, None].T)
    content = bytearray((tmp_path / "new.mat").read_bytes())
    content[:19] = b"MATLAB 7.3 MAT-file"
    (tmp_path / "new.mat").write_bytes(content)
    images = load(tmp_path / "new.mat")
    np.testing.assert_array_equal(images.pixels, pixels.transpose(3, 2, 0, 1))
    assert images.class_names == tuple("0123456")


def test_names_of_classes_in_a_cell(tmp_path: Path) -> None:
    names = np.array(["ape", "bee"], dtype=object)
    scipy.io.savemat(
        tmp_path / "x.mat",
        {"images": random_pixels(3, 9, 9), "labels": [[2], [1], [2]], "class_names": names},
    )
    assert classes_of(load(tmp_path / "x.mat")) == ["bee", "ape", "bee"]


def test_a_damaged_mat(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"images": random_pixels(30, 9, 9)})
    whole = (tmp_path / "x.mat").read_bytes()
    for keep in (0, 130, 1000):
        (tmp_path / "x.mat").write_bytes(whole[:keep])
        with pytest.raises(DataError):
            load(tmp_path / "x.mat")


# CIFAR


def cifar(folder: Path, names: tuple[str, ...], labels: int = 1) -> dict[str, np.ndarray]:
    folder.mkdir(exist_ok=True)
    made = {}
    for seed, name in enumerate(names):
        records = random_pixels(4, labels + 3072, seed=seed)
        records[:, :labels] = np.arange(4)[:, None] % 3
        (folder / name).write_bytes(records.tobytes())
        made[name] = records
    return made


def test_cifar_10(tmp_path: Path) -> None:
    made = cifar(tmp_path / "bin", ("test_batch.bin", "data_batch_2.bin", "data_batch_1.bin"))
    (tmp_path / "bin" / "batches.meta.txt").write_text("airplane\nautomobile\nbird\n\n\n")
    images = load(tmp_path)
    np.testing.assert_array_equal(images.pixels[4:8].reshape(4, -1), made["data_batch_2.bin"][:, 1:])
    assert classes_of(images)[:4] == ["airplane", "automobile", "bird", "airplane"]
    assert images.parts is not None
    assert images.parts.tolist() == [0] * 8 + [2] * 4
    assert images.names[11] == "test_batch.bin[3]"
    assert len(load(tmp_path / "bin" / "data_batch_1.bin")) == 4


def test_cifar_100_takes_the_fine_labels(tmp_path: Path) -> None:
    cifar(tmp_path / "bin", ("train.bin", "test.bin"), labels=2)
    (tmp_path / "bin" / "fine_label_names.txt").write_text("apple\nbaby\nbear\n")
    images = load(tmp_path / "bin")
    assert (images.shape, images.class_names) == ((3, 32, 32), ("apple", "baby", "bear"))


def test_cifar_cut_short(tmp_path: Path) -> None:
    cifar(tmp_path / "bin", ("data_batch_1.bin",))
    path = tmp_path / "bin" / "data_batch_1.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="records of 3,073 bytes"):
        load(tmp_path / "bin")


# archives


def tree(folder: Path) -> dict[str, bytes]:
    files = (one for one in sorted(folder.rglob("*")) if one.is_file())
    return {f"outer/{one.relative_to(folder)}": one.read_bytes() for one in files}


@pytest.mark.parametrize("form", ["x.zip", "x.tar.gz", "x.tar"])
@pytest.mark.parametrize("kind", ["cifar", "emnist", "npy", "mat"])
def test_archives_of_arrays(tmp_path: Path, kind: str, form: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    if kind == "cifar":
        cifar(folder, ("data_batch_1.bin", "test_batch.bin"))
    elif kind == "emnist":
        header = b"\0\0\x08\3" + b"\0\0\0\2" + b"\0\0\0\x06" * 2
        content = gzip.compress(header + random_pixels(2, 6, 6).tobytes())
        (folder / "emnist-letters-test-images-idx3-ubyte.gz").write_bytes(content)
        (folder / "emnist-letters-test-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1\0\0\0\2\1\2")
        (folder / "emnist-letters-mapping.txt").write_text("1 65\n2 66\n")
    elif kind == "npy":
        npy(folder / "X.npy", random_pixels(3, 9, 9))
        npy(folder / "Y.npy", [0, 1, 0])
    else:
        scipy.io.savemat(folder / "train_32x32.mat", {"X": random_pixels(32, 32, 3, 2), "y": [[1], [10]]})
    archive = (write_zip if form == "x.zip" else write_tar)(tmp_path / form, tree(folder))
    images = load(archive)
    assert images.content_hash == load(folder).content_hash
    assert images.class_names == load(folder).class_names
    assert not [one for one in (tmp_path / "cache").rglob("*") if "tmp" in one.name]


def test_an_error_in_an_archive_names_the_archive(tmp_path: Path) -> None:
    cifar(tmp_path / "set", ("data_batch_1.bin",))
    short = {name: content[:-5] for name, content in tree(tmp_path / "set").items()}
    archive = write_zip(tmp_path / "x.zip", short)
    with pytest.raises(DataError, match=r"x\.zip: outer/data_batch_1\.bin must hold records"):
        load(archive)


# pickles


@pytest.mark.parametrize(
    ("name", "do"),
    [
        ("data_batch_1", "binary version"),
        ("train", "binary version"),
        ("mnist.pkl", "numpy.savez"),
        ("mnist.pkl.gz", "numpy.savez"),
        ("training.pt", "numpy.savez"),
        ("no-ending", "numpy.savez"),
    ],
)
def test_pickles_are_refused_by_that_name(tmp_path: Path, name: str, do: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    content = pickle.dumps({b"data": 1}, protocol=2)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    archive = write_tar(tmp_path / "x.tar.gz", tree(folder))
    for path in (folder / name, *((folder, archive) if name not in ("no-ending", "train") else ())):
        with pytest.raises(DataError, match="pickle, which runs code") as error:
            load(path)
        assert str(path) in error.value.must
        assert do in error.value.do


@pytest.mark.parametrize(
    ("form", "names"),
    [
        *((form, names) for form in ("npz", "h5", "folder") for names in ("{}", "train/{}", "{}/images")),
        *((form, names) for form in ("mat", "npz") for names in ("{}_train", "test_{}")),
    ],
)
def test_arrays_called_by_their_classes(form: str, names: str, tmp_path: Path) -> None:
    cats, dogs = random_pixels(4, 12, 10), random_pixels(3, 12, 10, seed=1)
    arrays = {names.format("dog"): dogs, names.format("Cat"): cats}
    path = tmp_path / f"some.{form}"
    if form == "npz":
        np.savez(path, **arrays)
    elif form == "h5":
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    elif form == "mat":
        scipy.io.savemat(path, {name: array.transpose(1, 2, 0) for name, array in arrays.items()})
    else:
        path.mkdir()
        np.savez(path / "train.npz", **arrays)
        np.savez(path / "test.npz", **{name.replace("train", "test"): one for name, one in arrays.items()})
    images = load_images(DataConfig(spec=str(path)))
    assert images.class_names == ("Cat", "dog")
    np.testing.assert_array_equal(images.pixels[:7, 0], np.concatenate([cats, dogs]))
    assert images.labels is not None
    assert images.labels[:7].tolist() == [0] * 4 + [1] * 3
    if form == "folder":
        assert images.parts is not None
        assert images.parts.tolist() == [0] * 7 + [2] * 7


@pytest.mark.parametrize(
    "arrays", [("noisy", "clean"), ("cat", "dog", "labels"), ("image", "mask"), ("train", "test"), ("x", "y")]
)
def test_arrays_that_are_no_classes(arrays: tuple[str, ...], tmp_path: Path) -> None:
    content = {name: random_pixels(3, 12, 10) if name != "labels" else np.arange(6) for name in arrays}
    np.savez(tmp_path / "some.npz", **content)
    try:
        assert not load_images(DataConfig(spec=str(tmp_path / "some.npz"))).labelled
    except DataError as error:
        assert "images under a name" in error.must  # noqa: PT017 - one of the two


def cell(values: Iterable[object]) -> np.ndarray:
    """MATLAB's cell array, 1 x N."""
    listed = list(values)
    array = np.empty((1, len(listed)), dtype=object)
    for place, value in enumerate(listed):
        array[0, place] = value
    return array


@pytest.mark.parametrize("form", ["cells", "parts", "structures", "texts"])
def test_cells_of_images_are_read(form: str, tmp_path: Path):
    pixels, labels = random_pixels(6, 9, 8, 3), [0, 1, 2, 0, 1, 2]
    rows = np.array(
        [tuple(one) for one in zip(pixels, labels, strict=True)], dtype=[("img", object), ("y", object)]
    )
    arrays: dict[str, object] = {
        "cells": {"imgs": cell(pixels), "labels": labels},
        "parts": {
            "X_train": cell(pixels[:4]),
            "X_test": cell(pixels[4:]),
            "y_train": [0, 1, 2, 0],
            "y_test": [1, 2],
        },
        "structures": {"data": rows[None]},
        "texts": {"set": {"images": cell(pixels), "labels": cell("abc"[one] for one in labels)}},
    }[form]  # type: ignore[assignment]
    scipy.io.savemat(tmp_path / "set.mat", arrays)
    images = load(tmp_path / "set.mat")
    np.testing.assert_array_equal(images.pixels, pixels.transpose(0, 3, 1, 2))
    assert images.labels is not None
    assert images.labels.tolist() == labels
    assert images.class_names == (tuple("abc") if form == "texts" else tuple("012"))
    assert (images.parts is None) == (form != "parts")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_cells_may_have_sizes_of_their_own(version: str, tmp_path: Path):
    pixels = [random_pixels(9, 8, seed=number)[: 9 - (number == 10)] for number in range(11)]
    path = tmp_path / "set.mat"
    if version == "5":
        scipy.io.savemat(path, {"images": cell(pixels)})
    else:
        with h5py.File(path, "w", userblock_size=512) as file:
            cells = file.create_dataset("images", (11, 1), dtype=h5py.ref_dtype)
            cells.attrs["MATLAB_class"] = np.bytes_("cell")
            for number, one in enumerate(pixels):
                cells[number, 0] = file.create_dataset(f"#refs#/{number}", data=one.T).ref
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    images = load(path)
    assert images.shape == (1, 9, 8)
    np.testing.assert_array_equal(images.pixels[:10, 0], pixels[:10])
