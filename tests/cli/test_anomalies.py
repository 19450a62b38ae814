"""latentspace anomalies: what is unlike the images of a run comes first."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import RunError
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from latentspace.inference import anomalies
from latentspace.inference.anomalies import ranked, surprise
from latentspace.inference.appearance import BANDS, LEVELS, STEPS, Appearance, statistics
from latentspace.inference.computing import here
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.report.anomalies import anomalies_page
from latentspace.report.page import render
from latentspace.runs.directory import Run
from materials import make_images
from runner import call

KINDS = ["ae", "dae", "vae", "classifier"]


@pytest.fixture(scope="module")
def strange(tmp_path_factory) -> Path:
    """Bars, of which the last three images are noise, and the fourth last is blank."""
    path = tmp_path_factory.mktemp("strange") / "strange.npz"
    noise = np.random.default_rng(0).integers(0, 256, (3, 1, 16, 16), dtype=np.uint8)
    pixels = np.concatenate([make_images(40, seed=9).pixels, np.full((1, 1, 16, 16), 128, np.uint8), noise])
    np.savez(path, images=pixels)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_noise_comes_early(small_runs, strange, kind):
    code, out, err = call(["anomalies", str(small_runs[kind].path), str(strange), "--json"])
    assert code == 0, err
    found = json.loads(out)
    assert [found["images"], found["by"], found["out"]] == [44, "combined", []]
    rows = found["anomalies"]
    noise = [one["rank"] for one in rows if one["name"] in ("41", "42", "43")]
    assert np.mean(noise) < 15, "networks of two epochs: among the first third"
    assert [one["rank"] for one in rows] == list(range(1, 45))
    assert [one["combined"] for one in rows] == sorted((one["combined"] for one in rows), reverse=True)
    assert rows[0]["combined_percentile"] == 100
    assert found["flagged"] == sum(one["flagged"] for one in rows) > 0
    assert all(one["flagged"] == (one["combined"] > found["threshold"]) for one in rows)


def test_a_folder_gets_a_table_and_a_page(small_runs, strange, tmp_path):
    out = tmp_path / "found"
    call_ = ["anomalies", str(small_runs["ae"].path), str(strange), "--out", str(out)]
    code, stdout, err = call(call_)
    assert code == 0, err
    assert str(out / "anomalies.html") in stdout
    with (out / "anomalies.csv").open() as file:
        rows = list(csv.DictReader(file))
    page = (out / "anomalies.html").read_text()
    assert len(rows) == 44
    assert page.count("<img ") == 2 * 44
    assert f'alt="its reconstruction: {rows[0]["name"]}"' in page
    assert call(call_)[0] == 2
    assert call([*call_, "--force"])[0] == 0


@pytest.mark.parametrize("name", ["found.parquet", "found.html"])
def test_an_ending_asks_for_one_file(small_runs, strange, tmp_path, name):
    code, _, err = call(
        ["anomalies", str(small_runs["ae"].path), str(strange), "--out", str(tmp_path / name)]
    )
    assert code == 0, err
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_the_own_images_with_labels(small_runs):
    code, out, err = call(["anomalies", str(small_runs["vae"].path), "--by", "error", "--json"])
    assert code == 0, err
    rows = json.loads(out)["anomalies"]
    assert len(rows) == 120
    assert "label" in rows[0]
    assert [one["error"] for one in rows] == sorted((one["error"] for one in rows), reverse=True)
    assert min(one["distance"] for one in rows) > 0, "no image is its own neighbour"


def test_on_a_narrow_screen_cells_are_whole_and_what_does_not_fit_is_named(small_runs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, err = call(["anomalies", str(small_runs["ae"].path), "--by", "distance"])
    head, *rows = [line.split() for line in out.splitlines()[1:]]
    assert head[:6] == ["rank", "name", "label", "distance", "distance_percentile", "flagged"]
    assert len(rows) == 40
    assert all(len(row) == len(head) for row in rows)
    assert max(map(len, out.splitlines())) <= 80
    left = err.partition("80 more and more columns (")[2].partition(")")[0].split(", ")
    assert {"combined", "combined_percentile", "mse"} <= {*left, *head}
    assert "combined_percentile" in left


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "colour"], "ranked by one of: combined, error, distance, appearance"),
        (["--false-alarms", "0.0001"], "false alarms have a rate from"),
        (["--false-alarms", "1"], "false alarms have a rate from"),
        (["--out", "found.doc"], "--out is a folder, or a file with one of the endings"),
    ],
)
def test_bad_input_is_refused(small_runs, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(["anomalies", str(small_runs["ae"].path), *words])
    assert code == 2
    assert said in " ".join(err.split())
    assert not list(tmp_path.iterdir())


def test_a_run_whose_images_are_gone_says_so(small_runs, strange, tmp_path):
    run = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "run"))
    settings = json.loads((run.path / "config.json").read_text())
    settings["data"]["spec"] = str(tmp_path / "gone.npz")
    (run.path / "config.json").write_text(json.dumps(settings))
    code, _, err = call(["anomalies", str(run.path), str(strange)])
    assert code == 2
    assert "must be where they were" in err


def test_python_has_the_same(small_runs, strange):
    pixels = np.load(strange)["images"]
    found = latentspace.load(small_runs["ae"].path).anomalies(pixels)
    _, out, _ = call(["anomalies", str(small_runs["ae"].path), str(strange), "--json"])
    assert found.columns()["name"] == [one["name"] for one in json.loads(out)["anomalies"]]
    assert found.threshold == json.loads(out)["threshold"]


def test_images_that_python_alone_has_are_given(small_runs, images):
    trained = latentspace.load(small_runs["ae"].path)
    given = ImageSet(images.pixels, "given", images.labels, images.class_names)
    assert np.array_equal(trained.anomalies(own=given).order, trained.anomalies().order)
    trained.run = None
    with pytest.raises(RunError, match="images of a run"):
        trained.anomalies()


def testsurprise_is_the_share_that_scores_as_high_and_goes_on_beyond():
    usual = np.arange(1, 100, dtype=np.float32)
    assert surprise(np.float32([50]), usual) == pytest.approx([-np.log(51 / 100)])
    beyond = surprise(np.float32([100, 1000, 10_000]), usual)
    assert (np.diff(beyond) > 0).all()
    assert beyond[0] > -np.log(0.1)


def test_appearance_finds_frames_whatever_the_network_makes_of_them(small_runs, images):
    framed = images.pixels[:5].copy()
    framed[..., :3] = framed[..., -3:] = framed[..., :3, :] = framed[..., -3:, :] = 0
    found = latentspace.load(small_runs["ae"].path).anomalies(
        np.concatenate([images.pixels, framed]), by="appearance"
    )
    assert set(found.order[:5]) == set(range(len(images), len(images) + 5))
    assert found.flagged[-5:].all()


def test_statistics_of_known_images():
    pixels = np.zeros((2, 1, 16, 24), np.uint8)
    pixels[0, :, :, 12:] = 255
    half, black = statistics(pixels)
    columns = np.exp(half[2 * BANDS : 3 * BANDS]) - 1e-3
    np.testing.assert_allclose(columns, [0] * 4 + [1] * 4, atol=1e-6)
    np.testing.assert_allclose(half[4 * BANDS :][[0, LEVELS - 1]], np.sqrt([0.5, 0.5]), rtol=1e-6)
    differences = half[4 * BANDS + LEVELS : -1].reshape(len(STEPS), 4)
    np.testing.assert_allclose(differences[:, 0], 0)
    np.testing.assert_allclose(differences[:, 1], np.sqrt([1 / 23, 2 / 22, 4 / 20]), rtol=1e-6)
    assert half[-1] == 0.5
    assert not black[4 * BANDS + LEVELS :].any()
    assert statistics(pixels[:, :, :1, :2]).shape[0] == 2, "no step fits down, one does across"


def test_an_image_that_was_learned_from_is_scored_by_the_others():
    known = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
    places = np.arange(300)
    found = Appearance(known).distances(known, places)
    without = [
        Appearance(np.delete(known, one, 0)).distances(known[one][None], np.array([-1])) for one in (3, 99)
    ]
    np.testing.assert_allclose(found[[3, 99]], np.concatenate(without), rtol=0.01)
    assert (found > Appearance(known).distances(known, np.full(300, -1))).all()
    for few in (known[:1], known[[0, 0, 0]], np.concatenate([known[:3], known[:3]], axis=1)):
        scored = Appearance(few)
        own, other = (
            scored.distances(few, np.arange(len(few))),
            scored.distances(few + 1, np.full(len(few), -1)),
        )
        assert np.isfinite(own).all()
        assert (other > own).all(), "also where nothing varies"


def test_exact_copies_have_one_rank():
    score = np.float32([0.1, 0.9, 0.5, 0.9, 0.7])
    order, ranks = ranked(score, np.uint64([1, 2, 3, 4, 2]))
    assert (order.tolist(), ranks.tolist()) == ([1, 4, 3, 2, 0], [1, 1, 2, 3, 4])


def test_the_page_shows_one_of_exact_copies(small_runs, images):
    pixels = np.concatenate([np.full((5, 1, 16, 16), 255, np.uint8), images.pixels[:3]])
    trained = latentspace.load(small_runs["ae"].path)
    page = render(anomalies_page(trained, trained.anomalies(pixels)))
    assert page.count("<img ") == 2 * 4
    assert "0 and 4 more" in page


@pytest.mark.parametrize(
    ("command", "engine", "said"),
    [
        ("anomalies RUN", "local://there", "the address of a cluster is ray"),
        ("anomalies RUN", "nobody", "must be a known one"),
        ("evaluate RUN", "nobody", "must be a known one"),
        ("evaluate RUN --card", "nobody", "must be a known one"),
        ("doctor RUN", "nobody", "must be a known one"),
    ],
)
def test_an_engine_that_is_none_is_refused(small_runs, command, engine, said):
    words = command.replace("RUN", str(small_runs["ae"].path)).split(" ")
    code, out, err = call([*words, "--engine", engine])
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("size", [7, 44])
def test_pieces_may_come_in_any_order(small_runs, strange, monkeypatch, size):
    monkeypatch.setattr(anomalies, "_AT_ONCE", size)
    trained = TrainedAutoencoder.load(small_runs["ae"], "cpu")
    images = load_images(DataConfig(spec=str(strange)))

    def backwards(plan, pieces):
        yield from here(plan, dict(reversed(list(pieces.items()))))

    usual, found = (anomalies.find_anomalies(trained, images, computed=one) for one in (here, backwards))
    for name, column in usual.columns().items():
        np.testing.assert_array_equal(found.columns()[name], column)
