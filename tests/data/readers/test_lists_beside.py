"""What published sets have beside their images: lists of parts, labels as arrays, tables of an odd form."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import latentspace
from latentspace.core.errors import DataError
from makers import bytes_of, encoded, npy, pictures, random_pixels, write_folder, write_tar, write_zip


def load(place: Path, names: tuple[str, ...], texts: dict[str, str], **options):
    files = pictures(*names) | {name: text.encode() for name, text in texts.items()}
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


def stored(place: Path, kind: str, files: dict[str, bytes]) -> Path:
    """Files in a folder, or in an archive below a folder of its own."""
    if kind == "folder":
        return write_folder(place / "set", files)
    below = {f"outer/{name}": content for name, content in files.items()}
    return (write_zip if kind == "zip" else write_tar)(place / f"set.{kind}", below)


KINDS = pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])


@KINDS
@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_lists_and_tables_of_parts_also_in_archives(kind: str, ending: str, tmp_path: Path) -> None:
    lists = {}
    for part, ends in (("train", "01"), ("test", "2")):
        names = [f"{name}/{end}.png" for name in ("pie", "ramen") for end in ends]
        rows = names if ending == "txt" else ["path,label", *(f"{one},{one.split('/')[0]}" for one in names)]
        lists[f"meta/{part}.{ending}"] = "\n".join(rows).encode()
    found = latentspace.load_data(stored(tmp_path, kind, {**pictures(*FOOD), **lists}))
    assert (found.class_names, found.parts.tolist()) == (("pie", "ramen"), [0, 0, 2] * 2)


@KINDS
def test_oxford_flowers(kind: str, tmp_path: Path) -> None:
    names = tuple(f"jpg/image_{number:05}.jpg" for number in range(1, 13))
    arrays = {
        "imagelabels.mat": bytes_of(savemat, {"labels": (np.arange(12)[None] % 3 + 1).astype(np.uint8)}),
        "setid.mat": bytes_of(
            savemat,
            {"trnid": np.array([[12, 1]]), "valid": np.array([[2.0]]), "tstid": np.arange(3, 12)},
        ),
    }
    found = latentspace.load_data(stored(tmp_path, kind, {**pictures(*names), **arrays}))
    assert found.labels.tolist() == [0, 1, 2] * 4
    assert found.parts.tolist() == [0, 1, *[2] * 9, 0]


@pytest.mark.parametrize("tests", [[1, 4], [4, 13], [-1, 4]])
def test_numbers_of_parts_that_cannot_be_are_not_used(tests: list[int], tmp_path: Path) -> None:
    said = bytes_of(savemat, {"trnid": [1, 2], "tstid": tests})
    write_folder(tmp_path, {**pictures(*FOOD), "setid.mat": said})
    assert latentspace.load_data(tmp_path).parts is None


BIRDS = ("001.Auk", "002.Bee_eater", "003.Crow")


@KINDS
@pytest.mark.parametrize("flat", [False, True])
def test_cub_200(kind: str, flat: bool, tmp_path: Path) -> None:
    paths = [f"{'' if flat else f'{BIRDS[k % 3]}/'}{k:03}.jpg" for k in range(2, 8)]  # 2 is no number of 002
    tables = {
        "images": [f"{k} {path}" for k, path in enumerate(paths, 1)],
        "image_class_labels": [f"{k} {(k + 1) % 3 + 1}" for k in range(1, 7)],
        "train_test_split": [f"{k} {int(k < 5)}" for k in range(1, 7)],
        "classes": [f"{k} {name}" for k, name in enumerate(BIRDS, 1)],
        "bounding_boxes": [f"{k} 1.0 2.0 5.0 5.0" for k in range(1, 7)],
        **{f"parts/{k}": ["1 1 0.5 0.5 1"] for k in range(12)},
    }
    files = pictures(*(f"images/{path}" for path in paths))
    files |= {f"{name}.txt": "\n".join(lines).encode() for name, lines in tables.items()}
    found = latentspace.load_data(stored(tmp_path, kind, {**files, "README": b"x"}))
    named = {name: found.class_names[label] for name, label in zip(found.names, found.labels, strict=True)}
    assert {name[-7:]: bird for name, bird in named.items()} == {
        f"{k:03}.jpg": BIRDS[k % 3] for k in range(2, 8)
    }
    parts = dict(zip((name[-7:] for name in found.names), found.parts.tolist(), strict=True))
    assert parts == {f"{k:03}.jpg": 0 if k < 6 else 2 for k in range(2, 8)}
    assert found.record.warnings == ()


@KINDS
def test_fgvc_aircraft(kind: str, tmp_path: Path) -> None:
    paths = [f"data/images/{k:07}.jpg" for k in range(12)]
    levels = {"variant": ["Boeing 707", "A320", "DHC-8-100"], "family": ["A", "B b"]}
    parts = {"train": range(4), "val": range(4, 8), "test": range(8, 12), "trainval": range(8)}
    files = pictures(*paths)
    for part, numbers in parts.items():
        files[f"data/images_{part}.txt"] = "".join(f"{k:07}\n" for k in numbers).encode()
        for level, names in levels.items():
            lines = (f"{k:07} {names[k % len(names)]}\n" for k in numbers)
            files[f"data/images_{level}_{part}.txt"] = "".join(lines).encode()
    path = stored(tmp_path, kind, files)
    for level in (None, "family"):
        found = latentspace.load_data(path, label=level)
        assert found.class_names == tuple(sorted(levels[level or "variant"]))
        expected = [levels[level or "variant"][k % len(found.class_names)] for k in range(12)]
        assert [found.class_names[label] for label in found.labels] == expected
        assert found.parts.tolist() == [0] * 4 + [1] * 4 + [2] * 4
        assert found.record.warnings == ()


@KINDS
def test_a_table_called_by_its_part_speaks_of_that_part(kind: str, tmp_path: Path) -> None:
    names = (*(f"train/{k}.png" for k in range(1, 7)), *(f"test/{k}.png" for k in range(1, 4)))
    rows = "".join(f"{k},{'ab'[k % 2]}\n" for k in range(1, 7))
    files = pictures(*names) | {"trainLabels.csv": f"id,label\n{rows}".encode()}
    found = latentspace.load_data(stored(tmp_path, kind, files))
    assert found.names == names[:6]
    assert [found.class_names[label] for label in found.labels] == ["b", "a"] * 3


@KINDS
@pytest.mark.parametrize("name", ["labels.txt", "labels.csv"])
def test_a_label_on_each_line_in_the_order_of_names(kind: str, name: str, tmp_path: Path) -> None:
    lines = [*(["label"] if name.endswith("csv") else []), *"0120120"]
    files = pictures(*(f"{k}.png" for k in range(7))) | {name: "\n".join(lines).encode()}
    found = latentspace.load_data(stored(tmp_path, kind, files))
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    files[name] = b"\n".join(files[name].splitlines()[:-2])
    assert len(latentspace.load_data(stored(tmp_path, kind, files)).class_names) < 2


def test_fractions_are_no_classes(tmp_path: Path) -> None:
    names = tuple(f"{k}.png" for k in range(6))
    rows = "".join(f"{name},{k // 2}.5\n" for k, name in enumerate(names))
    assert not load(tmp_path / "age", names, {"labels.csv": f"file,age\n{rows}"}).labelled
    whole = rows.replace(".5", ".0")
    assert load(tmp_path / "kinds", names, {"labels.csv": f"file,age\n{whole}"}).class_names == tuple("012")


def test_lists_of_several_divisions_and_of_two_parts_together(tmp_path: Path) -> None:
    lists = {
        f"labels/{part}{k}.txt": "".join(f"{name}/{(place + k - 1) % 3}.png\n" for name in ("pie", "ramen"))
        for place, part in enumerate(("train", "val", "test"))
        for k in range(1, 11)
    }
    assert load(tmp_path / "dtd", FOOD, lists).parts.tolist() == [0, 1, 2] * 2
    lists = {"train_val_list.txt": "pie/0\npie/1\nramen/0\nramen/1\n", "test_list.txt": "pie/2\nramen/2\n"}
    assert load(tmp_path / "chest", FOOD, lists).parts.tolist() == [0, 0, 2] * 2


def test_pets(tmp_path: Path) -> None:
    names = tuple(f"images/{name}_{k}.jpg" for name in ("Abyssinian", "great_pyrenees") for k in (1, 2, 3))
    rows = [f"{name[7:-4]} {1 + (k > 2)} {1 + (k > 2)} 1" for k, name in enumerate(names)]
    texts = {
        "annotations/list.txt": "\n".join(("#Image CLASS-ID SPECIES BREED ID", "#ID: 1:37", *rows)),
        "annotations/trainval.txt": "\n".join(rows[0:2] + rows[3:5]),
        "annotations/test.txt": "\n".join((rows[2], rows[5])),
    }
    found = load(tmp_path, names, texts)
    assert (found.class_names, found.labels.tolist()) == (("1", "2"), [0, 0, 0, 1, 1, 1])
    assert found.parts.tolist() == [0, 0, 2] * 2


def test_what_shows_each_class_is_no_sample(tmp_path: Path) -> None:
    trained = tuple(f"Train/{k}/{k:05}_{n}.png" for k in range(3) for n in range(2))
    names = (*(f"Meta/{k}.png" for k in range(3)), *trained, *(f"Test/{n:05}.png" for n in range(4)))
    rows = "".join(f"16,16,{n % 3},Test/{n:05}.png\n" for n in range(4))
    meta = "Path,ClassId\n" + "".join(f"Meta/{k}.png,{k}\n" for k in range(3))
    found = load(tmp_path, names, {"Test.csv": f"Width,Height,ClassId,Path\n{rows}", "Meta.csv": meta})
    assert found.class_names == ("0", "1", "2")
    assert dict(zip(found.names, found.labels.tolist(), strict=True))["Test/00002.png"] == 2
    assert found.parts.tolist() == [2] * 4 + [0] * 6
    assert "3 images left out, as their folder says that they are no samples" in found.record.conversions[0]


FLAT = tuple(f"jpg/image_{number}.png" for number in (1, 2, 10))


def test_labels_in_an_array_beside_the_images(tmp_path: Path) -> None:
    write_folder(tmp_path, pictures(*FLAT))
    savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[2, 1, 2]], dtype=np.uint8)})
    savemat(tmp_path / "setid.mat", {"trnid": np.array([[1, 3]])})
    found = latentspace.load_data(tmp_path)
    labels = [found.class_names[label] for label in found.labels]
    assert dict(zip(found.names, labels, strict=True)) == dict(zip(FLAT, "212", strict=True))
    assert "labels from imagelabels.mat, in the order of the names" in found.record.conversions[0]


def test_an_array_of_another_length_is_not_used(tmp_path: Path) -> None:
    found = latentspace.load_data(
        write_folder(tmp_path, {**pictures(*FLAT), "labels.npy": npy(np.arange(4))})
    )
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


@pytest.mark.parametrize(
    "header",
    [
        "name,learned_from,x,y",
        "name,learned_from,group,distance",
        "name,class,probability",
        "rank,name,label,combined,flagged",
        "name,rank,neighbour,label,distance",
    ],
)
def test_results_of_commands_are_no_labels_groups_or_parts(tmp_path: Path, header: str) -> None:
    names, columns = ("a.png", "b.png", "c.png"), header.split(",")
    rows = [",".join(name if one == "name" else name[0] for one in columns) for name in names]
    found = load(tmp_path / "one", names, {"codes.csv": "\n".join((header, *rows))})
    assert (found.labels, found.groups, found.parts, found.record.warnings) == (None, None, None, ())
    asked = load(tmp_path / "two", names, {"codes.csv": "\n".join((header, *rows))}, label=columns[-1])
    assert asked.class_names == ("a", "b", "c")  # but where they are asked for


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "# made in 2024\n# by hand\nfile,label\n{rows}"),
        ("labels.csv", "#file,label\n{rows}"),
        ("labels.json", '{{"cat": ["0.png", "2.png"], "dog": ["1.png", "3.png"]}}'),
    ],
)
def test_remarks_above_a_table_and_the_files_of_each_class(name: str, text: str, tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,{('cat', 'dog')[number % 2]}\n" for number in range(4))
    files = {f"{number}.png": encoded(random_pixels(9, 9, seed=number)) for number in range(4)}
    images = latentspace.load_data(
        str(write_folder(tmp_path / "some", {**files, name: text.format(rows=rows).encode()}))
    )
    assert images.labels is not None
    assert [images.class_names[label] for label in images.labels] == ["cat", "dog"] * 2


@pytest.mark.parametrize("archive", [False, True])
def test_a_text_beside_each_image_is_its_label(archive: bool, tmp_path: Path) -> None:
    words, files = ["cat", "New York", "cat", "New York"], {}
    for number, word in enumerate(words):
        files[f"{number}.png"] = encoded(random_pixels(9, 9, seed=number))
        files[f"{number}.txt"] = f"{word}\n".encode()
    make = (lambda name: write_zip(tmp_path / f"{name}.zip", files)) if archive else None
    images = latentspace.load_data(str(make("a") if make else write_folder(tmp_path / "a", files)))
    assert images.labels is not None
    assert [images.class_names[label] for label in images.labels] == words
    files |= {f"{number}.txt": b"0 0.5 0.5 0.1 0.1\n" for number in range(4)}  # boxes
    assert not latentspace.load_data(str(make("b") if make else write_folder(tmp_path / "b", files))).labelled


def test_pascal_voc_says_of_each_class_by_itself(tmp_path: Path) -> None:
    texts = {
        "ImageSets/Main/train.txt": "1\n2\n",
        "ImageSets/Main/val.txt": "3\n4\n",
        "ImageSets/Main/cat_train.txt": "1  1\n2 -1\n",
    }
    found = load(tmp_path, tuple(f"JPEGImages/{number}.png" for number in range(1, 5)), texts)
    assert not found.labelled
    assert found.parts is not None
    assert found.parts.tolist() == [0, 0, 1, 1]


def test_boxes_beside_images_are_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    texts = {f"labels/{number}.txt": "0 0.5 0.5 0.2 0.2\n" for number in range(4)}
    found = load(tmp_path, tuple(f"images/{number}.png" for number in range(4)), texts)
    assert not found.labelled
    (said,) = (one for one in caplog.messages if "not used" in one)
    assert said.endswith("labels/2.txt and 1 more are not used: boxes of objects, which are not read")


@pytest.mark.parametrize("name", ["{}.json", "{}.png.json"])
@pytest.mark.parametrize("pack", [write_folder, write_zip])
def test_a_json_file_beside_each_image(name: str, pack, tmp_path: Path) -> None:
    said = [{"Label": "ab"[k % 2], "patient": k // 2, "split": ("train", "test")[k // 4]} for k in range(6)]
    texts = {name.format(k): json.dumps(one).encode() for k, one in enumerate(said)}
    place = pack(tmp_path / "set.zip", pictures(*(f"{k}.png" for k in range(6))) | texts)
    found = latentspace.load_data(place)
    assert (found.class_names, found.labels.tolist()) == (("a", "b"), [0, 1] * 3)
    assert (found.groups.tolist(), found.parts.tolist()) == ([0, 0, 1, 1, 2, 2], [0] * 4 + [2] * 2)
    assert latentspace.load_data(place, label="patient").class_names == ("0", "1", "2")
    bare = latentspace.load_data(place, label="none")
    assert (bare.labels, bare.groups.tolist()) == (None, [0, 0, 1, 1, 2, 2])


def test_json_without_labels_beside_each_image_is_said_once(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO", "latentspace")
    texts = {f"{k}.json": json.dumps({"shapes": [k], "imagePath": f"{k}.png"}) for k in range(4)}
    assert load(tmp_path, tuple(f"{k}.png" for k in range(4)), texts).labels is None
    (line,) = [one for one in caplog.messages if "not used" in one]
    assert line.endswith("1 more are not used: no label in them, but shapes, imagepath")
