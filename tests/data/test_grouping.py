"""Groups and labels from names: patterns, folders, tables."""

import re
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import ConfigurationError, DataError, LatentspaceError
from latentspace.data import sources
from latentspace.data.name_labels import suggested
from makers import encoded, pictures, random_pixels, write_folder, write_tar, write_zip

NAMES = [f"{kind}/p{patient:02}_{n}.png" for kind in ("ill", "well") for patient in (0, 3) for n in range(3)]


@pytest.fixture(params=["folder", "zip", "tar"])
def stored(request, tmp_path: Path) -> Path:
    files = pictures(*NAMES)
    if request.param == "folder":
        return write_folder(tmp_path / "set", files)
    return (write_zip if request.param == "zip" else write_tar)(tmp_path / f"set.{request.param}", files)


def test_a_pattern(stored: Path):
    images = latentspace.load_data(stored, group_by=r"(p\d+)_")
    assert images.groups.tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert "2 groups from group_by='(p\\\\d+)_'" in images.record.conversions
    whole = latentspace.load_data(stored, group_by=r"\w+/p\d+")
    assert whole.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_the_folder(stored: Path):
    assert latentspace.load_data(stored, group_by="folder").groups.tolist() == [0] * 6 + [1] * 6


def test_the_class_is_above_the_folder_of_a_patient(tmp_path: Path):
    files = {name.replace("_", "/"): encoded(random_pixels(8, 8, seed=k)) for k, name in enumerate(NAMES)}
    images = latentspace.load_data(write_folder(tmp_path / "set", files), group_by="folder")
    assert images.class_names == ("ill", "well")
    assert images.labels.tolist() == [0] * 6 + [1] * 6
    assert len(set(images.groups.tolist())) == 4
    assert any("above that of the group is the class" in note for note in images.record.conversions)


@pytest.mark.parametrize("header", ["name,group\n", "", "patient,file\n"])
def test_a_table(header: str, stored: Path, tmp_path: Path):
    pairs = [(name, name[-9:-6] if "ill" in name else "others") for name in NAMES[:-1]]
    if header.startswith("patient"):
        pairs = [pair[::-1] for pair in pairs]
    (tmp_path / "groups.csv").write_text(header + "".join(f"{a},{b}\n" for a, b in pairs))
    images = latentspace.load_data(stored, group_by=str(tmp_path / "groups.csv"))
    assert len(set(images.groups.tolist())) == 4
    assert images.groups[:6].tolist() == [0, 0, 0, 1, 1, 1]
    assert "1 image without a match, each a group of its own: well/p03_2.png" in images.record.conversions


def test_groups_of_the_source_are_replaced_and_said(tmp_path: Path):
    path = tmp_path / "some.npz"
    np.savez(path, images=random_pixels(6, 8, 8), groups=np.arange(6))
    (tmp_path / "groups.csv").write_text("row,group\n" + "".join(f"{n},{n // 3}\n" for n in range(6)))
    images = latentspace.load_data(path, group_by=str(tmp_path / "groups.csv"))
    assert images.groups.tolist() == [0, 0, 0, 1, 1, 1]
    assert any("replaced" in note for note in images.record.conversions)


@pytest.mark.parametrize(
    ("group_by", "said"),
    [
        ("(p[", "unterminated"),
        (r"(q\d+)", "no name has a match"),
        (r"(png)", "all of them in one group, 'png'"),
        ("none.csv", "no file none.csv"),
        (r"x*", "no name has a match"),
    ],
)
def test_what_cannot_group_is_refused_before_reading(group_by: str, said: str, stored: Path, monkeypatch):
    if stored.suffix != ".tar":
        monkeypatch.setattr(sources, "read_source", lambda _: pytest.fail("it was read"))
    with pytest.raises(LatentspaceError, match=re.escape(said)):
        latentspace.load_data(stored, group_by=group_by)


@pytest.mark.parametrize("content", ["a,b,c\n1,2,3\n", "name,group\na,1\na,2\n", "name,group\na\n", ""])
def test_bad_tables(content: str, stored: Path, tmp_path: Path):
    (tmp_path / "groups.csv").write_text(content)
    with pytest.raises((ConfigurationError, DataError)):
        latentspace.load_data(stored, group_by=str(tmp_path / "groups.csv"))


def test_rows_lie_in_no_folder(tmp_path: Path):
    np.save(tmp_path / "a.npy", random_pixels(6, 8, 8))
    with pytest.raises(ConfigurationError, match="rows"):
        latentspace.load_data(tmp_path / "a.npy", group_by="folder")


