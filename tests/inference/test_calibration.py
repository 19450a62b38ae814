"""Probabilities of a classifier: calibrated on validation images, and given a row an image."""

import json
import shutil

import numpy as np
import pyarrow.csv
import pytest
from PIL import Image
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from latentspace.core.errors import ConfigurationError
from latentspace.inference.calibration import (
    Temperature,
    calibrate,
    cross_fitted,
    error_by_chance,
    expected_calibration_error,
)
from latentspace.inference.trained import TrainedClassifier
from runner import call


def test_the_expected_calibration_error_of_cases_done_by_hand():
    sure = np.array([[0.9, 0.1]] * 10)
    labels = np.array([0] * 9 + [1])
    assert expected_calibration_error(sure, labels) == pytest.approx(0.0, abs=1e-9)
    assert expected_calibration_error(sure, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.4)
    mixed = np.array([[0.95, 0.05], [0.45, 0.55]])
    assert expected_calibration_error(mixed, np.array([1, 1])) == pytest.approx((0.95 + 0.45) / 2)


@pytest.mark.parametrize("images", [100, 1_000])
def test_the_error_of_true_probabilities_is_that_by_chance(images):
    logits = np.random.default_rng(1).normal(size=(images, 4)) * 2
    true = softmax(logits, axis=1)
    found = [expected_calibration_error(true, drawn(logits, seed)) for seed in range(100)]
    assert np.mean(found) == pytest.approx(error_by_chance(true), rel=0.1)


def test_no_image_is_evaluated_at_a_temperature_that_it_was_fitted_to(true):
    labels = drawn(true)[:400]
    given = true[:400] * 3
    found = cross_fitted(given, labels)
    one = 7
    changed = labels.copy()
    likeliest = given[one].argmax()
    changed[one] = (likeliest + 1) % 4 if labels[one] == likeliest else likeliest
    again = cross_fitted(given, changed)
    same = (again == found).all(axis=1)
    assert same[one]
    assert 0.4 < same.mean() < 0.6  # those of its half
    assert np.isfinite(cross_fitted(given[:1], labels[:1])).all()


def drawn(true, seed=0):
    """Labels that have these logits' probabilities."""
    rng = np.random.default_rng(seed)
    return (softmax(true, axis=1).cumsum(axis=1) > rng.random((len(true), 1))).argmax(axis=1)


def loss(logits, labels):
    """The cross-entropy of whether the likeliest class is right."""
    sure, right = softmax(logits, axis=1).max(axis=1), logits.argmax(axis=1) == labels
    return -np.log(np.where(right, sure, np.maximum(1 - sure, 1e-16))).mean()


@pytest.fixture(scope="module")
def true():
    return np.random.default_rng(0).normal(size=(20_000, 4)) * 2


def test_the_temperature_that_logits_were_multiplied_by_is_found(true):
    labels = drawn(true)
    found = Temperature.fitted(true * 3, labels)
    assert found.typical == pytest.approx(3, rel=0.05)
    assert found.slope == pytest.approx(0, abs=0.15)
    assert loss(found.of(true * 3), labels) < loss(true * 3, labels)
    assert expected_calibration_error(found.probabilities(true * 3), labels) < 0.02


def test_a_network_that_is_too_sure_where_it_is_undecided_is_mended(true):
    labels = drawn(true)
    biased = Temperature(3.0, 1.5, 0.3).of(true * 9)  # what the right temperature undoes only in part
    found = Temperature.fitted(biased, labels)
    one = minimize_scalar(lambda log: loss(biased / np.exp(log), labels), bounds=(-3, 3), method="bounded")
    alone = Temperature(float(np.exp(one.x)))
    assert abs(found.slope) > 0.3
    assert loss(found.of(biased), labels) < loss(alone.of(biased), labels) - 3e-4
    assert np.array_equal(found.of(biased).argmax(axis=1), biased.argmax(axis=1))


def test_few_images_give_a_temperature_and_hardly_a_slope(true):
    labels = drawn(true)
    assert abs(Temperature.fitted(true[:12] * 3, labels[:12]).slope) < 1.5
    one_right = Temperature.fitted(np.array([[4.0, 0, 0]]), np.array([0]))
    assert np.isfinite(one_right.probabilities(np.array([[4.0, 0, 0]]))).all()


