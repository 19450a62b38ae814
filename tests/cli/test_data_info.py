"""`latentspace data info`: copies, blanks and unreadable files by name; a picture where it was asked for."""

import json
from pathlib import Path

import numpy as np
import pytest

from latentspace.data.config import DataConfig
from latentspace.data.facts import Facts
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from makers import encoded, random_pixels, write_folder
from runner import call


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder `set`: two copies of 1.png, one blank image, one broken."""
    monkeypatch.chdir(tmp_path)
    files = {f"{number}.png": encoded(random_pixels(8, 8, seed=number)) for number in range(1, 5)}
    files |= {"10.png": files["1.png"], "11.png": files["1.png"], "20.png": files["3.png"]}
    files |= {"blank.png": encoded(np.full((8, 8), 7, np.uint8)), "broken.png": b"\x89PNG"}
    write_folder(tmp_path / "set", files)
    return tmp_path


def test_json_names_all_of_them_and_leaves_no_picture(place: Path):
    code, stdout, stderr = call(["data", "info", "set", "--json"])
    assert code == 0, stderr
    facts = json.loads(stdout)
    assert facts["copies"] == [["1.png", "10.png", "11.png"], ["3.png", "20.png"]]
    assert facts["duplicate_images"] == 3
    assert facts["blank_images"] == ["blank.png"]
    assert [one.partition(":")[0] for one in facts["unreadable"]] == ["broken.png"]
    assert facts["picture"] is None
    assert [one.name for one in place.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("listed", "rows"),
    [
        ("copies", [["10.png", "1.png"], ["11.png", "1.png"], ["20.png", "3.png"]]),
        ("blank", [["blank.png"]]),
        ("unreadable", [["broken.png", "not"]]),
    ],
)
def test_a_list_has_a_row_for_each(place: Path, listed: str, rows: list[list[str]]):
    code, stdout, _ = call(["data", "info", "set", "--list", listed])
    assert code == 0
    lines = [line.split() for line in stdout.splitlines() if ".png" in line]
    assert [line[: len(row)] for line, row in zip(lines, rows, strict=True)] == rows
    assert not list(place.glob("*.png"))


def test_rows_of_an_array_are_counted_from_0(place: Path):
    pixels = random_pixels(3, 8, 8)
    np.save("three.npy", pixels[[0, 1, 0]])
    _, stdout, _ = call(["data", "info", "three.npy", "--list", "copies"])
    assert "row, from 0" in stdout
    assert stdout.splitlines()[-1].split() == ["2", "0"]
    _, stdout, stderr = call(["data", "info", "three.npy", "--list", "blank"])
    assert stdout == ""
    assert "no blank images" in stderr


def test_another_list_is_refused_before_the_images_are_read(place: Path):
    code, _, stderr = call(["data", "info", "nothing-here", "--list", "all"])
    assert code == 2
    assert "copies, near-copies, conflicts, blank, unreadable" in stderr


def test_the_picture_is_in_the_working_directory_and_a_replaced_one_is_told(place: Path, monkeypatch):
    monkeypatch.setenv("LATENTSPACE_CACHE", str(place / "cache"))
    code, stdout, stderr = call(["data", "info", "set"])
    assert code == 0
    assert stdout.splitlines()[-1] == "set-samples.png"
    assert (place / "set-samples.png").read_bytes().startswith(b"\x89PNG")
    assert not (place / "cache").exists()
    assert "replaced" not in stderr
    assert "--list copies, --list blank, --list unreadable" in stderr
    _, _, stderr = call(["data", "info", "set", "--picture", "set-samples.png"])
    assert "set-samples.png was there before and has been replaced" in stderr


def test_a_picture_that_nobody_asked_for_may_fail(place: Path):
    (place / "set-samples.png").mkdir()
    code, stdout, stderr = call(["data", "info", "set"])
    assert code == 0
    assert "exact copies" in stdout
    assert "warning: no picture" in stderr
    code, _, stderr = call(["data", "info", "set", "--picture", "set-samples.png"])
    assert code == 2
    assert "must be writable" in stderr


def test_the_table_and_the_json_say_the_same_of_labels_levels_and_sizes(place: Path):
    same, other = encoded(random_pixels(8, 8, seed=1)), encoded(random_pixels(8, 8, seed=2))
    write_folder(place / "classes", {"cat/1.png": same, "cat/2.png": other, "dog/1.png": same})
    _, stdout, _ = call(["data", "info", "classes", "--json"])
    facts = json.loads(stdout)
    assert facts["per_class"] == {"cat": 2, "dog": 1}
    assert facts["names"]["conflicts"] == [["cat/1.png", "dog/1.png"]]
    assert facts["conflicts"] == 1
    assert facts["sizes"] == {"8x8": 3}
    bytes_there = np.unique([random_pixels(8, 8, seed=1), random_pixels(8, 8, seed=2)])
    lowest, highest = int(bytes_there[0]), int(bytes_there[-1])
    assert facts["levels"] == {"used": len(bytes_there), "lowest": lowest, "highest": highest}
    assert (facts["parts"], facts["groups"], facts["warnings"]) == (
        {},
        None,
        ["2 of 3 images are exact copies of one"],
    )
    _, stdout, _ = call(["data", "info", "classes"])
    assert "2, from 1 to 2 images: cat (2), dog (1)" in stdout
    assert "1 set of equal images with different labels" in stdout
    _, stdout, _ = call(["data", "info", "classes", "--list", "conflicts"])
    assert [line.split() for line in stdout.splitlines()[1:]] == [["cat/1.png", "cat"], ["dog/1.png", "dog"]]


def test_facts_fit_on_one_screen(place: Path):
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 100
    np.savez("many.npz", images=random_pixels(200, 8, 8), labels=labels, groups=rng.integers(0, 9, 200))
    _, stdout, stderr = call(["data", "info", "many.npz"])
    assert "100, 2 images each" in stdout
    assert "and 88 more" in stdout
    assert len(stdout.splitlines()) + len(stderr.splitlines()) <= 24
    _, stdout, _ = call(["data", "info", "many.npz", "--json"])
    groups = json.loads(stdout)["groups"]
    assert groups["count"] == 9
    assert groups["smallest"] <= 200 / 9 <= groups["largest"]


def test_parts_are_counted():
    parts = np.array([0, 0, 2, -1])
    facts = Facts(ImageSet(random_pixels(4, 1, 8, 8), "made", parts=parts))
    assert facts.parts == {"train": 2, "test": 1, "none": 1}
    assert facts.to_json()["parts"] == facts.parts


def test_several_sets_are_looked_at_together(place: Path):
    np.save(place / "two.npy", random_pixels(2, 8, 8, seed=9))
    _, stdout, stderr = call(["data", "info", "set", "two.npy", "--json"])
    assert json.loads(stdout)["images"] == 10, stderr
    _, joined, _ = call(["data", "info", "set + two.npy", "--json"])
    assert json.loads(joined) == json.loads(stdout)
    code, _, stderr = call(["data", "info", "set", "two.npy"])
    assert code == 0, stderr
    assert (place / "set-two.npy-samples.png").exists()


def test_the_sizes_that_images_had_have_an_example_each(place: Path):
    files = {f"{number}.png": encoded(random_pixels(20, 16, seed=number)) for number in range(4)}
    files |= {"small.png": encoded(random_pixels(8, 9)), "10.png": encoded(random_pixels(8, 9, seed=5))}
    write_folder(place / "mixed", files)
    expected = [["20x16", "4", "0.png"], ["8x9", "2", "10.png"]]

    def listed(*specs: str) -> list[list[str]]:
        _, stdout, stderr = call(["data", "info", *specs, "--list", "sizes"])
        rows = [line.split() for line in stdout.splitlines() if line[:1].isdigit() or line[1:2].isdigit()]
        assert rows, (stdout, stderr)
        return rows

    assert listed("mixed") == expected
    assert listed("mixed", "--resize", "8x9") == expected
    assert listed("mixed", "--tiles", "4x4") == expected
    sizes = load_images(DataConfig(spec="set + mixed")).record.sizes
    assert [(one.height, one.images, one.example) for one in sizes] == [
        (8, 8, "set/1.png"),
        (20, 4, "mixed/0.png"),
        (8, 2, "mixed/10.png"),
    ]
    _, stdout, _ = call(["data", "info", "mixed", "--json"])
    assert json.loads(stdout)["sizes"] == {"20x16": 4, "8x9": 2}
    table = "path\n" + "".join(f"mixed/{name}\n" for name in ("small.png", "0.png", "1.png"))
    (place / "some.csv").write_text(table)
    assert listed("some.csv") == [["20x16", "2", "mixed/0.png"], ["8x9", "1", "mixed/small.png"]]


def test_labels_that_names_seem_to_have_are_told_and_not_taken(place: Path):
    files = {f"{kind}.{k}.png": encoded(random_pixels(8, 8, seed=k)) for k in range(3) for kind in ("a", "b")}
    write_folder(place / "flat", files)
    _, stdout, _ = call(["data", "info", "flat", "--json"])
    facts = json.loads(stdout)
    assert facts["per_class"] == {}
    _, table, _ = call(["data", "info", "flat", "--picture", "flat.png"])
    assert facts["label_by"] in " ".join(table.split())
    assert "gives a (3), b (3)" in " ".join(table.split())
    _, stdout, _ = call(["data", "info", "flat", "--label-by", facts["label_by"], "--json"])
    assert json.loads(stdout)["per_class"] == {"a": 3, "b": 3}
    assert json.loads(stdout)["label_by"] is None
