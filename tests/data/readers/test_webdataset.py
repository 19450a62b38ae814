"""WebDataset tars: images with what is said of them beside each, in one shard or several."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentspace.core.errors import DataError
from makers import classes_of, encoded, load, random_pixels, write_tar, write_zip
from runner import call


def picture(number: int) -> bytes:
    return encoded(random_pixels(8, 8, seed=number))


def shard(path: Path, first: int, *labels: str | dict[str, object], ending: str = "cls") -> Path:
    """A tar of a sample for each label."""
    files = {}
    for number, label in enumerate(labels, first):
        files[f"{number:04}.png"] = picture(number)
        files[f"{number:04}.{ending}"] = (label if isinstance(label, str) else json.dumps(label)).encode()
    path.parent.mkdir(exist_ok=True)
    return write_tar(path, files)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("ending", ["cls", "label.cls", "json", "txt"])
def test_a_tar_of_samples(tmp_path: Path, name: str, ending: str) -> None:
    words = ["10", "9", "10", "9"]
    said = [{"label": int(word)} for word in words] if ending == "json" else words
    images = load(shard(tmp_path / name, 0, *said, ending=ending))
    assert classes_of(images) == words
    assert images.class_names == ("9", "10")
    assert images.names == ("0000", "0001", "0002", "0003")
    assert images.parts is None
    np.testing.assert_array_equal(images.pixels[2, 0], random_pixels(8, 8, seed=2))


def test_json_says_class_group_and_part(tmp_path: Path) -> None:
    said = [
        {"class": "cat", "patient": 7, "split": "train", "width": 8},
        {"class": "dog", "patient": 7, "split": "test", "width": 8},
        {"class": "cat", "patient": 8, "split": "test", "width": 8},
    ]
    images = load(shard(tmp_path / "a.tar", 0, *said, ending="json"))
    assert classes_of(images) == ["cat", "dog", "cat"]
    assert images.groups is not None
    assert images.groups.tolist() == [0, 0, 1]
    assert images.parts is not None
    assert images.parts.tolist() == [0, 2, 2]


def test_a_folder_of_shards_with_parts(tmp_path: Path) -> None:
    shard(tmp_path / "set" / "train-000000.tar", 0, "a", "b")
    shard(tmp_path / "set" / "train-000001.tar", 2, "a")
    shard(tmp_path / "set" / "val-000000.tar", 3, "b")
    shard(tmp_path / "set" / "test-000000.tar", 0, "a")
    images = load(tmp_path / "set")
    assert images.parts is not None
    assert images.parts.tolist() == [2, 0, 0, 0, 1]
    assert images.names == (
        "test-000000.tar/0000", "train-000000.tar/0000", "0001", "0002", "0003"
    )  # fmt: skip
    assert classes_of(images) == ["a", "a", "b", "a", "b"]


def test_a_pattern_of_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8, 12):
        shard(tmp_path / f"shard-{number:06}.tar", number, "a" if number % 2 else "b")
    images = load(tmp_path / "shard-{000009..000011}.tar")
    assert images.names == ("0009", "0010", "0011")
    assert load(tmp_path / "shard-0000{08,11}.tar").names == ("0008", "0011")
    with pytest.raises(DataError, match=r"2 shards of 4 missing: shard-000012\.tar, shard-000013\.tar"):
        load(tmp_path / "shard-{000010..000013}.tar")
    for wrong in ("shard-{000013..000010}.tar", "shard-{0..999999999}.tar"):
        with pytest.raises(DataError, match="must stand for"):
            load(tmp_path / wrong)
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = call(["data", "info", "shard-{000009..000011}.tar", "--json"])
    assert (code, json.loads(stdout)["images"]) == (0, 3), stderr


def test_a_sample_without_an_image_is_said(tmp_path: Path) -> None:
    files = {"1.png": picture(1), "1.cls": b"a", "2.cls": b"b", "3.png": picture(3), "3.cls": b"b"}
    images = load(write_tar(tmp_path / "a.tar", files))
    assert images.names == ("1", "3")
    assert [(one.name, one.reason) for one in images.record.unreadable] == [("2", "no image in this sample")]


def test_two_labels_are_said(tmp_path: Path) -> None:
    files = {}
    for number, (one, other) in enumerate((("a", "a"), ("a", "b"), ("b", "b"), ("b", "a"))):
        files |= {f"{number}.png": picture(number), f"{number}.cls": one.encode()}
        files[f"{number}.json"] = json.dumps({"label": other}).encode()
    images = load(write_tar(tmp_path / "a.tar", files))
    assert images.names == ("0", "2")
    assert any("2 samples with two labels: 1, 3" in one for one in images.record.conversions)


def test_numbers_that_have_names_are_no_two_labels(tmp_path: Path) -> None:
    files = {}
    for number, (one, other) in enumerate((("0", "cat"), ("1", "dog"), ("0", "cat"))):
        files |= {f"{number}.png": picture(number), f"{number}.cls": one.encode()}
        files[f"{number}.json"] = json.dumps({"label": other}).encode()
    assert classes_of(load(write_tar(tmp_path / "a.tar", files))) == ["cat", "dog", "cat"]


def test_captions_are_no_classes(tmp_path: Path) -> None:
    images = load(shard(tmp_path / "a.tar", 0, "a cat", "a dog", "the sea", ending="txt"))
    assert images.labels is None
    assert any("3 texts of .txt not read as classes" in one for one in images.record.conversions)


def test_folders_are_classes_where_nothing_else_says_one(tmp_path: Path) -> None:
    files = {}
    for name in ("cat/1", "cat/2", "dog/1"):
        files |= {f"{name}.png": picture(len(files)), f"{name}.json": b'{"width": 8}'}
    assert classes_of(load(write_tar(tmp_path / "a.tar", files))) == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "must be JSON"), (b'{"label": 1, "split": "x"}', "part of an image")]
)
def test_bad_json_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": picture(1), "1.json": content})
    with pytest.raises(DataError, match=words) as raised:
        load(path)
    assert "1.json" in str(raised.value)


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_a_table_of_labels_in_an_archive(tmp_path: Path, write: Any) -> None:
    files = {f"set/images/{number}.png": picture(number) for number in range(4)}
    rows = "".join(f"{number}.png,{'ab'[number % 2]},{number // 2}\n" for number in range(4))
    files["set/labels.csv"] = ("file,label,patient\n" + rows).encode()
    path = write(tmp_path / ("a.zip" if write is write_zip else "a.tar"), files)
    images = load(path)
    assert classes_of(images) == ["a", "b", "a", "b"]
    assert images.groups is not None
    assert images.groups.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("ending", ["cls.txt", "meta.json", "CLS"])
def test_other_endings_of_what_is_said(tmp_path: Path, ending: str) -> None:
    said = [{"category_id": one} if "json" in ending else str(one) for one in (3, 5, 3)]
    assert classes_of(load(shard(tmp_path / "a.tar", 0, *said, ending=ending))) == ["3", "5", "3"]


@pytest.mark.parametrize("ending", ["cls", "xyz"])
def test_a_tar_without_its_end_is_warned_of(tmp_path: Path, ending: str) -> None:
    path = shard(tmp_path / "a.tar", 0, "a", "b", "a", ending=ending)
    assert "end mark" not in " ".join(load(path).record.warnings)
    path.write_bytes(path.read_bytes()[: 4 * 1024])  # two samples: each member is a header and a block
    images = load(path)
    assert "has no end mark" in " ".join((*images.record.warnings, *images.record.conversions))
    assert len(images) == 2
