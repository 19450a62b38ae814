"""Tables with a row of pixels for each image: MNIST as Kaggle and others have it."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import latentspace
from latentspace.core.errors import DataError
from latentspace.data.readers.libsvm import is_libsvm
from makers import random_pixels

PIXELS = random_pixels(9, 8, 8)
LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5]


def table(
    rows: np.ndarray = PIXELS, labels=tuple(LABELS), header: str | None = "pixel", last: bool = False
) -> str:
    flat = rows.reshape(len(rows), -1)
    lines = [
        [*row, label] if last else [label, *row] for row, label in zip(flat.tolist(), labels, strict=True)
    ]
    if not labels[0] and labels[0] != 0:
        lines = flat.tolist()
    names = [f"{header}{number}" for number in range(flat.shape[1])]
    if labels[0] is not None:
        names = [*names, "label"] if last else ["label", *names]
    return "".join(",".join(map(str, line)) + "\n" for line in (lines if header is None else [names, *lines]))


def load(place: Path, content: str, name: str = "train.csv", **options):
    (place / name).write_text(content)
    return latentspace.load_data(place / name, **options)


@pytest.mark.parametrize("header", ["pixel", None])
@pytest.mark.parametrize("last", [False, True])
def test_a_label_and_pixels(header: str | None, last: bool, tmp_path: Path):
    rows = PIXELS.copy()
    rows[:, 0, 0] = rows[:, -1, -1] = 0
    images = load(tmp_path, table(rows, header=header, last=last))
    np.testing.assert_array_equal(images.pixels[:, 0], rows)
    assert images.class_names == ("1", "2", "3", "4", "5", "6", "9")
    assert [int(images.class_names[label]) for label in images.labels] == LABELS
    assert any("64 numbers taken as 8x8" in note for note in images.record.conversions)


@pytest.mark.parametrize("header", ["pixel", None])
def test_pixels_alone(header: str | None, tmp_path: Path):
    images = load(tmp_path, table(labels=(None,) * 9, header=header))
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
    assert not images.labelled


def test_other_forms(tmp_path: Path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(table().encode()))
    doubled = table(header=None).splitlines()
    doubled.insert(0, ",".join(["3"] + [f"0.{number}" for number in range(64)]))
    for images in (
        latentspace.load_data(tmp_path / "a.csv.gz"),
        load(tmp_path, table().replace(",", ";"), "b.csv"),
        load(tmp_path, table().replace(",", "\t"), "c.tsv"),
        load(tmp_path, "\ufeff" + table().replace("\n", "\r\n"), "d.csv"),
        load(tmp_path, "\n".join(doubled), "e.csv"),
        load(
            tmp_path,
            "\n".join([line.replace(",", ".0,") for line in table(header=None).splitlines()]),
            "f.csv",
        ),
        load(
            tmp_path,
            "emotion,pixels\n"
            + "".join(f"{k},{' '.join(map(str, p.ravel()))}\n" for k, p in zip(LABELS, PIXELS, strict=True)),
            "g.csv",
        ),
    ):
        np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
        assert [int(images.class_names[label]) for label in images.labels] == LABELS


def test_emnist_is_turned_and_named(tmp_path: Path):
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n")
    content = table(labels=(1, 2, 1, 2, 1, 2, 1, 2, 1), header=None)
    images = load(tmp_path, content, "emnist-letters-train.csv")
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS.swapaxes(1, 2))
    assert images.class_names == ("A", "B")


def test_floats(tmp_path: Path):
    images = load(tmp_path, table(np.round(PIXELS / 255, 4)))
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)


@pytest.mark.parametrize("by_pixel", [False, True])
def test_colour(by_pixel: bool, tmp_path: Path):
    smooth = gaussian_filter(np.random.default_rng(0).random((9, 3, 8, 8)) * 255, (0, 0, 2, 2)).astype(
        np.uint8
    )
    rows = smooth.transpose(0, 2, 3, 1) if by_pixel else smooth
    images = load(tmp_path, table(rows))
    np.testing.assert_array_equal(images.pixels, smooth)
    assert ("8 x 8 x 3" in images.record.conversions[0]) is by_pixel


def test_train_and_test_are_parts(tmp_path: Path):
    (tmp_path / "mnist_train.csv").write_text(table())
    (tmp_path / "mnist_test.csv").write_text(table(PIXELS[:2], LABELS[:2]))
    (tmp_path / "readme.txt").write_text("two files")
    images = latentspace.load_data(tmp_path)
    assert len(images) == 11
    assert images.parts.tolist() == [2, 2] + 9 * [0]
    assert images.names[0] == "mnist_test.csv:0"
    assert [int(images.class_names[label]) for label in images.labels] == LABELS[:2] + LABELS


def test_a_test_file_without_labels_is_left_out_and_said(tmp_path: Path):
    (tmp_path / "train.csv").write_text(table())
    (tmp_path / "test.csv").write_text(table(labels=(None,) * 9))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n2,0\n")
    images = latentspace.load_data(tmp_path)
    assert len(images) == 9
    assert "test.csv left out, as it has no labels where others have" in images.record.warnings[0]


def test_parts_in_a_column(tmp_path: Path):
    usage = ("Training", "PublicTest", "PrivateTest")
    lines = [
        f"{k},{' '.join(map(str, p.ravel()))},{usage[n % 3]}"
        for n, (k, p) in enumerate(zip(LABELS, PIXELS, strict=True))
    ]
    images = load(tmp_path, "emotion,pixels,Usage\n" + "\n".join(lines))
    assert images.parts.tolist() == [0, 1, 2] * 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("\n1,", "\n1,256,", 1).replace(",0\n", "\n"), ""),
        (lambda text: _cell(text, 3, 7, "x"), "invalid value 'x'"),
        (lambda text: _cell(text, 3, 7, ""), "an empty cell in row 2 (from 0), column 8"),
        (lambda text: _cell(text, 3, 7, "nan"), "nan in row 2"),
        (lambda text: text[:-30] + "\n", "Row #10"),
        (lambda text: text.splitlines()[0] + "\n", "a header alone"),
        (lambda text: "\n".join(line.rsplit(",", 1)[0] for line in text.splitlines()), "63 numbers"),
    ],
)
def test_bad_tables(change, said: str, tmp_path: Path):
    with pytest.raises(DataError) as error:
        load(tmp_path, change(table()))
    assert said in error.value.found


def _cell(text: str, line: int, place: int, value: str) -> str:
    rows = [row.split(",") for row in text.splitlines()]
    rows[line][place] = value
    return "".join(",".join(row) + "\n" for row in rows)


def test_zeros_and_ones_are_black_and_white_and_levels_count(tmp_path: Path):
    bits = np.random.default_rng(0).integers(0, 2, (12, 64))
    (tmp_path / "bits.csv").write_text("\n".join(",".join(map(str, row)) for row in bits.tolist()))
    images = latentspace.load_data(tmp_path / "bits.csv")
    assert np.array_equal(images.pixels.reshape(12, 64), bits * 255)
    (tmp_path / "dark.csv").write_text(
        "\n".join(",".join(map(str, row)) for row in (bits * 20 + 10).tolist())
    )
    images = latentspace.load_data(tmp_path / "dark.csv", levels="10,30")
    assert np.array_equal(images.pixels.reshape(12, 64), bits * 255)


def test_more_than_bytes_are_brought_to_bytes_as_arrays_are(tmp_path: Path):
    deep = np.random.default_rng(0).integers(0, 4096, (9, 8, 8))
    deep[0, 0, :2] = 0, 4095
    images = load(tmp_path, table(deep))
    np.testing.assert_array_equal(images.pixels[:, 0], np.rint(deep * (255 / 4095)))
    assert "uint16 in 0..4095" in images.record.conversions[-1]
    images = load(tmp_path, table(deep - 2048), levels="-2048,2047")
    np.testing.assert_array_equal(images.pixels[:, 0], np.rint(deep * (255 / 4095)))
    signed = np.round(PIXELS / 127.5 - 1, 4)
    joined = "".join(f"{k},{' '.join(map(str, p.ravel()))}\n" for k, p in zip(LABELS, signed, strict=True))
    for images in (load(tmp_path, table(signed)), load(tmp_path, "label,pixels\n" + joined)):
        np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)


@pytest.mark.parametrize(
    ("name", "mark", "end", "last"),
    [
        ("zip.train", " ", " ", False),
        ("mnist_train.amat", "   ", "", True),
        ("optdigits.tra", ",", "", True),
        ("digits.data", "\t", "", False),
        ("digits.txt", "; ", "", True),
        ("zip.train.gz", " ", " ", False),
    ],
)
def test_numbers_of_any_name_without_a_header(name: str, mark: str, end: str, last: bool, tmp_path: Path):
    values = np.round(PIXELS.reshape(9, -1) / 127.5 - 1, 5)
    lines = [
        [*row, label] if last else [label, *row] for row, label in zip(values.tolist(), LABELS, strict=True)
    ]
    text = "".join(mark.join(f"{cell:.5f}" for cell in line) + end + "\n" for line in lines)
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    (tmp_path / name.replace("tra", "tes")).write_bytes((tmp_path / name).read_bytes())
    images = latentspace.load_data(tmp_path / name)
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
    assert [int(images.class_names[label]) for label in images.labels] == LABELS
    if "tra" in name and "mnist" not in name:
        (tmp_path / "about.names").write_text("1. Title: Optical Recognition of Handwritten Digits\n")
        assert len(latentspace.load_data(tmp_path)) == 18


def test_parts_by_the_endings_of_uci(tmp_path: Path):
    for name in ("digits.tra", "digits.tes"):
        (tmp_path / name).write_text(table(header=None))
    assert latentspace.load_data(tmp_path).parts.tolist() == [2] * 9 + [0] * 9


def test_one_hot_labels_behind_the_pixels_and_rows_that_are_counted(tmp_path: Path):
    bits = np.random.default_rng(0).integers(0, 2, (20, 64))
    hot = np.eye(10, dtype=int)[np.arange(20) % 10]
    text = "\n".join(
        " ".join(map(str, (*row, *one))) for row, one in zip(bits.tolist(), hot.tolist(), strict=True)
    )
    images = load(tmp_path, text, "semeion.data")
    assert np.array_equal(images.pixels.reshape(20, 64), bits * 255)
    assert images.labels.tolist() == (np.arange(20) % 10).tolist()
    text = "\n".join(",".join(map(str, (number, *row))) for number, row in enumerate((bits * 9).tolist()))
    images = load(tmp_path, text, "counted.csv")
    assert np.array_equal(images.pixels.reshape(20, 64), bits * 9)
    assert not images.labelled


def test_spaces_between_numbers_cut_short(tmp_path: Path):
    with pytest.raises(DataError, match="must have 64 cells"):
        load(tmp_path, " ".join("1" * 64) + "\n" + " ".join("1" * 60), "x.data")


def sparse(rows: np.ndarray, labels, first: int = 1) -> str:
    """LIBSVM's text, which has no zeros."""
    lines = []
    for label, row in zip(labels, rows.reshape(len(rows), -1).tolist(), strict=True):
        pairs = [f"{index}:{value}" for index, value in enumerate(row, start=first) if value]
        lines.append(" ".join([str(label), *pairs]) + " \n")
    return "".join(lines)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["usps", "usps.t", "usps.txt", "usps.svm.gz"])
