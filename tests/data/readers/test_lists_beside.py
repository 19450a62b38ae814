"""What published sets have beside their images: lists of parts, labels as arrays, tables of an odd form."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import latentspace
from latentspace.core.errors import DataError
from makers import encoded, random_pixels, write_folder


def images(*names: str) -> dict[str, bytes]:
    return {name: encoded(random_pixels(8, 8, seed=k)) for k, name in enumerate(names)}


def load(place: Path, names: tuple[str, ...], texts: dict[str, str], **options):
    files = images(*names) | {name: text.encode() for name, text in texts.items()}
    return latentspace.load_data(write_folder(place, files), **options)


FOOD = tuple(f"images/{name}/{number}.png" for name in ("pie", "ramen") for number in range(3))


def test_lists_name_the_parts_of_images_in_class_folders(tmp_path: Path) -> None:
    lists = {"meta/train.txt": "pie/0\npie/1\nramen/0\nramen/1\n", "meta/test.txt": "pie/2\nramen/2\n"}
    found = load(tmp_path, FOOD, lists)
    assert (found.class_names, found.parts.tolist()) == (("pie", "ramen"), [0, 0, 2] * 2)
    assert "parts from meta/test.txt and meta/train.txt" in found.record.conversions


@pytest.mark.parametrize("test", ["pie/0\n", "cake/2\nsoup/1\n", ""])
def test_lists_that_do_not_part_the_images_are_not_used(test: str, tmp_path: Path) -> None:
    found = load(tmp_path, FOOD, {"meta/train.txt": "pie/0\npie/1\n", "meta/test.txt": test})
    assert found.parts is None


FLAT = tuple(f"jpg/image_{number}.png" for number in (1, 2, 10))


def test_labels_in_an_array_beside_the_images(tmp_path: Path) -> None:
    write_folder(tmp_path, images(*FLAT))
    savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[2, 1, 2]], dtype=np.uint8)})
    savemat(tmp_path / "setid.mat", {"trnid": np.array([[1, 3]])})
    found = latentspace.load_data(tmp_path)
    labels = [found.class_names[label] for label in found.labels]
    assert dict(zip(found.names, labels, strict=True)) == dict(zip(FLAT, "212", strict=True))
    assert "labels from imagelabels.mat, in the order of the names" in found.record.conversions[0]


def test_an_array_of_another_length_is_not_used(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(4))
    found = latentspace.load_data(write_folder(tmp_path, {**images(*FLAT), "labels.npy": buffer.getvalue()}))
    assert not found.labelled


CELEBA = tuple(f"img_align/{number:03}.png" for number in range(1, 5))
ATTRIBUTES = "4\nMale Smiling\n001.png -1  1\n002.png  1 -1\n003.png -1 -1\n004.png  1  1\n"
PARTITION = "001.png 0\n002.png 0\n003.png 1\n004.png 2\n"


def test_attributes_below_their_number_and_parts_without_a_header(tmp_path: Path) -> None:
    texts = {"list_attr_celeba.txt": ATTRIBUTES, "list_eval_partition.txt": PARTITION}
    found = load(tmp_path, CELEBA, texts)
    assert (found.class_names, found.parts.tolist()) == (("img_align",), [0, 0, 1, 2])
    found = latentspace.load_data(tmp_path, label="Male")
    assert (found.class_names, found.labels.tolist()) == (("-1", "1"), [0, 1, 0, 1])
    assert found.parts.tolist() == [0, 0, 1, 2]
    with pytest.raises(DataError, match="Male"):
        latentspace.load_data(tmp_path, label="Hat")


def test_tables_called_by_their_part(tmp_path: Path) -> None:
    names = tuple(f"images/{number}.png" for number in range(6))
    tables = {
        f"{part}.csv": f"filename,label\n{2 * k}.png,a{k}\n{2 * k + 1}.png,a{k}\n"
        for k, part in enumerate(("train", "val", "test"))
    }
    found = load(tmp_path, names, tables)
    assert (found.parts.tolist(), found.labels.tolist()) == ([0, 0, 1, 1, 2, 2],) * 2


def test_portions_of_a_set_are_no_classes(tmp_path: Path) -> None:
    names = tuple(f"HAM_images_part_{part}/{part}{number}.png" for part in (1, 2) for number in range(3))
    rows = "".join(f"{part}{number},{'ab'[number % 2]}\n" for part in (1, 2) for number in range(3))
    assert not load(tmp_path, names, {}).labelled
    assert load(tmp_path, names, {"HAM_metadata.csv": f"image_id,dx\n{rows}"}).class_names == ("a", "b")


def test_numbered_classes_are_called_by_the_folder_above_as_well(tmp_path: Path) -> None:
    names = tuple(
        f"{above}/character{k:02}/{n}.png" for above in ("Greek", "Latin") for k in (1, 2) for n in (1, 2)
    )
    found = load(tmp_path, names, {})
    assert found.class_names == tuple(
        f"{above} character{k:02}" for above in ("Greek", "Latin") for k in (1, 2)
    )
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_an_example_of_an_answer_labels_nothing(tmp_path: Path) -> None:
    names = (*(f"train/cat.{number}.png" for number in range(3)), "test1/1.png", "test1/2.png")
    found = load(tmp_path, names, {"sampleSubmission.csv": "id,label\n1,0\n2,0\n"})
    assert (len(found), found.labelled) == (5, False)


def test_masks_and_tables_of_pixels_are_warned_of(tmp_path: Path) -> None:
    names = tuple(f"{kind}/Sample{k}/{k}.png" for kind in ("Bmp", "Msk") for k in (1, 2))
    assert "images in Msk are read as all others are" in load(tmp_path / "a", names, {}).record.warnings[0]
    table = "".join(",".join(map(str, row)) + "\n" for row in random_pixels(6, 64).tolist())
    found = load(tmp_path / "b", ("example.png",), {"train/train.csv": table, "README": "x"})
    assert "1 image beside tables of pixels, which are not read: train/train.csv" in found.record.warnings[0]
    assert found.record.unreadable == ()
