"""A run that is no better than PCA says so: in `evaluate`, in its JSON, and when its training ends."""

import json
import math
import shutil

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import RunError
from latentspace.evaluation.beside_pca import BesidePCA, beside_pca, quickly_beside_pca
from latentspace.evaluation.cache import keep
from latentspace.inference.run_images import own_or_other
from latentspace.runs.directory import Run
from runner import call


def own(run):
    return own_or_other(run, None)[0]


def test_both_errors_are_those_of_the_test_images(small_runs):
    from sklearn.decomposition import PCA

    run = small_runs["ae"]
    images, trained = own(run), latentspace.load(run.path)
    found = beside_pca(run, images)
    pixels = images.pixels / np.float32(255)
    rows, test = pixels.reshape(len(pixels), -1), run.split.test
    pca = PCA(trained.code_size).fit(rows[run.split.train])
    expected = ((pca.inverse_transform(pca.transform(rows[test])) - rows[test]) ** 2).mean()
    decoded = trained.decode(trained.encode(images)[test])
    assert found.pca == pytest.approx(float(expected), rel=1e-3)
    assert found.mse == pytest.approx(float(((decoded - pixels[test]) ** 2).mean()), rel=1e-5)
    assert (found.part, found.images, found.code_size) == ("test", len(test), trained.code_size)


def test_no_test_image_is_looked_at_when_a_training_ends(small_runs):
    run = small_runs["ae"]
    found = quickly_beside_pca(run, own(run))
    assert found.part == "validation"
    assert found.images == len(run.split.validation)


@pytest.mark.parametrize(("mse", "better"), [(0.05, True), (0.101, None), (0.2, False)])
def test_what_is_no_better_says_what_to_do(mse, better):
    found = BesidePCA(part="test", images=10, learned=20, code_size=10, mse=mse, pca=0.1, mean_image=0.2)
    assert found.better is better
    assert found.words.startswith("From 10 numbers an image, its pictures")
    assert found.model_copy(update={"refine": 2}).words.startswith(
        "From 10 numbers an image, refined by 2 steps, its"
    )
    assert bool(found.advice) is (better is not True)
    assert "more images" in found.model_copy(update={"mse": 0.2}).advice
    assert "wider" in found.model_copy(update={"mse": 0.2, "learned": 5000}).advice
    off = found.model_copy(update={"mse": 0.2, "linear_path": "off"}).advice
    assert "epochs" in off
    assert "linear_path" in off
    stopped = found.model_copy(update={"mse": 0.2, "learned": 5000, "patience": 5}).advice
    assert "longer" not in stopped
    assert "epochs" not in stopped
    assert all(one in stopped for one in ("'early_stopping': 10", "wider", "code_size=20"))


def test_pca_has_no_more_components_than_images():
    values = {"part": "test", "images": 2, "code_size": 192, "mse": 0.1, "pca": 0.2, "mean_image": 0.3}
    many, few = (BesidePCA(**values, learned=images).words for images in (192, 90))
    assert "less than PCA with as many numbers: 0.2" in many
    assert "less than PCA with the 90 components that it has of as many images: 0.2" in few


def test_a_run_that_stopped_early_says_its_patience(small_runs, monkeypatch):
    run = small_runs["ae"]
    assert quickly_beside_pca(run, own(run)).patience is None
    early = run.experiment.with_training(early_stopping=3)
    monkeypatch.setattr(Run, "experiment", property(lambda _: early))
    assert quickly_beside_pca(run, own(run)).patience is None  # it had all of its epochs
    monkeypatch.setattr(Run, "metrics", property(lambda _: [{"epoch": early.training.epochs - 1}]))
    assert quickly_beside_pca(run, own(run)).patience == 3


def test_train_and_evaluate_warn(archive, tmp_path):
    """One epoch of few steps is worse than PCA."""
    run = tmp_path / "run"
    words = ["train", "ae", "--data", str(archive), "--epochs", "1", "--preset", "report", "--out", str(run)]
    narrow = [f"--set=model.{name}=4" for name in ("conv1_channels", "conv2_channels", "conv3_channels")]
    code, _, said = call([*words, *narrow, "--set", "split.near_copies=off"])
    assert code == 0
    assert "more than PCA with as many numbers" in said
    code, printed, said = call(["evaluate", str(run), "--json"])
    assert code == 0
    assert "more than PCA with as many numbers" in said
    found = json.loads(printed)
    assert found["worse_than_pca"] is True
    assert found["mse_of_mean_codes"] > found["mse_of_pca"] > 0
    assert any("more than PCA" in one and "Train longer" in one for one in found["warnings"])
    assert Run.open(run).finished


def test_infinite_errors_are_refused_and_nothing_is_written(small_runs, tmp_path):
    run = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "ae"))
    shutil.rmtree(run.path / "results", ignore_errors=True)
    found = BesidePCA(part="test", images=2, learned=2, code_size=1, mse=math.inf, pca=0.1, mean_image=0.2)
    with pytest.raises(RunError, match="must be finite numbers"):
        keep(run, "beside-pca", found, {})
    assert run.results() == {}
