"""Tables and lists that name image files, named themselves or beside a folder of images."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import DataError
from latentspace.data.readers.file_tables import Matcher
from makers import encoded, pictures, random_pixels, write_folder, write_tar, write_zip

CASE = Path(__file__).parents[4] / "shared" / "cases" / "r32_tables"
LABELS = {f"{number}.png": "cat" if number % 2 else "dog" for number in range(12)}


def photos(place: Path, names=tuple(LABELS)) -> Path:
    return write_folder(place, pictures(*names))


def rows(mark: str = ",", header: str | None = "filename,label", stem: bool = False) -> str:
    lines = [] if header is None else [header.replace(",", mark)]
    lines += [f"{name.removesuffix('.png') if stem else name}{mark}{label}" for name, label in LABELS.items()]
    return "".join(f"{line}\n" for line in lines)


def coco(categories: list[list[str]]) -> dict[str, list[dict[str, object]]]:
    """COCO's description of the images of `LABELS`, with an annotation for each of their categories."""
    pairs = [(number, name) for number, names in enumerate(categories) for name in names]
    return {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(LABELS)],
        "annotations": [{"image_id": number, "category_id": int(name == "dog")} for number, name in pairs],
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    }


def labels_of(images) -> dict[str, str]:
    return {name: images.class_names[label] for name, label in zip(images.names, images.labels, strict=True)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", rows()),
        ("annotations.csv", rows(header="image,class")),
        ("train.csv", rows(header="id,breed", stem=True)),
        ("labels.csv", rows(";", "Image Name;Class")),
        ("labels.tsv", rows("\t", "file\tlabel")),
        ("labels.csv", rows("  ", "file  label")),
        ("labels.csv", rows(" ", None)),
        ("labels.csv", rows(header=None)),
        (
            "labels.csv",
            "\ufeff" + rows().replace("\n0.png", '\n"0.png"').replace("dog", '"dog"').replace("\n", "\r\n"),
        ),
        ("labels.csv", rows(header="file,what it is")),
        ("labels.csv", rows().replace(".png", ".PNG.png").replace(".PNG", "")),
        (
            "labels.csv",
            "image,cat,dog\n"
            + "".join(f"{n},{int(k == 'cat')},{k == 'dog':.1f}\n" for n, k in LABELS.items()),
        ),
        ("labels.txt", rows(" ", None)),
        ("list.txt", rows("\t", None, stem=True)),
        ("labels.json", json.dumps(LABELS)),
        ("labels.json", json.dumps([{"filename": n, "label": k} for n, k in LABELS.items()])),
        ("dataset.json", json.dumps({"labels": [[n, k] for n, k in LABELS.items()]})),
        ("meta.json", json.dumps({n: {"label": k, "width": 8} for n, k in LABELS.items()})),
        ("_annotations.coco.json", "COCO"),
        (
            "labels.csv",
            "image,cat,dog\n" + "".join(f"{n},{k == 'cat'},{k == 'dog'}\n" for n, k in LABELS.items()),
        ),
        (
            "meta.csv",
            "width,height,label,file_name\n" + "".join(f"8,8,{k},images/{n}\n" for n, k in LABELS.items()),
        ),
    ],
)
def test_a_table_beside_the_images_labels_them(name: str, content: str, tmp_path: Path):
    folder = photos(tmp_path / "set")
    if content == "COCO":
        content = json.dumps(coco([[label] for label in LABELS.values()]))
    (folder / name).write_bytes(content.encode())
    images = latentspace.load_data(folder)
    assert labels_of(images) == LABELS
    assert images.class_names == ("cat", "dog")
    assert images.source == f"a folder of images with labels from {name}"


@pytest.mark.parametrize("below", ["", "photos/"])
@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_a_table_in_an_archive_labels_its_images(write, below: str, tmp_path: Path):
    pictures = {f"{below}{name}": encoded(random_pixels(8, 8, seed=k)) for k, name in enumerate(LABELS)}
    write(tmp_path / "set.archive", {**pictures, f"{below}labels.csv": rows().encode()})
    images = latentspace.load_data(tmp_path / "set.archive")
    assert list(labels_of(images).values()) == list(LABELS.values())
    assert images.source == f"an archive of images with labels from {below}labels.csv"


