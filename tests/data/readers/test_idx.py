"""IDX: the header is checked against the file before a byte of it is believed."""

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError, OutputError
from latentspace.data.config import DataConfig
from latentspace.data.readers.idx import read_idx, write_idx_folder
from latentspace.data.sources import load_images
from makers import encoded, random_pixels
from materials import make_images


def header(*sizes: int, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def mnist(folder: Path, part: str, count: int, seed: int = 0) -> np.ndarray:
    pixels = random_pixels(count, 5, 4, seed=seed)
    write(folder / f"{part}-images-idx3-ubyte.gz", header(count, 5, 4) + pixels.tobytes())
    write(
        folder / f"{part}-labels-idx1-ubyte", header(count) + bytes(number % 3 + 4 for number in range(count))
    )
    return pixels


def test_a_folder_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    images = replace(make_images(20), groups=np.arange(20) // 4 - 1, class_names=("<b>", "Ω mega", "a, b"))
    written = write_idx_folder(images, tmp_path / "deep" / "out")

    again = load_images(DataConfig(spec=str(tmp_path / "deep" / "out")))

    assert {path.name for path in written} == {
        "images-idx3-ubyte.gz",
        "labels-idx1-ubyte.gz",
        "classes.txt",
        "groups-idx1-int.gz",
    }
    assert again.content_hash == images.content_hash
    np.testing.assert_array_equal(again.groups, images.groups)


def test_equal_images_give_equal_files(tmp_path: Path) -> None:
    first = write_idx_folder(make_images(9), tmp_path / "first")
    second = write_idx_folder(make_images(9), tmp_path / "second")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="new or an empty"):
        write_idx_folder(make_images(3), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_class_name_of_two_lines_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one line"):
        write_idx_folder(replace(make_images(3), class_names=("a", "b\nc", "d")), tmp_path / "out")


def test_an_images_file_finds_its_own_labels(tmp_path: Path) -> None:
    mnist(tmp_path, "train", 7)
    pixels = mnist(tmp_path, "t10k", 6, seed=1)

    images = load_images(DataConfig(spec=str(tmp_path / "t10k-images-idx3-ubyte.gz")))

    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    assert images.class_names == ("4", "5", "6")
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_parts_are_joined_and_kept(tmp_path: Path) -> None:
    test, train = mnist(tmp_path, "t10k", 6, seed=1), mnist(tmp_path, "train", 7)

    images = load_images(DataConfig(spec=str(tmp_path)))

    np.testing.assert_array_equal(images.pixels[:, 0], np.concatenate([train, test]))
    assert images.labels is not None
    assert images.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 0, 1, 2, 0, 1, 2]
    assert images.parts is not None
    assert images.parts.tolist() == [0] * 7 + [2] * 6
    assert images.names[7] == "t10k-images-idx3-ubyte.gz[0]"


@pytest.mark.parametrize(
    "rename", [str.upper, str.title, lambda name: name.replace("-idx3", "").replace("-idx1", "")]
)
def test_names_of_another_spelling_go_together(tmp_path: Path, rename: Callable[[str], str]) -> None:
    for part in ("train", "t10k"):
        mnist(tmp_path, part, 5)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(rename(path.name)))
    images = load_images(DataConfig(spec=str(tmp_path)))
    assert len(images) == 10
    assert images.class_names == ("4", "5", "6")
    assert images.parts is not None


@pytest.mark.parametrize("below", ["MNIST/raw", "raw", "outer"])
def test_what_torchvision_leaves(tmp_path: Path, below: str) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        mnist(folder, part, 5)
        for path in list(folder.glob(f"{part}*.gz")):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    images = load_images(DataConfig(spec=str(tmp_path)))
    assert len(images) == 10
    assert images.names[0] == "train-images-idx3-ubyte[0]"
    assert images.class_names == ("4", "5", "6")


def test_two_sets_in_a_folder_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("emnist-letters-train", "emnist-digits-train", "emnist-digits-test"):
        mnist(tmp_path, name, 3)
    with pytest.raises(DataError, match="one IDX set"):
        load_images(DataConfig(spec=str(tmp_path)))


