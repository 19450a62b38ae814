"""NumPy files: what is accepted, and that nothing else is."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from latentspace.core.errors import DataError
from latentspace.data.config import DataConfig
from latentspace.data.readers.streams import read_exactly
from latentspace.data.sources import load_images
from makers import load, random_pixels


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "file.npz"
    np.savez(path, **arrays)
    return path


def npy(folder: Path, array: np.ndarray) -> Path:
    path = folder / "file.npy"
    np.save(path, array)
    return path


@pytest.mark.parametrize("name", ["images", "x", "data", "arr_0"])
@pytest.mark.parametrize("labels", ["labels", "y", "targets", "target", "arr_1"])
def test_the_names_of_the_arrays(tmp_path: Path, name: str, labels: str) -> None:
    pixels = random_pixels(3, 6, 5)
    images = load(npz(tmp_path, **{name: pixels, labels: np.array([30, -4, 30]), "other": np.zeros(9)}))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert images.class_names == ("-4", "30")
    assert images.labels is not None
    assert images.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_parts_are_joined(tmp_path: Path, names: tuple[str, str, str, str]) -> None:
    pixels = random_pixels(5, 6, 5)
    parts = (pixels[:3], np.array([[0], [1], [2]]), pixels[3:], np.array([[1], [0]]))
    images = load(npz(tmp_path, **dict(zip(names, parts, strict=True))))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2, 1, 0]


def test_strings_are_classes_in_natural_order(tmp_path: Path) -> None:
    images = load(npz(tmp_path, images=random_pixels(4, 6, 5), labels=np.array(["c10", "c9", "c10", "c1"])))
    assert images.class_names == ("c1", "c9", "c10")
    assert images.labels is not None
    assert images.labels.tolist() == [2, 1, 2, 0]


def test_class_names_and_groups(tmp_path: Path) -> None:
    names = np.array(["zebra", "ape", "unused"])
    groups = np.array([7, 7, 9])
    images = load(npz(tmp_path, x=random_pixels(3, 6, 5), y=[1, 0, 1], class_names=names, groups=groups))
    assert images.class_names == ("zebra", "ape", "unused")
    assert images.labels is not None
    assert images.labels.tolist() == [1, 0, 1]
    assert images.groups is not None
    assert images.groups.tolist() == [0, 0, 1]


def test_floats_are_rounded_and_that_is_recorded(tmp_path: Path) -> None:
    values = np.array([[[0.0, 1.0], [0.5, 0.1]]], dtype=np.float32)
    images = load(npy(tmp_path, values))
    assert images.pixels[0, 0].tolist() == [[0, 255], [128, 26]]
    assert images.record.conversions == ("1 image rounded from float32 in 0..1 to 8 bits",)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
def test_floats_of_any_kind(tmp_path: Path, dtype: str) -> None:
    pixels = random_pixels(3, 4, 5)
    np.testing.assert_array_equal(load(npy(tmp_path, (pixels / 255).astype(dtype))).pixels[:, 0], pixels)


@pytest.mark.parametrize(("ground", "name"), [(0, "black"), (255, "white")])
def test_alpha_is_laid_over_what_keeps_the_picture_visible(tmp_path: Path, ground: int, name: str) -> None:
    pixels = random_pixels(2, 4, 5, 4)
    pixels[..., :3] = pixels[..., :3] // 2 + (0 if ground else 128)
    pixels[1, :, :, 3] = 255
    images = load(npy(tmp_path, pixels))
    opacity = pixels[..., 3:] / 255.0
    exact = pixels[..., :3] * opacity + ground * (1 - opacity)
    assert np.abs(images.pixels.transpose(0, 2, 3, 1) - exact).max() <= 0.51
    assert f"1 image with alpha laid over {name}" in images.record.conversions[0]


@pytest.mark.parametrize(
    ("shape", "channels"), [((2, 6, 5, 1), 1), ((2, 6, 5, 3), 3), ((2, 1, 6, 5), 1), ((2, 3, 6, 5), 3)]
)
def test_channels_may_come_first_or_last(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    pixels = random_pixels(*shape)
    images = load(npy(tmp_path, pixels))
    assert images.shape == (channels, 6, 5)
    first = pixels if shape[1] == channels else pixels.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(images.pixels, first)


BAD = {
    "rows that are no square": (np.zeros((5, 785), np.uint8), r"\(5, 785\)"),
    "a picture": (np.zeros((64, 64), np.uint8), r"\(64, 64\)"),
    "five dimensions": (np.zeros((5, 1, 1, 8, 8), np.uint8), "shape"),
    "33 channels": (np.zeros((5, 40, 40, 33), np.uint8), r"\(5, 40, 40, 33\)"),
    "12 channels, or 16": (np.zeros((5, 12, 20, 16), np.uint8), r"\(5, 12, 20, 16\)"),
    "no image": (np.zeros((0, 8, 8), np.uint8), r"\(0, 8, 8\)"),
    "a single number": (np.array(0.5), r"\(\)"),
    "complex": (np.zeros((5, 8, 8), complex), "complex128"),
    "strings": (np.full((5, 8, 8), "a"), "<U1"),
    "NaN": (np.where(np.arange(5) == 3, np.nan, 0.5)[:, None, None] * np.ones((5, 8, 8)), "NaN in image 3"),
    "infinity": (np.full((5, 8, 8), np.inf), "infinite"),
    "records": (np.zeros((5, 8, 8), np.dtype([("a", [("b", "u1")])])), "records"),
}


@pytest.mark.parametrize("kind", BAD)
def test_arrays_that_are_no_images(tmp_path: Path, kind: str) -> None:
    array, found = BAD[kind]
    for path in (npy(tmp_path, array), npz(tmp_path, images=array)):
        with pytest.raises(DataError, match=found) as error:
            load(path)
        assert error.value.do


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    array = np.empty(2, dtype=object)
    array[:] = [np.zeros((2, 2)), len]
    np.save(tmp_path / "file.npy", array, allow_pickle=True)
    np.savez(tmp_path / "file.npz", images=array, allow_pickle=True)
    for name in ("file.npy", "file.npz"):
        with pytest.raises(DataError, match="never unpickled"):
            load(tmp_path / name)


BAD_BESIDE = {
    "labels too short": ({"labels": np.zeros(2, int)}, "3 images, labels of shape"),
    "groups too long": ({"groups": np.zeros(4, int)}, "groups of shape"),
    "a label without a name": (
        {"labels": np.array([0, 1, 2]), "class_names": np.array(["a", "b"])},
        "label '2'",
    ),
    "a name that is not listed": (
        {"labels": np.array(["a", "c", "a"]), "class_names": ["a", "b"]},
        "label 'c'",
    ),
    "class names that repeat": ({"labels": np.array([0, 1, 0]), "class_names": ["a", "a"]}, "'a'"),
}


@pytest.mark.parametrize("kind", BAD_BESIDE)
def test_what_stands_beside_the_images_must_fit(tmp_path: Path, kind: str) -> None:
    beside, found = BAD_BESIDE[kind]
    with pytest.raises(DataError, match=found):
        load(npz(tmp_path, images=random_pixels(3, 4, 4), **beside))


def test_an_npz_without_images_lists_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"weights float64 \(3, 4\)"):
        load(npz(tmp_path, weights=np.zeros((3, 4))))


def test_parts_of_two_sizes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one shape"):
        load(npz(tmp_path, x_train=random_pixels(3, 4, 4), x_test=random_pixels(3, 5, 4)))


@pytest.mark.parametrize("keep", [0, 5, 60, 150])
def test_files_cut_short(tmp_path: Path, keep: int) -> None:
    for path in (npy(tmp_path, random_pixels(3, 4, 4)), npz(tmp_path, images=random_pixels(3, 4, 4))):
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(DataError):
            load(path)


def test_an_absurd_shape_is_not_believed(tmp_path: Path) -> None:
    path = npy(tmp_path, random_pixels(3, 4, 4))
    content = path.read_bytes().replace(b"(3, 4, 4), }          ", b"(30000000, 4000, 400)}")
    assert b"30000000" in content
    path.write_bytes(content)
    with pytest.raises(DataError, match="48 bytes where"):
        load(path)
    with zipfile.ZipFile(tmp_path / "file.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", content)
    with pytest.raises(DataError, match="48 bytes where"):
        load(tmp_path / "file.npz")


def test_what_no_memory_can_hold_is_refused_before_it_is_read():
    with pytest.raises(DataError, match=r"1,152,921,504,606,846,976 bytes declared"):
        read_exactly(io.BytesIO(b"abc"), 2**60)


def test_only_what_is_there_is_read():
    assert read_exactly(io.BytesIO(b"abc"), 2**30).tobytes() == b"abc"
    assert read_exactly(io.BytesIO(b"abcdef"), 4).tobytes() == b"abcd"


def test_a_damaged_byte_in_an_npz_is_noticed(tmp_path: Path) -> None:
    path = npz(tmp_path, images=np.full((3, 4, 4), 77, np.uint8))
    path.write_bytes(path.read_bytes().replace(bytes([77] * 8), bytes([77] * 7 + [78]), 1))
    with pytest.raises(DataError, match="CRC"):
        load(path)


def test_other_things_in_an_npz(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file.npz", "w") as archive:
        archive.writestr("images.txt", "hello")
    with pytest.raises(DataError, match=r"images\.txt is no array"):
        load(tmp_path / "file.npz")


NAMES = {
    "X_train": "Y_train",
    "train_x": "train_y",
    "trainImages": "trainLabels",
    "xtrain": "ytrain",
    "IMAGES": "LABELS",
    "imgs": "ans",
    "features": "target",
    "glyphs": "letter",
    "fea": "gnd",
    "image_data": "class_ids",
    "a/train/images": "a/train/labels",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_say_what_they_are(tmp_path: Path, name: str) -> None:
    images = load(
        npz(tmp_path, **{name: random_pixels(3, 6, 5), NAMES[name]: [1, 0, 1], "other": np.ones(9)})
    )
    assert images.labels is not None
    assert images.labels.tolist() == [1, 0, 1]
    assert images.parts is None


def test_the_parts_of_the_publisher_are_kept(tmp_path: Path) -> None:
    pixels = random_pixels(6, 5, 5)
    parts = {"test_images": pixels[5:], "train_images": pixels[:3], "val_images": pixels[3:5]}
    images = load(npz(tmp_path, **parts))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert images.parts is not None
    assert images.parts.tolist() == [0, 0, 0, 1, 1, 2]
    assert images.names[3:] == ("val_images[0]", "val_images[1]", "test_images[0]")
    assert images.subset(np.array([5])).names == ("test_images[0]",)


def test_eval_is_validation_or_beside_it_the_test_part(tmp_path: Path) -> None:
    pixels = random_pixels(6, 5, 5)
    images = load(npz(tmp_path, train_images=pixels[:4], eval_images=pixels[4:]))
    assert images.parts is not None
    assert images.parts.tolist() == [0] * 4 + [1] * 2
    images = load(npz(tmp_path, X_train=pixels[:3], X_dev=pixels[3:4], X_eval=pixels[4:]))
    assert images.parts is not None
    assert images.parts.tolist() == [0, 0, 0, 1, 2, 2]


def test_text_labels_of_a_shorter_part_are_its_labels(tmp_path: Path) -> None:
    path, drawn = tmp_path / "letters.npz", np.random.default_rng(0).integers(0, 256, (30, 12, 12), np.uint8)
    letters = np.array(list("ABC") * 10)
    np.savez(path, x_train=drawn[:24], y_train=letters[:24], x_test=drawn[24:], y_test=letters[24:])
    images = load_images(DataConfig(spec=str(path)))
    assert images.class_names == ("A", "B", "C")
    assert images.labels.tolist() == [0, 1, 2] * 10
    assert images.parts.tolist() == [0] * 24 + [2] * 6


@pytest.mark.parametrize("name", ["classes", "list_classes"])
def test_a_short_text_called_classes_names_the_labels(tmp_path: Path, name: str) -> None:
    arrays = {"train_set_x": random_pixels(3, 6, 5), "train_set_y": [1, 0, 1]}
    images = load(npz(tmp_path, **arrays, **{name: [b"cat", b"dog"]}))
    assert images.class_names == ("cat", "dog")


def test_a_column_says_the_part_of_each_image(tmp_path: Path) -> None:
    images = load(npz(tmp_path, x=random_pixels(4, 5, 5), split=["train", "test", "extra", "valid"]))
    assert images.parts is not None
    assert images.parts.tolist() == [0, 2, -1, 1]


def test_the_only_array_that_can_be_images(tmp_path: Path) -> None:
    objects = np.empty(1, dtype=object)
    objects[0] = len
    path = tmp_path / "file.npz"
    np.savez(path, scans=random_pixels(3, 6, 5), positions=np.zeros((3, 2)), about=objects, allow_pickle=True)
    assert load(path).size == (6, 5)
    with pytest.raises(DataError, match=r"scans uint8 \(3, 6, 5\), masks uint8 \(3, 6, 5\)"):
        load(npz(tmp_path, scans=random_pixels(3, 6, 5), masks=random_pixels(3, 6, 5)))


LABELS = {
    "one-hot": (np.eye(4)[[3, 1, 3]], ["1", "3"]),
    "one-hot of -1 and 1": (2 * np.eye(4)[[3, 1, 3]] - 1, ["1", "3"]),
    "one-hot in columns": (np.eye(4, dtype=bool)[[3, 1, 3]].T, ["1", "3"]),
    "whole floats": (np.array([7.0, -2.0, 7.0], dtype="f4"), ["-2", "7"]),
    "booleans": (np.array([True, False, True]), ["False", "True"]),
    "bytes": (np.array([b"b", b"a", b"b"]), ["a", "b"]),
    "a row": (np.array([[5, 4, 5]]), ["4", "5"]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_are_classes(tmp_path: Path, kind: str) -> None:
    labels, names = LABELS[kind]
    images = load(npz(tmp_path, images=random_pixels(3, 6, 5), labels=labels))
    assert images.class_names == tuple(names)
    assert images.labels is not None
    assert images.labels.tolist() == [1, 0, 1]


NO_CLASSES = {
    "several": np.array([[1, 1], [0, 1], [0, 0]]),
    "real numbers": np.array([0.5, 1, 2]),
    "objects": np.array([len, "a", None], dtype=object),
}


@pytest.mark.parametrize("kind", NO_CLASSES)
def test_labels_that_are_no_classes_are_left_out(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    images = load(npz(tmp_path, images=random_pixels(3, 6, 5), labels=NO_CLASSES[kind], allow_pickle=True))
    assert images.labels is None
    assert "left out" in images.record.warnings[0]
    assert any(one.levelname == "WARNING" and "left out" in one.message for one in caplog.records)


def test_a_part_without_labels_is_left_out(tmp_path: Path) -> None:
    parts = {"x_train": random_pixels(3, 5, 5), "y_train": [0, 1, 0], "x_test": random_pixels(2, 5, 5)}
    images = load(npz(tmp_path, **parts))
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 0]
    assert "2 images of the part test left out, as they have no label" in images.record.warnings[0]
    assert len(load_images(DataConfig(spec=str(tmp_path / "file.npz"), label="none"))) == 5


def test_labels_of_no_part_that_is_there_are_left_out(tmp_path: Path) -> None:
    images = load(npz(tmp_path, x=random_pixels(3, 5, 5), y_test=[0, 1]))
    assert images.labels is None
    assert "y_test are not those of the images" in images.record.warnings[0]
    fits = load(npz(tmp_path, x=random_pixels(3, 5, 5), y_train=[0, 1, 1]))
    assert fits.class_names == ("0", "1")


def test_names_of_images_are_no_names_of_classes(tmp_path: Path) -> None:
    images = load(npz(tmp_path, x=random_pixels(4, 5, 5), y=[0, 1, 0, 1], names=["p", "q", "r", "s"]))
    assert images.class_names == ("0", "1")
    assert images.names == ("p", "q", "r", "s")


def test_colours_first_and_images_last(tmp_path: Path) -> None:
    pixels = random_pixels(12, 3, 9, 9)
    for many, beside in ((12, {"y": np.arange(12) % 3}), (40, {})):
        stack = np.resize(pixels, (many, 3, 9, 9))
        images = load(npz(tmp_path, x=stack.transpose(1, 2, 3, 0), **beside))
        np.testing.assert_array_equal(images.pixels, stack)


def test_classes_that_stand_behind_their_part(tmp_path: Path) -> None:
    arrays = {f"{part}{digit}": random_pixels(3, 64) for part in ("train", "test") for digit in range(2)}
    images = load(npz(tmp_path, **arrays))  # as mnist_all.mat has them
    assert images.class_names == ("0", "1")
    assert images.parts is not None
    assert np.bincount(images.parts).tolist() == [6, 0, 6]


def test_names_of_labels_that_begin_with_one(tmp_path: Path) -> None:
    images = load(npz(tmp_path, x=random_pixels(3, 5, 5), y=[1, 3, 2], class_names=["a", "b", "c"]))
    assert images.labels is not None
    assert images.labels.tolist() == [0, 2, 1]


NUMBERS = {
    "int64 bytes": (np.array([0, 77, 255]), [0, 77, 255]),
    "uint16 of 16 bits": (np.array([0, 257 * 77, 65535], np.uint16), [0, 77, 255]),
    "floats to 255": (np.array([0, 77.0, 255]), [0, 77, 255]),
    "floats around 0": (np.array([-1, 0, 1], np.float32), [0, 128, 255]),
    "booleans": (np.array([False, False, True]), [0, 0, 255]),
    "0 and 1": (np.array([0, 0, 1], np.uint8), [0, 0, 255]),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_type_become_bytes(tmp_path: Path, kind: str) -> None:
    values, expected = NUMBERS[kind]
    images = load(npy(tmp_path, np.tile(values[:, None, None], (1, 5, 6))))
    assert images.pixels[:, 0, 0, 0].tolist() == expected
    assert images.record.conversions


def smooth(count: int, side: int) -> np.ndarray:
    """Colour images, channels first, in which neighbours are alike."""
    at = np.linspace(0, 3, side)
    phases = np.random.default_rng(0).uniform(0, 6, (count, 3, 1, 1))
    return (127 + 120 * np.sin(phases + at[:, None] + 2 * at)).astype(np.uint8)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
def test_flattened_colour_images_are_told_by_their_neighbours(tmp_path: Path, axes: tuple[int, ...]) -> None:
    pixels = smooth(5, 32)
    images = load(npy(tmp_path, pixels.transpose(axes).reshape(5, -1)))
    np.testing.assert_array_equal(images.pixels, pixels)
    assert "neighbours" in images.record.conversions[0]
    with pytest.raises(DataError, match="3 x 32 x 32"):
        load(npy(tmp_path, random_pixels(5, 3072)))


ORDERS = {
    "12 channels first": ((5, 12, 16, 16), (12, 16, 16)),
    "12 channels last": ((5, 16, 16, 12), (12, 16, 16)),
    "channels and images last": ((32, 32, 3, 7), (3, 32, 32)),
    "grey with a channel axis, images last": ((28, 28, 1, 50), (1, 28, 28)),
    "four channels, images last": ((28, 28, 4, 50), (4, 28, 28)),
    "images last": ((28, 28, 5000), (1, 28, 28)),
    "few images last": ((28, 28, 12), (1, 28, 28)),
    "rows": ((5, 784), (1, 28, 28)),
    "columns": ((784, 5), (1, 28, 28)),
    "two channels": ((5, 8, 8, 2), (2, 8, 8)),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_the_order_of_the_axes_is_told_by_the_shape(tmp_path: Path, kind: str) -> None:
    shape, expected = ORDERS[kind]
    images = load(npy(tmp_path, random_pixels(*shape)))
    assert images.shape == expected
    assert len(images) * np.prod(expected) == np.prod(shape)


def test_arrays_without_names_are_not_read_in_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", random_pixels(9, 8, 8), np.arange(9), random_pixels(5, 8, 8), np.arange(5))
    with pytest.raises(DataError, match="arr_0, arr_2"):
        load(tmp_path / "a.npz")


def test_more_channels_than_can_be_are_no_sides(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 16, 16, 40), np.uint8))
    with pytest.raises(DataError, match="32 or fewer"):
        load(tmp_path / "a.npy")


def test_masks_as_labels_are_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=random_pixels(9, 8, 8), labels=random_pixels(9, 8, 8) > 99)
    found = load(tmp_path / "a.npz")
    assert "64 numbers an image" in found.record.warnings[0]
    assert not found.labelled


def waves(count: int, height: int, width: int) -> np.ndarray:
    """Images whose neighbours are alike, each of its own pattern, with little in common."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[:height, :width]
    turns = rng.uniform(0.15, 0.6, (count, 2, 1, 1)), rng.uniform(0, 6, (count, 2, 1, 1))
    one, other = (turns[0][:, k] * (down, across)[k] + turns[1][:, k] for k in range(2))
    return (127 + 120 * np.sin(one) * np.cos(other)).astype(np.uint8)