def test_libsvm(name: str, first: int, tmp_path: Path):
    rows = PIXELS.copy()
    rows[:, 0, 0], rows[:, 6:] = 1, 0  # the first index is there, the last are not
    labels = [f"{label}.0" for label in LABELS] if name == "usps" else LABELS
    content = sparse(rows, labels, first).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    images = latentspace.load_data(tmp_path / name)
    np.testing.assert_array_equal(images.pixels[:, 0], rows)
    assert [images.class_names[label] for label in images.labels] == [str(label) for label in LABELS]
    assert any("zeros at the end" in note for note in images.record.conversions)


def test_libsvm_in_parts_signed_and_with_several_labels(tmp_path: Path):
    signed = PIXELS / 127.5 - 1
    (tmp_path / "mnist.scale").write_text(sparse(signed, ["+1", "-1", "1"] * 3))
    (tmp_path / "mnist.scale.t").write_text(sparse(signed[:2], ["-1", "-1"]))
    images = latentspace.load_data(tmp_path)
    assert images.parts.tolist() == [0] * 9 + [2] * 2
    assert (images.class_names, images.labels[:3].tolist()) == (("-1", "1"), [1, 0, 1])
    np.testing.assert_array_equal(images.pixels[:9, 0], PIXELS)
    (tmp_path / "mnist.scale.t").write_text(sparse(signed[:2], ["1,2", "2"]))
    images = latentspace.load_data(tmp_path / "mnist.scale.t")
    assert not images.labelled
    assert any("labels left out: 1 image" in note for note in images.record.conversions)
    assert not latentspace.load_data(tmp_path / "mnist.scale", label="none").labelled