def test_a_part_without_labels_is_left_out(tmp_path: Path) -> None:
    mnist(tmp_path, "train", 7)
    mnist(tmp_path, "test", 6)
    (tmp_path / "test-labels-idx1-ubyte").unlink()
    images = load_images(DataConfig(spec=str(tmp_path)))
    assert (len(images), images.labelled) == (7, True)
    assert "6 images of the part test left out, as they have no label" in images.record.warnings[0]
    assert len(load_images(DataConfig(spec=str(tmp_path), label="none"))) == 13


def emnist(folder: Path, mapping: str = "1 65 97\n2 66 98\n3 67 99\n") -> np.ndarray:
    pixels = random_pixels(4, 6, 6)
    write(folder / "emnist-letters-train-images-idx3-ubyte.gz", header(4, 6, 6) + pixels.tobytes())
    write(folder / "emnist-letters-train-labels-idx1-ubyte.gz", header(4) + bytes([1, 3, 3, 2]))
    (folder / "emnist-letters-mapping.txt").write_text(mapping)
    return pixels


@pytest.mark.parametrize("named", ["", "emnist-letters-train-images-idx3-ubyte.gz"])
def test_emnist_is_upright_and_its_classes_have_names(tmp_path: Path, named: str) -> None:
    pixels = emnist(tmp_path)
    images = load_images(DataConfig(spec=str(tmp_path / named)))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels.transpose(0, 2, 1))
    assert images.class_names == ("A", "B", "C")
    assert images.labels is not None
    assert images.labels.tolist() == [0, 2, 2, 1]
    assert "turned upright" in images.record.conversions[0]


@pytest.mark.parametrize(("named", "last"), [("letters", "Z"), ("byclass", "z"), ("balanced", "t")])
def test_emnist_without_its_mapping_and_with_a_compressed_one(tmp_path: Path, named: str, last: str) -> None:
    labels = bytes([{"letters": 26, "byclass": 61, "balanced": 46}[named], 10])
    write(tmp_path / f"emnist-{named}-test-images-idx3-ubyte", header(2, 6, 6) + bytes(72))
    write(tmp_path / f"emnist-{named}-test-labels-idx1-ubyte", header(2) + labels)
    images = load_images(DataConfig(spec=str(tmp_path)))
    assert images.labels is not None
    assert [images.class_names[one] for one in images.labels] == [last, "J" if named == "letters" else "A"]
    write(tmp_path / f"emnist-{named}-mapping.txt.gz", f"{labels[0]} 63\n10 33\n".encode())
    assert load_images(DataConfig(spec=str(tmp_path))).class_names == ("!", "?")


@pytest.mark.parametrize("mapping", ["1 65\n2 66\n", "1 65\n2 65\n3 67\n", "one 65\n", "1\n", "1 -5\n"])
def test_a_mapping_must_fit(tmp_path: Path, mapping: str) -> None:
    emnist(tmp_path, mapping)
    with pytest.raises(DataError, match="mapping"):
        load_images(DataConfig(spec=str(tmp_path)))


def test_numbers_of_more_than_a_byte(tmp_path: Path) -> None:
    values = np.array([0, 300, 1023], ">i2").repeat(16)
    path = write(tmp_path / "images-idx3-short", header(3, 4, 4, kind=11) + values.tobytes())
    images = load_images(DataConfig(spec=str(path)))
    assert images.pixels[:, 0, 0, 0].tolist() == [0, 75, 255]
    assert images.record.conversions


def test_labels_of_eight_columns(tmp_path: Path) -> None:
    write(tmp_path / "qmnist-test-images-idx3-ubyte.gz", header(2, 4, 4) + bytes(range(32)))
    labels = np.arange(16, dtype=">i4").tobytes()
    write(tmp_path / "qmnist-test-labels-idx2-int.gz", header(2, 8, kind=12) + labels)
    assert load_images(DataConfig(spec=str(tmp_path))).class_names == ("0", "8")


def test_an_image_called_idx3_is_an_image(tmp_path: Path) -> None:
    (tmp_path / "idx3.png").write_bytes(encoded(random_pixels(4, 4)))
    assert load_images(DataConfig(spec=str(tmp_path))).size == (4, 4)


def test_images_without_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "whatever.bin", header(2, 3, 4) + bytes(range(24)))
    images = load_images(DataConfig(spec=str(path)))
    assert images.pixels[1, 0, 0].tolist() == [12, 13, 14, 15]
    assert images.labels is None


