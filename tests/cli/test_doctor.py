"""latentspace doctor: planted faults are found, shown, and left out of a cleaned table."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from latentspace.evaluation.doctor.codes import trained_here
from latentspace.evaluation.doctor.kept_coder import recalled
from runner import call

SMALL = (
    *("--preset", "report", "--set", "model.conv1_channels=4", "--set", "model.conv2_channels=4"),
    *("--set", "model.conv3_channels=4", "--set", "model.neurons=8", "--epochs", "1", "--threads", "1"),
)


def shapes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bars that lie (class 0) or stand (class 1), anywhere, on noise; no two are near copies."""
    draw = np.random.default_rng(seed)
    pixels = draw.integers(0, 120, (count, 16, 16)).astype(np.uint8)
    labels = np.arange(count) % 2
    for one, label in zip(pixels, labels, strict=True):
        place, start = draw.integers(2, 13), draw.integers(0, 5)
        bar = (slice(place, place + 2), slice(start, start + 10))
        one[bar if label == 0 else bar[::-1]] = 255
    return pixels, labels


def write(folder: Path, pixels: np.ndarray, labels: np.ndarray, part: str = "") -> None:
    for number, (one, label) in enumerate(zip(pixels, labels, strict=True)):
        path = folder / part / "ab"[label] / f"{part}{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(one).save(path)


