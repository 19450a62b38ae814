"""Parts without class folders beside parts that have them, and classes called by numbers of WordNet."""

from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.data.readers.open_labels import words_of
from makers import pictures, write_folder, write_tar, write_zip

SYNSETS = ("n01443537", "n02012849", "n03126707")
WORDS = (
    "n00001740\tentity\nn01443537\tgoldfish, Carassius auratus\nn02012849\tcrane\nn03126707\tcrane, lifter\n"
)


def trained() -> dict[str, bytes]:
    places = [f"train/{name}/{number}.png" for name in ("cat", "dog") for number in range(3)]
    return pictures(*places, *(f"test/{number}.png" for number in range(4)))


def per_part(found) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for name, label in zip(found.names, found.labels, strict=True):
        said.setdefault(name.partition("/")[0], []).append(found.class_names[label])
    return said


def test_the_labels_of_one_part_stay_where_another_has_none(tmp_path: Path) -> None:
    found = latentspace.load_data(write_folder(tmp_path, trained()))
    assert per_part(found) == {"train": ["cat"] * 3 + ["dog"] * 3}
    (said,) = [one for one in found.record.warnings if "left out" in one]
    assert (
        "4 images of the part test left out, as they have no label and 6 images have one: test/0.png" in said
    )
    assert found.source == "a folder of 2 class folders"


def test_all_images_stay_where_no_labels_are_wanted(tmp_path: Path) -> None:
    found = latentspace.load_data(write_folder(tmp_path, trained()), label="none")
    assert (len(found), found.labels, found.class_names) == (10, None, ())
    assert found.parts.tolist() == [2] * 4 + [0] * 6


@pytest.mark.parametrize("name", ["test.csv", "test/labels.csv", "labels.csv"])
def test_a_table_has_the_labels_of_the_part_without_folders(name: str, tmp_path: Path) -> None:
    table = "file,label\n0.png,cat\n1.png,dog\n2.png,fox\n"
    found = latentspace.load_data(write_folder(tmp_path, {**trained(), name: table.encode()}))
    assert per_part(found) == {"train": ["cat"] * 3 + ["dog"] * 3, "test": ["cat", "dog", "fox"]}
    assert found.class_names == ("cat", "dog", "fox")
    assert "1 image of the part test left out" in " ".join(found.record.warnings)


def test_numbers_of_classes_may_have_lost_their_zeros(tmp_path: Path) -> None:
    places = [f"Train/{name}/{number}.png" for name in ("00000", "00014") for number in range(2)]
    table = b"Width,Height,ClassId,Path\n8,8,14,Test/0.png\n8,8,0,Test/1.png\n"
    files = {**pictures(*places, "Test/0.png", "Test/1.png"), "Test.csv": table}
    found = latentspace.load_data(write_folder(tmp_path, files))
    assert found.class_names == ("00000", "00014")
    assert per_part(found)["Test"] == ["00014", "00000"]


def test_labels_that_are_not_those_of_the_folders_are_not_used(tmp_path: Path) -> None:
    table = b"id,label\n0.png,0.5\n1.png,0.5\n2.png,0.5\n3.png,0.5\n"
    found = latentspace.load_data(write_folder(tmp_path, {**trained(), "sample_submission.csv": table}))
    assert per_part(found) == {"train": ["cat"] * 3 + ["dog"] * 3}


def tiny() -> dict[str, bytes]:
    """What Tiny ImageNet looks like: texts of boxes in each class folder, labels of `val` in a text."""
    names = SYNSETS * 4  # more class folders, and so texts, than tables
    files = pictures(
        *(f"train/{name}/images/{name}_{number}.JPEG" for number, name in enumerate(names)),
        *(f"val/images/val_{number}.JPEG" for number in range(6)),
        *(f"test/images/test_{number}.JPEG" for number in range(2)),
        kind="JPEG",
    )
    boxes = [f"val_{number}.JPEG\t{SYNSETS[number % 3]}\t0\t32\t44\t{number}" for number in range(6)]
    texts = {
        f"train/{name}/{name}_boxes_{k}.txt": f"{name}_0.JPEG\t0\t0\t1\t1" for k, name in enumerate(names)
    }
    texts |= {
        "val/val_annotations.txt": "\n".join(boxes),
        "wnids.txt": "\n".join(SYNSETS),
        "words.txt": WORDS,
    }
    return files | {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar])
@pytest.mark.parametrize("below", ["", "tiny-imagenet-200/"])
def test_tiny_imagenet(write, below: str, tmp_path: Path) -> None:
    place = tmp_path / ("set" if write is write_folder else f"set.{write.__name__[-3:]}")
    found = latentspace.load_data(write(place, {below + name: one for name, one in tiny().items()}))
    names = ("goldfish", "crane", "crane, lifter")
    assert found.class_names == names
    assert per_part(found) == {"train": [n for n in names for _ in range(4)], "val": list(names) * 2}
    assert np.bincount(found.parts).tolist() == [12, 6]
    assert "2 images of the part test left out" in " ".join(found.record.warnings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"n01443537": "goldfish, gold", "n02012849": "crane"}',
            {"n01443537": "goldfish", "n02012849": "crane"},
        ),
        (
            '{"0": ["n01443537", "gold"], "1": ["n02012849", "crane"]}',
            {"n01443537": "gold", "n02012849": "crane"},
        ),
        ("n01443537 goldfish\nn02012849 crane", {"n01443537": "goldfish", "n02012849": "crane"}),
        ("n01443537 goldfish\nn02012849 goldfish", {}),
        ("n01443537 goldfish\n", {}),
        ("n01443537\nn02012849\n", {}),
    ],
)
def test_words_for_synsets(text: str, words: dict[str, str]) -> None:
    assert words_of(text, ("n01443537", "n02012849")) == words