def test_a_table_that_is_used_is_not_among_what_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = photos(tmp_path / "set")
    (folder / "labels.csv").write_text(rows())
    (folder / "notes.txt").write_text("none")
    (folder / "more").mkdir()
    (folder / "more" / "labels.csv").write_text("none")
    with caplog.at_level(logging.INFO):
        latentspace.load_data(folder)
    assert "not read as images: more/, more/labels.csv, notes.txt" in caplog.text


def test_capitals_count_where_they_tell_names_apart_alone():
    mixed = Matcher(["a/One.png", "a/two.PNG", "b/Xy.png", "b/xY.png"])
    assert [mixed.find(cell) for cell in ("one.png", "TWO", "A/TWO.png", "b/Xy.png", "XY")] == [
        0,
        1,
        1,
        2,
        None,
    ]
    small = Matcher(["a/one.png"])
    assert [small.find(cell) for cell in ("ONE", "one", "")] == [0, 0, None]


def test_the_table_may_stand_beside_the_folder(tmp_path: Path):
    folder = photos(tmp_path / "train")
    (tmp_path / "labels.csv").write_text(rows(stem=True))
    (tmp_path / "sales.csv").write_text(rows().replace("dog", "cow"))
    assert labels_of(latentspace.load_data(folder)) == LABELS


