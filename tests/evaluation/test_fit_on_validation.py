"""Runs that learned from the validation images too: what is chosen or shown on those images knows it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from latentspace.analysis import RunContext, analyse
from latentspace.core.wording import SEEN_BY_ENCODER
from latentspace.data.imageset import ImageSet
from latentspace.evaluation.baselines import NEIGHBOURS, baseline_record
from latentspace.evaluation.evaluate import evaluate
from latentspace.report.run.sections import section_of
from latentspace.report.search.page import study_page
from latentspace.runs.directory import Run
from latentspace.search.load import record_of
from latentspace.search.request import SearchRequest, draft
from latentspace.search.trials import begin
from makers import undrawn
from materials import make_images
from studies import trained

BOTH = {"training": {"epochs": 1, "fit": "train+validation"}}


@pytest.fixture(scope="module")
def guessed() -> ImageSet:
    """Images whose labels are drawn at random: no rule is right but on images that it holds."""
    images = make_images(200)
    return replace(images, labels=np.random.default_rng(0).permutation(images.labels))


@pytest.fixture(scope="module")
def runs(guessed: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("both")
    spec = folder / "guessed.npz"
    np.savez(spec, images=guessed.pixels, labels=np.array(guessed.class_names)[guessed.labels])
    encoder = {"encoder": str(folder / "ae")}
    plans = {
        "ae": BOTH,
        "classifier": {**BOTH, **encoder},
        "validated": {"training": {"epochs": 1}, **encoder},
    }
    return {
        name: trained("ae" if name == "ae" else "classifier", spec, folder / name, plan)
        for name, plan in plans.items()
    }


def test_the_number_of_neighbours_is_chosen_on_images_that_no_rule_holds(runs, guessed):
    record = baseline_record(runs["classifier"], guessed, counts=(), draws=1)
    parts, flat = runs["classifier"].split, guessed.pixels.reshape(len(guessed), -1) / np.float32(255)

    def rule(k: int, known: np.ndarray) -> KNeighborsClassifier:
        return KNeighborsClassifier(n_neighbors=k).fit(flat[known], guessed.labels[known])

    held, test = (flat[one] for one in (parts.validation, parts.test))
    scores = {k: rule(k, parts.train).score(held, guessed.labels[parts.validation]) for k in NEIGHBOURS}
    best = max(scores, key=lambda k: scores[k])
    assert best > 1
    assert scores[best] < 0.7
    assert record.k["256 raw pixels"] == best
    learned = np.concatenate([parts.train, parts.validation])
    expected = rule(best, learned).score(test, guessed.labels[parts.test])
    assert record.neighbours["256 raw pixels"] == pytest.approx(expected)


def test_a_training_that_is_validated_on_images_that_its_encoder_knows_says_so(runs, small_runs):
    assert SEEN_BY_ENCODER in (runs["validated"].path / "run.log").read_text()
    for other in (runs["classifier"], small_runs["classifier"]):
        assert SEEN_BY_ENCODER not in (other.path / "run.log").read_text()


def test_so_does_its_page(runs, small_runs):
    with undrawn():
        for run, said in ((runs["validated"], True), (small_runs["classifier"], False)):
            text = section_of(analyse(RunContext.open(run)), None).text
            assert (SEEN_BY_ENCODER in text) is said


def test_so_does_an_evaluation_on_them(runs, caplog):
    caplog.set_level("WARNING", logger="latentspace")
    evaluate(runs["validated"], scope="test")
    assert caplog.messages == []
    assert evaluate(runs["validated"], scope="validation").seen_in_training == 0
    assert caplog.messages == ["its encoder has learned from 40 of these images"]


def test_so_does_the_page_of_a_search(runs, small_runs, tmp_path):
    for name, encoder in (("seen", runs["ae"]), ("unseen", small_runs["ae"])):
        changes = {"encoder": str(encoder.path), "threads": 1}
        request = SearchRequest("classifier", write_recipe(tmp_path), changes, workers=1)
        plan, _ = draft(request, tmp_path / name, resume=False)
        study = begin(plan, tmp_path / name, None, resume=False).study
        assert (SEEN_BY_ENCODER in study_page(name, record_of(study)).notices) == (name == "seen")


def write_recipe(folder: Path) -> str:
    path = folder / "classifier.toml"
    path.write_text(
        "[classifier.search]\ntrials = 1\nepochs = 1\n"
        '[classifier.search.space]\n"model.linear1_neurons" = { low = 4, high = 8 }\n'
        "[classifier.training]\nbatch_size = 20\n"
    )
    return str(path)