@pytest.mark.parametrize("line", ["1 2:x", "1 2", "1 0.5:3", "1 3:nan", "x 1:2", "1 99999999:1"])
def test_lines_that_are_no_libsvm(line: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"in line 10|squares|numbers"):
        load(tmp_path, sparse(PIXELS, LABELS) + line + "\n", "a.t")


@pytest.mark.parametrize("first", [False, True])
def test_a_word_without_a_header_is_the_label(first: bool, tmp_path: Path) -> None:
    squares = 100 + random_pixels(6, 64) // 2  # three digits each, which a pattern could read in many ways
    names = ["cat", "dog"] * 3
    rows = [list(map(str, row)) for row in squares.tolist()]
    lines = [[name, *row] if first else [*row, name] for name, row in zip(names, rows, strict=True)]
    (tmp_path / "some.csv").write_text("\n".join(map(",".join, lines)))
    images = latentspace.load_data(str(tmp_path / "some.csv"))
    np.testing.assert_array_equal(images.pixels.reshape(6, -1), squares)
    assert images.labels is not None
    assert [images.class_names[label] for label in images.labels] == names


def test_a_row_of_numbers_that_is_cut_is_soon_known_to_be_none_of_libsvm() -> None:
    assert not is_libsvm(b"171,183,241," * 42 + b"x")
    assert is_libsvm(b"1,2.5 " + b" ".join(b"%d:.5" % k for k in range(1, 20)) + b"\n")
