"""Runs that learned from the validation images too: what is chosen or shown on those images knows it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from latentspace.data.imageset import ImageSet
from latentspace.evaluation.baselines import NEIGHBOURS, baseline_record
from latentspace.runs import Run
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
    ae = trained("ae", spec, folder / "ae", BOTH)
    return {
        "ae": ae,
        "classifier": trained("classifier", spec, folder / "classifier", {**BOTH, "encoder": str(ae.path)}),
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