FLAT = ("cat.0.png", "cat.1.png", "dog.12.png", "dog.3.png", "photo.png")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "flat", pictures(*FLAT))


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("options", [{"label_by": r"^([a-z]+)\."}, {"label": "none"}])
def test_a_table_beside_gives_groups_and_parts_where_labels_come_from_elsewhere(
    archive: bool, options: dict, tmp_path: Path
):
    files = {f"{'cat' if k % 2 else 'dog'}.{k}.png": encoded(random_pixels(9, 9, seed=k)) for k in range(8)}
    rows = [f"{name},p{k // 2},{'test' if k > 5 else 'train'},\n" for k, name in enumerate(files)]
    files["meta.csv"] = ("file,patient,split,label\n" + "".join(rows)).encode()
    place = write_zip(tmp_path / "some.zip", files) if archive else write_folder(tmp_path / "some", files)
    images = latentspace.load_data(str(place), **options)
    assert len(images) == 8
    assert images.class_names == (("cat", "dog") if "label_by" in options else ())
    assert images.groups is not None
    assert images.parts is not None
    of_name = dict(zip(images.names, zip(images.groups, images.parts, strict=True), strict=True))
    assert of_name["dog.0.png"] == of_name["cat.1.png"] != of_name["dog.2.png"]
    assert of_name["dog.6.png"][1] == 2


def test_labels_by_a_pattern_a_table_and_the_folder(flat: Path, tmp_path: Path):
    images = latentspace.load_data(flat, label_by=r"^([a-z]+)\.\d")
    assert images.class_names == ("cat", "dog")
    assert images.labels.tolist() == [0, 0, 1, 1]
    assert images.names[2:] == ("dog.3.png", "dog.12.png")
    assert any("1 image left out" in note and "photo.png" in note for note in images.record.warnings)
    (tmp_path / "labels.csv").write_text("name,label\n" + "".join(f"{one},{one[0]}\n" for one in FLAT))
    images = latentspace.load_data(flat, label_by=str(tmp_path / "labels.csv"))
    assert [images.class_names[label] for label in images.labels] == ["c", "c", "d", "d", "p"]
    both = latentspace.load_data(f"{flat} + {flat}", label_by=r"^(cat|dog)")  # names begin with the SPEC
    assert both.labels.tolist() == [0, 0, 1, 1] * 2
    assert both.class_names == ("cat", "dog")
    tiles = latentspace.load_data(flat, label_by=r"^(cat|dog)", tiles="8x4")
    assert tiles.labels.tolist() == [0] * 4 + [1] * 4
    files = pictures(*NAMES)
    deep = latentspace.load_data(write_folder(tmp_path / "deep", files), label_by=r"(p\d+)_")
    assert deep.class_names == ("p00", "p03")  # instead of the class folders
    (tmp_path / "deep" / "alone.png").write_bytes(files[NAMES[0]])  # else all would be without labels
    assert latentspace.load_data(tmp_path / "deep", label_by="folder").class_names == ("ill", "well")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label_by": r"(q)"}, "no name has a match"),
        ({"label_by": r"(png)"}, "all of them in one class, 'png'"),
        ({"label_by": r"(cat", "label": None}, "unterminated"),
        ({"label_by": r"^(cat|dog)", "label": "breed"}, "labels come from one place"),
    ],
)
def test_what_cannot_label_is_refused(options: dict, said: str, flat: Path):
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        latentspace.load_data(flat, **options)


def test_rows_have_no_names_to_be_labelled_by(tmp_path: Path):
    np.save(tmp_path / "a.npy", random_pixels(6, 8, 8))
    with pytest.raises(ConfigurationError, match="names"):
        latentspace.load_data(tmp_path / "a.npy", label_by=r"(\d)")


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("cat.0.jpg", "cat.12.jpg", "dog.3.jpg", "dog.1.jpg"), ("cat", "dog")),
        (("obj1__0.png", "obj1__5.png", "obj10__0.png", "obj10__5.png"), ("obj1", "obj10")),
        (("3_001.png", "3_002.png", "12_001.png", "12_002.png"), ("3", "12")),
        (("n01440764_10.JPEG", "n01440764_2.JPEG", "n02_1.JPEG", "n02_2.JPEG"), ("n01440764", "n02")),
        (("great_pyrenees_1.jpg", "great_pyrenees_2.jpg", "great_dane_1.jpg", "great_dane_2.jpg"), None),
        (("cat1.png", "cat2.png", "dog1.png", "dog2.png"), ("cat", "dog")),
        (("0_cat.png", "1_cat.png", "0_dog.png", "1_dog.png"), ("cat", "dog")),
        (("IMG_0001.png", "IMG_0002.png", "IMG_0003.png", "IMG_0004.png"), ()),
        (("0001.png", "0002.png", "10.png", "20.png"), ()),
    ],
)
def test_names_that_seem_to_have_labels_suggest_a_pattern(names: tuple, classes: tuple | None):
    found = suggested(names)
    expected = ("great_pyrenees", "great_dane") if classes is None else classes
    assert tuple(found.counts if found else ()) == expected