@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_colour(tmp_path: Path, order: str) -> None:
    pixels = random_pixels(2, 3, 6, 5)
    stored = pixels if order == "channels first" else pixels.transpose(0, 2, 3, 1)
    path = write(tmp_path / "images-idx4-ubyte", header(*stored.shape) + stored.tobytes())
    np.testing.assert_array_equal(load_images(DataConfig(spec=str(path))).pixels, pixels)


BROKEN = {
    "cut short": (header(3, 4, 4) + bytes(47), "47 bytes where"),
    "too long": (header(3, 4, 4) + bytes(49), "more than the 48 bytes"),
    "a wrong magic number": (b"\x00\x01\x08\x03" + bytes(60), "00 01 08 03"),
    "an unknown type": (header(3, 4, 4, kind=7) + bytes(48), "00 00 07 03"),
    "no header": (b"\x00\x00", "00 00"),
    "nothing": (b"", "empty file"),
    "half a header": (header(3, 4, 4)[:10], "header cut short"),
    "no image": (header(0, 4, 4), r"\(0, 4, 4\)"),
    "NaN": (header(1, 1, 2, kind=13) + b"\x7f\xc0\0\0" * 2, "NaN"),
    "labels": (header(4) + bytes(4), "rank 1"),
}


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, kind: str, ending: str) -> None:
    content, found = BROKEN[kind]
    path = write(tmp_path / f"images-idx3-ubyte{ending}", content)
    with pytest.raises(DataError, match=found) as error:
        load_images(DataConfig(spec=str(path)))
    assert str(path) in error.value.must
    assert error.value.do


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_an_absurd_size_is_not_believed(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"images-idx3-ubyte{ending}", header(2**31, 2**15, 2**15) + bytes(1000))
    tracemalloc.start()
    with pytest.raises(DataError, match="more than the file can hold"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21


def test_gzip_is_inflated_no_further_than_declared(tmp_path: Path) -> None:
    path = write(tmp_path / "images-idx3-ubyte.gz", header(1, 4, 4) + bytes(64 * 2**20))
    tracemalloc.start()
    with pytest.raises(DataError, match="more than the 16 bytes"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


def test_a_gz_that_a_browser_has_inflated_is_read(tmp_path: Path) -> None:
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(header(1, 2, 2) + bytes(4))
    assert read_idx(path).shape == (1, 2, 2)


def test_a_gz_that_is_not_gzip(tmp_path: Path) -> None:
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(b"<html>" + bytes(9))
    with pytest.raises(DataError, match="must be compressed, as its name says"):
        read_idx(path)


def test_a_gz_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(header(20, 9, 9) + random_pixels(20, 9, 9).tobytes())[:-60])
    with pytest.raises(DataError, match="must be whole, and compressed"):
        read_idx(path)


@pytest.mark.parametrize(
    ("labels", "classes", "found"),
    [
        (header(6) + bytes(6), "a\nb\n", "7 images"),
        (header(7) + bytes([0, 1, 2, 0, 1, 2, 0]), "a\nb\n", "2 names, labels from 0 to 2"),
        (header(7) + bytes(7), "a\n\nb\n", "empty line"),
        (header(7) + bytes(7), "a\na\n", "stands twice"),
        (header(7, kind=13) + bytes(28), "a\nb\n", "float32"),
    ],
)
def test_labels_must_fit(tmp_path: Path, labels: bytes, classes: str, found: str) -> None:
    mnist(tmp_path, "x", 7)
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(labels)
    (tmp_path / "classes.txt").write_text(classes)
    with pytest.raises(DataError, match=found):
        load_images(DataConfig(spec=str(tmp_path)))


def test_class_names_come_from_their_file(tmp_path: Path) -> None:
    mnist(tmp_path, "x", 3)
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(header(3) + bytes([2, 0, 2]))
    (tmp_path / "classes.txt").write_bytes("\ufeffnull\r\neins\r\nzwei\r\n".encode())
    images = load_images(DataConfig(spec=str(tmp_path)))
    assert images.class_names == ("null", "eins", "zwei")
    assert images.labels is not None
    assert images.labels.tolist() == [2, 0, 2]


def test_the_real_letters(notmnist: Path) -> None:
    images = load_images(DataConfig(spec=str(notmnist)))
    assert images.source == "IDX files, letters A-J"
    assert not images.comparable  # nothing in the files proves where they come from
    assert images.pixels.shape == (8000, 1, 28, 28)
    assert images.class_names == tuple("ABCDEFGHIJ")
    assert images.duplicates.largest == 125