def test_groups_and_parts_come_along(tmp_path: Path):
    folder = photos(tmp_path / "set")
    lines = [
        f"{n},{k},p{i // 4},{('train', 'val', 'test')[i % 3]}" for i, (n, k) in enumerate(LABELS.items())
    ]
    (folder / "labels.csv").write_text("path,label,group,part\n" + "\n".join(lines))
    for spec in (folder, folder / "labels.csv"):
        images = latentspace.load_data(spec)
        assert images.groups.tolist() == [number // 4 for number in range(12)]
        assert images.parts.tolist() == [number % 3 for number in range(12)]


def test_what_has_no_row_and_what_has_no_file_is_said(tmp_path: Path, caplog):
    folder = photos(tmp_path / "set")
    text = (
        rows().replace("3.png,cat\n", "").replace("4.png,dog\n", "4.png,NaN\n") + "99.png,dog\n98.png,dog\n"
    )
    (folder / "labels.csv").write_text(text)
    with caplog.at_level(logging.INFO, "latentspace"):
        images = latentspace.load_data(folder)
    assert len(images) == 10
    assert "2 rows of labels.csv without a file here: 99.png, 98.png" in images.record.conversions
    assert "2 images left out, as labels.csv has no label for them: 3.png, 4.png" in images.record.warnings


@pytest.mark.parametrize(
    "content",
    [
        "date,price\n1,2\n3,4\n",
        "filename,label\nx.png,a\ny.png,b\n",
        "filename\n0.png\n1.png\n",
        "filename,label\n0.png,dog,1\n",
        "",
        'filename,label\n"0.png,dog\n',
    ],
)
def test_a_table_that_does_not_fit_is_mentioned_and_not_used(content: str, tmp_path: Path, caplog):
    folder = photos(tmp_path / "set")
    (folder / "other.csv").write_text(content)
    with caplog.at_level(logging.INFO, "latentspace"):
        images = latentspace.load_data(folder)
    assert not images.labelled
    assert "other.csv is not used" in caplog.text


def test_two_labels_for_a_file_beside_the_images(tmp_path: Path):
    folder = photos(tmp_path / "set")
    (folder / "boxes.csv").write_text(rows() + "0.png,cat\n")
    images = latentspace.load_data(folder)
    assert not images.labelled
    assert images.record.warnings == (
        "labels of boxes.csv not used, as it gives 1 file more than one: 0.png",
    )


@pytest.mark.parametrize(
    ("label", "why"),
    [("{0}.5", "numbers that are not whole"), ('"a dog, and {0} more"', "texts that differ")],
)
@pytest.mark.parametrize("header", ["file,label\n", ""])
def test_what_differs_from_image_to_image_is_no_class(label: str, why: str, header: str, tmp_path: Path):
    folder = photos(tmp_path / "set")
    lines = (f"{name},{label.format(number)}\n" for number, name in enumerate(LABELS))
    (folder / "said.csv").write_text(header + "".join(lines))
    for source in (folder, folder / "said.csv"):
        images = latentspace.load_data(source)
        assert not images.labelled
    if header:
        assert why in images.record.warnings[0]


def test_numbers_that_a_table_has_lost_the_zeros_of(tmp_path: Path):
    folder = photos(tmp_path / "set", [f"{number:05}.png" for number in range(12)])
    (folder / "labels.csv").write_text("id,label\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(12)))
    assert labels_of(latentspace.load_data(folder)) == {f"{k:05}.png": "ab"[k % 2] for k in range(12)}


@pytest.mark.parametrize(("column", "yes"), [("is_valid", 1), ("is_test", 2)])
def test_a_column_of_yes_and_no_says_the_part(column: str, yes: int, tmp_path: Path):
    folder = photos(tmp_path / "set")
    lines = [f"{name},{label},{name > '5'}\n" for name, label in LABELS.items()]
    (folder / "labels.csv").write_text(f"name,label,{column}\n{''.join(lines)}")
    images = latentspace.load_data(folder)
    assert images.parts is not None
    assert images.parts.tolist() == [yes if name > "5" else 0 for name in images.names]


@pytest.mark.parametrize("names", [["boxes.txt"], [f"{number}.txt" for number in range(12)], ["coco.json"]])
def test_annotations_that_are_no_classes_are_left_alone(names: list[str], tmp_path: Path):
    folder = photos(tmp_path / "set")
    for name in names:
        boxes = json.dumps(coco([["cat", "dog"]] * 12)) if name == "coco.json" else "0 .5 .5 .1 .1\n"
        (folder / name).write_text(boxes)
    images = latentspace.load_data(folder)
    assert (len(images), images.labels) == (12, None)


def test_a_table_without_a_column_that_is_surely_the_label_says_which_there_are(tmp_path: Path, caplog):
    folder = photos(tmp_path / "set")
    lines = [f"{name},{label},{label}\n" for name, label in LABELS.items()]
    (folder / "meta.csv").write_text(f"file,theme,artist\n{''.join(lines)}")
    assert latentspace.load_data(folder).labels is None
    assert "which column is their label is not clear: theme, artist (call it `label`)" in caplog.text


def test_captions_are_no_classes(tmp_path: Path):
    folder = photos(tmp_path / "set")
    (folder / "captions.csv").write_text("file,caption\n" + "".join(f"{n},photo {n}\n" for n in LABELS))
    assert latentspace.load_data(folder).labels is None


def test_class_folders_keep_their_labels(tmp_path: Path):
    folder = write_folder(
        tmp_path / "set", {f"{c}/{k}.png": encoded(random_pixels(8, 8)) for c in "ab" for k in range(3)}
    )
    (folder / "labels.csv").write_text(
        "path,label\n" + "".join(f"{c}/{k}.png,z{k}\n" for c in "ab" for k in range(3))
    )
    assert latentspace.load_data(folder).class_names == ("a", "b")


def test_a_table_itself_keeps_its_order_and_reads_below(tmp_path: Path):
    photos(tmp_path / "train")
    backwards = "id,breed\n" + "".join(f"{n[:-4]},{k}\n" for n, k in reversed(LABELS.items()))
    (tmp_path / "labels.csv").write_text(backwards)
    images = latentspace.load_data(tmp_path / "labels.csv")
    assert list(images.names) == [name[:-4] for name in reversed(LABELS)]
    np.testing.assert_array_equal(images.pixels[0, 0], random_pixels(8, 8, seed=11))
    assert images.class_names == ("cat", "dog")


@pytest.mark.parametrize("mark", [" ", "\t"])
def test_a_list_of_paths(mark: str, tmp_path: Path):
    photos(tmp_path / "set", ("a b.png", "c.png"))
    (tmp_path / "plain.txt").write_text("# a comment\n\nset/c.png\nset/a b.png\n")
    (tmp_path / "caffe.lst").write_text(f"set/c.png{mark}1\nset/a b.png{mark}0\n")
    plain = latentspace.load_data(tmp_path / "plain.txt")
    assert plain.names == ("set/c.png", "set/a b.png")
    assert not plain.labelled
    assert labels_of(latentspace.load_data(tmp_path / "caffe.lst")) == {"set/c.png": "1", "set/a b.png": "0"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "path,label\na.png,x\nno1.png,x\nno2.png,y\nno3.png,y\nno4.png,y\n",
            "4 of 5 paths are not: no1.png, no2.png",
        ),
        ("path,label\na.png,x\nb.png,y\na.png,y\n", "a.png: x in line 2, y in line 4"),
        ("where,what,why\nx,y,z\n", "columns where, what, why"),
        ("path,label\na.png,x\nb.png\n", "1 in line 3"),
        ("path,label\n", "a header alone"),
        ("", "an empty table"),
        ("path,part\na.png,early\nb.png,late\n", "'early' in line 2"),
        ("path,label\na.png,\0\n", "a zero byte"),
    ],
)
def test_bad_tables(content: str, said: str, tmp_path: Path):
    photos(tmp_path, ("a.png", "b.png"))
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError) as error:
        latentspace.load_data(tmp_path / "t.csv")
    assert said in error.value.found


