"""Groups from names: patterns, folders, tables."""

import re
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import ConfigurationError, DataError, LatentspaceError
from latentspace.data import sources
from makers import encoded, random_pixels, write_folder, write_tar, write_zip

NAMES = [f"{kind}/p{patient:02}_{n}.png" for kind in ("ill", "well") for patient in (0, 3) for n in range(3)]


@pytest.fixture(params=["folder", "zip", "tar"])
def stored(request, tmp_path: Path) -> Path:
    files = {name: encoded(random_pixels(8, 8, seed=k)) for k, name in enumerate(NAMES)}
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