@pytest.fixture(scope="module", autouse=True)
def _short_training(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("latentspace.evaluation.doctor.codes.STEPS", 60)
        yield


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of train and test, with one fault of each kind: what is wrong is in the names of FAULTS."""
    folder = tmp_path_factory.mktemp("faulty") / "bars"
    pixels, labels = shapes(120)
    pixels[10] = 7  # blank
    pixels[20] = pixels[20] // 8  # dark
    pixels[31] = pixels[33]  # a copy of its class
    labels[50] = 1 - labels[50]  # a wrong label
    pixels[40] = pixels[41]  # a copy with another label
    write(folder, pixels[:100], labels[:100], "train")
    pixels[105] = pixels[5]  # a leak
    write(folder, pixels[100:], labels[100:], "test")
    (folder / "train" / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder


@pytest.fixture(scope="module")
def examined(faulty: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, Path]:
    """What --json says, the page, and the cleaned table."""
    folder = tmp_path_factory.mktemp("examined")
    page, table = folder / "doctor.html", folder / "cleaned.csv"
    code, out, err = call(["doctor", str(faulty), "--out", str(page), "--fix", str(table), "--json"])
    assert code == 0, err
    return json.loads(out), page, table


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("unreadable", []),
        ("blank", ["train/a/train010.png"]),
        ("dark", ["train/a/train020.png"]),
        ("copies", ["train/b/train033.png"]),
        ("conflicts", ["train/b/train041.png"]),
        ("leaks", ["test/b/test005.png"]),
    ],
)
def test_a_planted_fault_is_found(examined, name, images):
    found = examined[0]["findings"][name]
    assert found["found"]
    assert found["images"] == images


def test_a_wrong_label_is_found(examined):
    found = examined[0]["findings"]["labels"]
    assert "train/b/train050.png" in found["images"]
    assert found["details"][found["images"].index("train/b/train050.png")].startswith("b 0.")


def test_the_page_has_a_command_for_each_finding(examined, faulty):
    page = examined[1].read_text()
    *each, following, training = re.findall(r'<pre class="command"><code>(.*?)</code>', page)
    assert len(each) == sum(one["found"] for one in examined[0]["findings"].values())
    assert following in each
    assert "--fix cleaned.csv" in following
    assert training.startswith("latentspace train ae --data cleaned.csv")
    assert "<nav" not in page, "the verdicts lead to each section"
    assert f"latentspace doctor {faulty} --fix cleaned.csv" in page
    assert "train010.png" in page
    assert f"<h1>What is wrong with {faulty.name}</h1>" in page
    assert re.search(r"levels \d+ to \d+", page), "a number has a unit"
    fine = re.search(r"As it should be\.</b> (.)", page)
    assert fine[1].isupper()


def test_the_cleaned_table_is_read_as_the_images(examined, faulty):
    _, _, table = examined
    with table.open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["train/a/train010.png"]["keep"] == "drop"
    assert rows["train/a/train010.png"]["reason"] == "blank"
    assert rows["train/a/train020.png"]["keep"] == "keep"  # dark: to be looked at
    assert rows["train/a/train020.png"]["reason"].startswith("dark")
    assert (
        rows["train/b/train005.png"]["keep"] == "drop"
    )  # what is learned from goes, what is evaluated stays
    assert rows["test/b/test005.png"]["keep"] == "keep"
    read = load_images(DataConfig(spec=str(table)))
    assert list(read.names) == [name for name, row in rows.items() if row["keep"] == "keep"]
    assert read.class_names == ("a", "b")
    assert read.parts is not None


def test_train_reads_the_cleaned_table(examined, tmp_path):
    code, _, err = call(["train", "ae", "--data", str(examined[2]), "--out", str(tmp_path / "run"), *SMALL])
    assert code == 0, err
    assert "as cleaned.csv says" in err


def test_the_small_autoencoder_is_not_trained_twice_for_the_same_images(examined, faulty, monkeypatch):
    def refuse(*_: Any) -> None:
        raise AssertionError("it was trained again")

    monkeypatch.setattr("latentspace.evaluation.doctor.codes._trained", refuse)
    images = load_images(DataConfig(spec=str(faulty)))
    known = trained_here(images)
    assert "trained before" in known.words
    codes, errors = known.codes(images)
    assert codes.shape == (len(images), known.trained.code_size)
    assert float(errors.mean()) < float((images.pixels / np.float32(255)).var())


def test_a_damaged_one_is_not_taken(examined, caplog, tmp_path):
    images = ImageSet(np.zeros((60, 1, 16, 16), dtype=np.uint8), "black")
    place = tmp_path / "one.coder"
    place.write_bytes(b"no tensors")
    assert recalled(place, images, "cpu") is None
    assert "damaged" in caplog.text


def test_codes_of_a_run(examined, tmp_path):
    run = tmp_path / "run"
    assert call(["train", "ae", "--data", str(examined[2]), "--out", str(run), *SMALL])[0] == 0
    read = ["--resize", "16x16", "--group-by", r"(\d)\.png"]
    code, out, err = call(["doctor", str(examined[2]), *read, "--run", str(run), "--json"])
    assert code == 0, err
    found = json.loads(out)
    commands = {one["command"] for one in found["findings"].values()}
    again = f"{examined[2]} --resize 16x16 --group-by '(\\d)\\.png'"
    assert f"latentspace doctor {again} --run {run} --fix cleaned.csv" in commands
    assert f"latentspace train ae --data {again} --split 60/20/20 --out runs/by-groups" in commands
    assert found["codes"] == f"the codes of {run}, 10 numbers"
    assert not found["findings"]["blank"]["found"]


@pytest.mark.parametrize(("names", "code"), [("leaks,groups", 1), ("groups", 0)])
def test_fail_on(tmp_path, names, code):
    pixels, labels = shapes(24)
    pixels[23] = pixels[1]
    write(tmp_path, pixels[:20], labels[:20], "train")
    write(tmp_path, pixels[20:], labels[20:], "test")
    assert call(["doctor", str(tmp_path), "--fail-on", names])[0] == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fail-on", "leeks"], "did you mean 'leaks'"),
        (["--out", "page.pdf"], ".html"),
        (["--fix", "cleaned.parquet"], ".csv"),
        (["--fix", "cleaned.csv", "--tiles", "8x8"], "--tiles"),
        (["--run", "nowhere"], "nowhere"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(["doctor", "glyphs:20", *arguments])
    assert code == 2
    assert said in err
    assert not list(tmp_path.iterdir())


def test_images_without_labels_and_of_another_set(tmp_path):
    one, two = shapes(80)[0], 255 - shapes(80, seed=1)[0]
    np.save(tmp_path / "one.npy", one)
    np.save(tmp_path / "two.npy", two)
    code, out, err = call(
        ["doctor", str(tmp_path / "one.npy"), "--against", str(tmp_path / "two.npy"), "--json"]
    )
    assert code == 0, err
    found = json.loads(out)["findings"]
    assert found["labels"]["severity"] == "skipped"
    assert found["drift"]["severity"] == "bad"
    assert "brightness" in found["drift"]["headline"]


def test_a_set_is_like_itself(tmp_path):
    for seed in (0, 1):
        np.save(tmp_path / f"{seed}.npy", shapes(80, seed)[0])
    code, out, _ = call(["doctor", str(tmp_path / "0.npy"), "--against", str(tmp_path / "1.npy"), "--json"])
    assert code == 0
    assert json.loads(out)["findings"]["drift"]["severity"] == "fine"