def test_unreadable_files_are_named_by_their_path(tmp_path: Path):
    photos(tmp_path, ("a.png", "b.png"))
    (tmp_path / "c.png").write_bytes(b"no image")
    (tmp_path / "t.csv").write_text("path,label\nc.png,x\nb.png,y\na.png,x\n")
    images = latentspace.load_data(tmp_path / "t.csv")
    assert [one.name for one in images.record.unreadable] == ["c.png"]
    assert labels_of(images) == {"b.png": "y", "a.png": "x"}
    with pytest.raises(DataError):
        latentspace.load_data(tmp_path / "t.csv", strict=True)


@pytest.mark.skipif(not CASE.exists(), reason="no shared cases beside the checkout")
def test_the_case():
    images = latentspace.load_data(CASE / "photos")
    assert np.bincount(images.labels).tolist() == [6, 6]
    assert len(latentspace.load_data(CASE / "train.csv")) == 6


@pytest.mark.parametrize("write", [write_folder, write_zip])
@pytest.mark.parametrize("table", ["{}/metadata.csv", "{}.csv", "{}_labels.csv", "outer/meta.csv"])
def test_tables_of_the_parts_are_put_together(write, table: str, tmp_path: Path):
    files: dict[str, bytes] = {}
    for part, count in (("train", 8), ("test", 4)):
        place = table.format(part)
        lines = ["" if place in files else "file_name,label\n"]
        for number in range(count):
            files[f"{part}/{number}.png"] = encoded(random_pixels(8, 8, seed=len(files)))
            name = f"{number}.png" if "{}/" in table or "_labels" in table else f"{part}/{number}.png"
            lines.append(f"{name},{'ab'[number % 2]}\n")
        files[place] = files.get(place, b"") + "".join(lines).encode()
    if table == "outer/meta.csv":
        files = {name if name == table else f"outer/data/{name}": one for name, one in files.items()}
    images = latentspace.load_data(write(tmp_path / "set.zip", files))
    assert images.class_names == ("a", "b")
    assert (len(images), np.bincount(images.labels).tolist()) == (12, [6, 6])
    assert images.parts is not None
    assert sorted(images.parts.tolist()) == [0] * 8 + [2] * 4


def test_a_submission_is_no_table_of_labels(tmp_path: Path):
    folder, names = photos(tmp_path / "set"), list(LABELS)
    for table, some in (("train.csv", names[:9]), ("sample_submission.csv", names[9:])):
        (folder / table).write_text("id,label\n" + "".join(f"{name},{LABELS[name]}\n" for name in some))
    assert set(latentspace.load_data(folder).names) == set(names[:9])


def test_a_table_beside_an_archive(tmp_path: Path):
    files = pictures(*LABELS)
    path = write_zip(tmp_path / "photos.zip", files)
    assert latentspace.load_data(path).labels is None
    (tmp_path / "photos_labels.csv").write_text(rows())
    assert labels_of(latentspace.load_data(path)) == LABELS