@pytest.mark.parametrize("axes", [(2, 1, 0), (2, 0, 1), (0, 1, 2), (1, 0, 2), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("side", [16, 28])
def test_a_class_for_each_slice_of_an_axis(tmp_path: Path, axes: tuple[int, ...], side: int) -> None:
    images = waves(60, side, side).reshape(5, 12, -1)
    images = images // 2 + 25 * np.arange(5, dtype=np.uint8)[:, None, None]
    scipy.io.savemat(tmp_path / "usps_all.mat", {"data": images.transpose(axes)})
    np.save(tmp_path / "a.npy", images.transpose(axes))
    for name, classes in (("usps_all.mat", "12345"), ("a.npy", "01234")):
        found = load(tmp_path / name)
        assert found.class_names == tuple(classes)
        assert found.labels is not None
        assert np.bincount(found.labels).tolist() == [12] * 5
        assert (found.pixels.reshape(60, -1) == images.reshape(60, -1)).all()


def test_the_tenth_slice_of_usps_is_the_digit_0(tmp_path: Path) -> None:
    images = waves(110, 16, 16).reshape(10, 11, 256)
    scipy.io.savemat(tmp_path / "usps_all.mat", {"data": images.transpose(2, 1, 0)})
    found = load(tmp_path / "usps_all.mat")
    assert found.labels is not None
    assert [found.class_names[label] for label in found.labels[[0, 11, 109]]] == ["1", "2", "0"]


def test_numbers_of_matlab_that_show_no_sides_are_refused(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"data": random_pixels(256, 10, 11)})
    with pytest.raises(DataError, match=r"\(256, 10, 11\).*all pixels"):
        load(tmp_path / "a.mat")


@pytest.mark.parametrize("shape", [(100, 32, 24), (64, 40, 30), (40, 64, 48)])
def test_images_of_two_unequal_sides_stay_so(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    images = waves(*shape)
    np.save(tmp_path / "a.npy", images)
    scipy.io.savemat(tmp_path / "a.mat", {"x": images.transpose(1, 2, 0)})
    scipy.io.savemat(tmp_path / "b.mat", {"x": images})
    for name in ("a.npy", "a.mat", "b.mat"):
        assert (load(tmp_path / name).pixels[:, 0] == images).all()


@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 2, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_in_an_axis_beside_channels(tmp_path: Path, axes: tuple[int, ...], channels: int) -> None:
    shades = np.linspace(1, 0.5, channels)[:, None]
    images = (waves(20, 32, 32).reshape(20, 1, -1) * shades).astype(np.uint8)
    np.savez(tmp_path / "a.npz", x=images.transpose(axes), y=np.arange(20) % 2)
    found = load(tmp_path / "a.npz")
    assert found.shape == (channels, 32, 32)
    assert (found.pixels == images.reshape(20, channels, 32, 32)).all()
    assert found.class_names == ("0", "1")


@pytest.mark.parametrize("name", ["lbl", "tags", "ids", "outcome", "y_data"])
def test_a_lone_array_of_few_values_is_the_labels(name: str, tmp_path: Path) -> None:
    images = {"images": random_pixels(6, 9, 9), "kinds": np.array(["a", "b"], dtype=object)}
    np.savez(tmp_path / "some.npz", **{name: [0, 0, 1, 1, 4, 4]}, **images)
    loaded = load_images(DataConfig(spec=str(tmp_path / "some.npz")))
    assert loaded.class_names == ("0", "1", "4")
    np.savez(tmp_path / "some.npz", **images, number=np.arange(6), fold=np.arange(6) % 2, weight=np.ones(6))
    assert not load_images(DataConfig(spec=str(tmp_path / "some.npz"))).labelled


def test_names_of_classes_that_are_objects_are_left_out(tmp_path: Path, caplog) -> None:
    names = np.array(["cat", "dog"], dtype=object)
    np.savez(tmp_path / "some.npz", x=random_pixels(4, 9, 9), y=[0, 1, 0, 1], class_names=names)
    assert load_images(DataConfig(spec=str(tmp_path / "some.npz"))).class_names == ("0", "1")
    assert "never unpickled" in caplog.text


def test_records_are_read_by_their_fields(tmp_path: Path):
    pixels, labels = random_pixels(12, 9, 11), np.arange(12) % 3
    records = np.zeros(12, [("img", "u1", (9, 11)), ("target", "U3"), ("note", "f4")])
    records["img"], records["target"] = pixels, np.array(["a", "bb", "c"])[labels]
    for path in (npy(tmp_path, records), npz(tmp_path, anything=records)):
        images = load(path)
        np.testing.assert_array_equal(images.pixels[:, 0], pixels)
        assert images.class_names == ("a", "bb", "c")
        assert images.labels is not None
        assert images.labels.tolist() == labels.tolist()


def test_records_of_single_numbers_are_pixels_or_colours(tmp_path: Path):
    pixels = random_pixels(12, 64)
    columns = np.zeros(12, [("index", "i8"), ("label", "i8"), *((f"p{one}", "u1") for one in range(64))])
    columns["label"] = np.arange(12) % 2
    for one in range(64):
        columns[f"p{one}"] = pixels[:, one]
    images = load(npy(tmp_path, columns))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels.reshape(12, 8, 8))
    assert images.class_names == ("0", "1")
    colours = random_pixels(5, 9, 10, 3)
    images = load(npy(tmp_path, colours.view([(one, "u1") for one in "rgb"])[..., 0]))
    np.testing.assert_array_equal(images.pixels, colours.transpose(0, 3, 1, 2))


def test_records_without_images_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"foo float32 \(5,\), bar int64 \(5,\)"):
        load(npy(tmp_path, np.zeros(5, [("foo", "f4"), ("bar", "i8")])))
    with pytest.raises(DataError, match="records in records"):
        load(npy(tmp_path, np.zeros(5, [("image", [("r", "u1", (9, 9))])])))


@pytest.mark.parametrize(
    "labels",
    [
        [0.0, 1.0, np.nan],
        ["a", "b", ""],
        ["a", "b", "nan"],
        [b"a", b"b", b""],
        np.array(["2020-01-01", "2020-01-02", "NaT"], dtype="datetime64[D]"),
    ],
    ids=["NaN", "empty", "as text", "bytes", "NaT"],
)
def test_what_has_no_label_is_left_out_of_those_that_have(tmp_path: Path, labels: list[object]) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, images=random_pixels(6, 8, 8), labels=np.concatenate([labels, labels]))
    images = load_images(DataConfig(spec=str(path)))
    assert images.names == ("0", "1", "3", "4")
    assert images.labels is not None
    assert (images.labels.tolist(), len(images.class_names)) == ([0, 1, 0, 1], 2)
    assert "2 images left out" in images.record.warnings[0]
    assert len(load_images(DataConfig(spec=str(path), label="none"))) == 6


def test_labels_that_are_all_missing_are_no_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=random_pixels(6, 8, 8), labels=np.full(6, np.nan))
    images = load_images(DataConfig(spec=str(tmp_path / "set.npz")))
    assert (len(images), images.labels) == (6, None)
