"""What an evaluation says of copies: in its record, as JSON, in the terminal and on the page."""

import json
import re

import numpy as np
import pytest

from latentspace.analysis import RunContext, analyse
from latentspace.evaluation.evaluate import Evaluation, evaluate
from latentspace.experiment.config import Experiment
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.report.run.tables import results_table
from latentspace.runs.directory import Run
from latentspace.training.train import train
from materials import make_images
from runner import call

EXACT, NEAR, OTHERS = 2, 5, 13  # of the test images


@pytest.fixture(scope="module")
def pixels() -> dict[str, np.ndarray]:
    """Nearly black images; of those of the test, some are training images again, or moved by a pixel."""
    patches = np.random.default_rng(0).integers(0, 29, (120, 1, 6, 6), dtype=np.uint8)
    large = np.kron(patches, np.ones((3, 3), dtype=np.uint8))
    plain, moved = large[..., 1:-1, 1:-1], large[..., 1:-1, 2:]
    test = np.concatenate([plain[:EXACT], moved[10 : 10 + NEAR], plain[100 : 100 + OTHERS]])
    return {"train": plain[:80], "val": plain[80:100], "test": test}


@pytest.fixture(scope="module")
def run(plan, pixels, tmp_path_factory) -> Run:
    place = tmp_path_factory.mktemp("copies")
    np.savez(place / "set.npz", **{f"{part}_images": one for part, one in pixels.items()})
    given = {
        **plan.model_dump(),
        "split": {"near_copies": "on"},
        "data": {"spec": str(place / "set.npz")},
        "training": {"epochs": 1},
    }
    return train(Experiment.parse(given, "plan"), place / "run")


@pytest.fixture(scope="module")
def result(run) -> Evaluation:
    return evaluate(run)


def test_copies_of_training_images_are_counted_and_left_out_of_a_second_score(run, result, pixels):
    assert (result.images, result.seen_in_training) == (EXACT + NEAR + OTHERS, EXACT)
    assert result.near_copies_of_training == NEAR
    others = pixels["test"][EXACT + NEAR :]
    decoded = TrainedAutoencoder.load(run).reconstruct(others)
    assert result.score_without_copies == pytest.approx(np.mean((decoded - others / 255.0) ** 2), rel=1e-4)
    assert result.score_without_copies != pytest.approx(result.metrics["mse"], rel=1e-6)
    assert Evaluation.from_json(run.results()["test"]) == result


def test_images_that_were_learned_from_have_no_score_without_copies(run):
    assert evaluate(run, scope="train").score_without_copies is None
    validation = evaluate(run, scope="validation")
    assert (validation.near_copies_of_training, validation.score_without_copies) == (0, None)


def test_near_copies_are_unknown_of_other_images_and_where_they_were_not_looked_for(run, plan):
    assert evaluate(run, make_images(6, seed=4)).near_copies_of_training is None
    apart = {"shares": "60/20/20", "near_copies": "off"}
    given = {**run.experiment.model_dump(), "split": apart}
    other = train(Experiment.parse(given, "plan"), run.path.with_name("apart"))
    assert evaluate(other).near_copies_of_training is None
    assert "near copies" not in call(["evaluate", str(other.path)])[1]


def test_json_has_copies_and_the_warnings_of_the_set(run, result):
    code, stdout, stderr = call(["evaluate", str(run.path), "--json"])
    assert code == 0, stderr
    printed = json.loads(stdout)
    assert printed["near_copies_of_training"] == NEAR
    assert printed["score_without_copies"] == result.score_without_copies
    warning, beside_pca = printed["warnings"]
    assert "more than PCA" in beside_pca
    assert "nearly black" in warning
    assert warning in json.loads(call(["data", "info", run.experiment.data.spec, "--json"])[1])["warnings"]


def test_the_terminal_shows_copies(run, result):
    table = call(["evaluate", str(run.path)])[1]
    assert re.search(rf"exact copies of training images +{EXACT}\n", table)
    assert re.search(rf"near copies of training images +{NEAR}\n", table)
    assert re.search(rf"mse without copies +{result.score_without_copies:.5f}\n", table)


def test_the_page_shows_copies(run, result):
    rows = {row[0]: row[1] for row in results_table(analyse(RunContext.open(run)), None).rows}
    assert rows["of them copies of training images"] == str(EXACT)
    assert rows["of them near copies of training images"] == str(NEAR)
    assert rows["mean squared error per pixel, without copies"] == f"{result.score_without_copies:.4f}"
