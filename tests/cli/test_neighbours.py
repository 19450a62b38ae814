"""latentspace neighbours and index: the nearest codes, among images or among a kept index."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentspace
from latentspace.inference import index as module
from latentspace.inference import neighbours as searching
from makers import files_of, write_folder
from materials import make_images
from runner import call

KINDS = ["ae", "vae", "classifier"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Six images of their own, as PNG files."""
    place = tmp_path_factory.mktemp("near") / "scans"
    write_folder(place, files_of(make_images(6, seed=5)))
    return place


def listed(words: list[str]) -> dict:
    code, out, err = call([*words, "--json"])
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_of_the_own_images(small_runs, scans, images, kind):
    found = listed(["neighbours", str(small_runs[kind].path), str(scans), "--count", "3"])
    assert [found["images"], found["among"], found["recall"]] == [6, 120, 1.0]
    trained = latentspace.load(small_runs[kind].path)
    codes = trained.encode(images)
    asked = latentspace.load_data(str(scans))
    every = np.linalg.norm(trained.encode(asked)[:, None] - codes[None], axis=2)
    rows = found["neighbours"]
    assert [one["name"] for one in rows] == [name for name in asked.names for _ in range(3)]
    assert [int(one["neighbour"]) for one in rows] == np.argsort(every, axis=1)[:, :3].reshape(-1).tolist()
    assert [one["distance"] for one in rows] == pytest.approx(np.sort(every)[:, :3].reshape(-1), abs=1e-4)
    assert rows[0]["label"] == images.class_names[images.labels[int(rows[0]["neighbour"])]]


def test_images_among_themselves_are_not_their_own_neighbours(small_runs, scans):
    run = str(small_runs["ae"].path)
    rows = listed(["neighbours", run, str(scans), "--among", str(scans), "--count", "50"])["neighbours"]
    assert len(rows) == 6 * 5
    assert all(one["name"] != one["neighbour"] for one in rows)


def test_a_folder_gets_a_table_and_a_picture(small_runs, scans, tmp_path):
    out = tmp_path / "near"
    one = next(scans.rglob("*.png"))
    words = ["neighbours", str(small_runs["ae"].path), str(one), "--count", "4", "--out", str(out)]
    code, _, err = call(words)
    assert code == 0, err
    with (out / "neighbours.csv").open() as file:
        assert [row["rank"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    with Image.open(out / "neighbours.png") as picture:
        assert picture.width > picture.height
    assert call(words)[0] == 2


def test_an_index_finds_what_a_search_finds_and_grows(small_runs, scans, tmp_path):
    run, kept = str(small_runs["ae"].path), str(tmp_path / "letters.index")
    assert listed(["index", run, "--out", kept])["added"] == 120
    plain = listed(["neighbours", run, str(scans), "--count", "3"])
    indexed = listed(["neighbours", run, str(scans), "--count", "3", "--index", kept])
    assert indexed["neighbours"] == plain["neighbours"]
    assert listed(["index", run, str(scans), "--out", kept, "--add"])["added"] == 6
    _, _, said = call(["index", run, str(scans), "--out", kept, "--add"])
    assert "indexed 0 images; it has 6 images already" in said
    grown = listed(["neighbours", run, str(scans), "--count", "2", "--index", kept])
    assert grown["among"] == 126
    nearest = grown["neighbours"][::2]
    assert [one["neighbour"] for one in nearest] == [one["name"] for one in nearest]
    found = latentspace.load(run).neighbours(latentspace.load_data(str(scans)), index=kept, count=1)
    assert np.array_equal(found.among.pixels(found.rows[:, 0]), found.images.pixels)
    assert found.distances == pytest.approx(np.zeros((6, 1)), abs=1e-5)


def test_large_collections_are_searched_by_a_graph(small_runs, scans, tmp_path, monkeypatch):
    pytest.importorskip("usearch", reason="the extra neighbours is not installed")
    for one in (module, searching):
        monkeypatch.setattr(one, "EXACT", 100)
    monkeypatch.setattr(searching, "FEW", 3)
    run, kept = str(small_runs["ae"].path), tmp_path / "letters.index"
    plain = listed(["neighbours", run, str(scans)])
    assert 0.9 < plain["recall"] <= 1
    listed(["index", run, "--out", str(kept)])
    listed(["index", run, str(scans), "--out", str(kept), "--add"])
    found = listed(["neighbours", run, str(scans), "--index", str(kept), "--count", "1"])
    assert found["among"] == 126
    assert [one["neighbour"] for one in found["neighbours"]] == [one["name"] for one in found["neighbours"]]
    assert json.loads((kept / "index.json").read_text())["recall"] > 0.9
    assert (kept / "graph.usearch").is_file()


def test_an_index_of_another_run_is_refused(small_runs, scans, tmp_path):
    kept = str(tmp_path / "letters.index")
    listed(["index", str(small_runs["ae"].path), str(scans), "--out", kept])
    for words in (
        ["neighbours", "RUN", str(scans), "--index", kept],
        ["index", "RUN", "--add", "--out", kept],
    ):
        code, _, err = call([str(small_runs["vae"].path) if one == "RUN" else one for one in words])
        assert code == 2
        assert "must be one of this run" in err


def test_an_index_is_replaced_only_when_asked(small_runs, scans, tmp_path, monkeypatch):
    run, kept = str(small_runs["ae"].path), tmp_path / "letters.index"
    listed(["index", run, "--out", str(kept)])
    code, _, err = call(["index", run, str(scans), "--out", str(kept)])
    assert code == 2
    assert "--add" in err
    with monkeypatch.context() as broken:  # the old one stays where the new one fails
        broken.setattr("latentspace.inference.index.codes_and_errors", None)
        with pytest.raises(TypeError):
            call(["index", run, str(scans), "--out", str(kept), "--force"])
    assert (kept / "000001.parquet").exists()
    assert listed(["index", run, str(scans), "--out", str(kept), "--force"])["added"] == 6
    (kept / "000001.parquet").write_bytes(b"broken")
    code, _, err = call(["neighbours", run, str(scans), "--index", str(kept)])
    assert code == 2
    assert "must be a part of an index" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["neighbours", "RUN", "SCANS", "--among", "x", "--index", "y"], "leave out one of the two"),
        (
            ["neighbours", "RUN", "SCANS", "--index", "nothing"],
            "nothing must be an index found: No such file",
        ),
        (["neighbours", "RUN", "SCANS", "--out", "found.doc"], "--out is a folder, or a file with one"),
        (["index", "RUN", "--out", "nothing", "--add"], "nothing must be an index"),
        (["index", "RUN", "--out", "nothing", "--add", "--force"], "--add keeps what --force replaces"),
    ],
)
def test_bad_input_is_refused(small_runs, scans, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    given = {"RUN": str(small_runs["ae"].path), "SCANS": str(scans)}
    code, _, err = call([given.get(one, one) for one in words])
    assert code == 2
    assert said in " ".join(err.split())
    assert not list(tmp_path.iterdir())