def test_a_run_is_calibrated_on_its_validation_images(small_runs, images):
    run = small_runs["classifier"]
    trained = TrainedClassifier.load(run)
    found = calibrate(trained)
    assert found is not None
    assert found.images == len(run.split.validation)
    assert (np.diff(found.confidences) >= 0).all()
    assert found.rejecting(0.5) == pytest.approx(np.median(found.confidences))
    validation = images.pixels[run.split.validation]
    labels = images.labels[run.split.validation]
    honest = trained.classify(validation)
    logits = trained.logits(images, run.split.validation)
    halves = cross_fitted(logits, labels)
    assert found.error_after == pytest.approx(expected_calibration_error(halves, labels))
    assert found.error_by_chance == pytest.approx(error_by_chance(halves))
    assert not np.allclose(halves, honest.probabilities)  # these are fitted to all
    assert honest.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_python_classifies_as_the_command_does(small_runs, images):
    trained = TrainedClassifier.load(small_runs["classifier"])
    code, stdout, stderr = call(["classify", str(small_runs["classifier"].path), "--json", "--reject", "0.3"])
    assert code == 0, stderr
    rows = json.loads(stdout)["classes"]
    for found in (trained.classify(reject=0.3), trained.classify(images, reject=0.3)):
        assert found.names == [row["class"] for row in rows]
        assert found.confidences.tolist() == pytest.approx([row["probability"] for row in rows])
    assert "unknown" in found.names
    assert list(found.columns()) == ["name", "label", "class", "probability"]
    with pytest.raises(ConfigurationError, match=r"reject=\.\.\. takes a share"):
        trained.classify(images, reject=1.0)


@pytest.fixture
def new(images, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    for number, one in enumerate(images.pixels[:12]):
        Image.fromarray(one[0]).save(folder / f"{number}.png")
    return folder


def test_each_file_gets_a_class_and_a_probability(small_runs, new, images, tmp_path):
    run = small_runs["classifier"].path
    out = tmp_path / "classes.csv"
    code, _, stderr = call(["classify", str(run), str(new), "--out", str(out)])
    assert code == 0, stderr
    table = pyarrow.csv.read_csv(out)
    assert table.column_names == ["name", "class", "probability"]
    assert table["name"].to_pylist() == [f"{number}.png" for number in range(12)]
    assert table["class"].to_pylist() == list(TrainedClassifier.load(run).predict(images.pixels[:12]))
    code, stdout, _ = call(["classify", str(run), str(new), "--json", "--all-classes"])
    assert code == 0
    told = json.loads(stdout)
    assert told["images"] == 12
    row = told["classes"][0]
    assert sum(value for key, value in row.items() if key.startswith("p(")) == pytest.approx(1, abs=1e-5)
    assert told["calibration_error"] >= 0


def test_what_is_less_probable_than_asked_is_unknown(small_runs, new):
    run = small_runs["classifier"].path
    code, stdout, _ = call(["classify", str(run), str(new), "--json", "--reject", "0.999"])
    assert code == 0
    assert "unknown" in {row["class"] for row in json.loads(stdout)["classes"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reject", "1"], "a share from 0, below 1"),
        (["--out", "{}/classes.npy"], ".csv, .parquet, .npz"),
        (["{}/nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_clear_error(small_runs, tmp_path, words, said):
    given = [one.format(tmp_path) for one in words]
    code, stdout, stderr = call(["classify", str(small_runs["classifier"].path), *given])
    assert (code, stdout) == (2, "")
    assert said in stderr


def test_an_autoencoders_run_cannot_classify(small_runs, new):
    code, _, stderr = call(["classify", str(small_runs["ae"].path), str(new)])
    assert code == 2
    assert "needs the run of a classifier" in stderr


def test_without_the_runs_images_probabilities_are_as_they_are_and_it_is_said(small_runs, new, tmp_path):
    for name in ("ae", "classifier"):
        shutil.copytree(small_runs[name].path, tmp_path / name)
    config = json.loads((tmp_path / "classifier" / "config.json").read_text())
    config["data"]["spec"] = str(tmp_path / "gone.npz")
    (tmp_path / "classifier" / "config.json").write_text(json.dumps(config))
    code, stdout, stderr = call(["classify", str(tmp_path / "classifier"), str(new), "--json"])
    assert code == 0, stderr
    assert "not calibrated" in stderr
    assert "temperature" not in json.loads(stdout)
    code, stdout, stderr = call(["classify", str(tmp_path / "classifier"), str(new), "--reject", "0.1"])
    assert (code, stdout) == (2, "")
    assert "validation images" in stderr


def test_the_runs_own_images_are_read_once(small_runs, monkeypatch):
    from latentspace.inference import run_images

    read, real = [], run_images.load_images
    monkeypatch.setattr(run_images, "load_images", lambda config: read.append(1) or real(config))
    code, stdout, _ = call(["classify", str(small_runs["classifier"].path), "--json"])
    assert code == 0
    assert json.loads(stdout)["images"] == 120
    assert len(read) == 1
