"""`evaluate --json` of each kind: the keys that scripts rely on, and what stands behind them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.corruption import gaussian
from latentspace.data.imageset import ImageSet
from latentspace.evaluation.all_metrics import PieceMetrics, all_metrics
from latentspace.evaluation.metrics import METRICS, label, labels_as_learned
from latentspace.inference.trained import TrainedAutoencoder, TrainedClassifier, encoder_of
from latentspace.runs.directory import Run
from latentspace.training.loop import validation_noise
from materials import make_images
from runner import call
from studies import trained

WHAT = {
    "run", "kind", "data", "content_hash", "split", "images", "seen_in_training", "near_copies_of_training",
    "score_without_copies", "mse_of_mean_codes", "mse_of_pca", "worse_than_pca", "warnings",
}  # fmt: skip
KEYS = {
    "ae": {"mse"},
    "dae": {"mse", "mse_from_noisy"},
    "vae": {
        "mean_code_loss", "elbo_loss", "bce", "kl", "iwae_loss", "iwae_samples", "kl_per_dimension",
        "active_units",
    },
    "classifier": {"accuracy", "cross_entropy", "report_cross_entropy"},
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("runs")
    settings = {
        "ae": {"training": {"epochs": 25, "learning_rate": 0.01}},
        "dae": {"training": {"epochs": 4, "learning_rate": 0.01}, "objective": {"strength": 0.5}},
        "vae": {"training": {"epochs": 5, "learning_rate": 0.01}},
    }
    made = {kind: trained(kind, archive, place / kind, changes) for kind, changes in settings.items()}
    changes = {"encoder": str(place / "ae"), "training": {"epochs": 30, "learning_rate": 0.02}}
    made["classifier"] = trained("classifier", archive, place / "classifier", changes)
    return made


@pytest.fixture(scope="module")
def printed(runs: dict[str, Run]) -> dict[str, dict]:
    found = {}
    for kind, run in runs.items():
        code, stdout, stderr = call(["evaluate", str(run.path), "--json"])
        assert code == 0, stderr
        found[kind] = json.loads(stdout)
    return found


def held(run: Run, images: ImageSet) -> ImageSet:
    return images.subset(run.split.test)


@pytest.mark.parametrize("kind", KEYS)
def test_the_keys(printed, kind):
    assert printed[kind].keys() == WHAT | KEYS[kind]
    assert printed[kind]["kind"] == kind
    assert (printed[kind]["split"], printed[kind]["images"]) == ("test", 24)


@pytest.mark.parametrize("kind", KEYS)
def test_asked_twice_the_answer_is_the_same(runs, images, kind):
    assert all_metrics(runs[kind], held(runs[kind], images)) == all_metrics(
        runs[kind], held(runs[kind], images)
    )


def test_the_denoiser_is_evaluated_clean_and_at_its_own_noise(runs, printed, images):
    clean = torch.from_numpy(held(runs["dae"], images).pixels) / 255
    noisy = gaussian(0.5)(clean, validation_noise(0, torch.device("cpu")))
    model = TrainedAutoencoder.load(runs["dae"]).model
    with torch.no_grad():
        errors = [
            (model.decode(model.encode(given).mean) - clean).square().mean().item()
            for given in (clean, noisy)
        ]
    assert [printed["dae"]["mse"], printed["dae"]["mse_from_noisy"]] == pytest.approx(errors, rel=1e-6)
    assert errors[0] != errors[1]


def test_the_terms_of_the_variational_one(printed):
    found = printed["vae"]
    assert found["elbo_loss"] == pytest.approx(found["bce"] + found["kl"], rel=1e-6)
    assert sum(found["kl_per_dimension"]) == pytest.approx(found["kl"], rel=1e-5)
    assert len(found["kl_per_dimension"]) == 3
    assert found["iwae_samples"] == 16
    assert found["iwae_loss"] < found["elbo_loss"]


def test_the_number_of_importance_samples_is_the_users(runs, images):
    run = runs["vae"]
    found = all_metrics(run, held(run, images), iwae_samples=3)
    assert found["iwae_samples"] == 3
    assert found["iwae_loss"] != all_metrics(run, held(run, images))["iwae_loss"]


def test_no_importance_sample_is_a_mistake(runs, images):
    for run in runs.values():
        with pytest.raises(ConfigurationError, match="at least one sample"):
            all_metrics(run, held(run, images), iwae_samples=0)


def test_the_classifiers_numbers_follow_from_its_probabilities(runs, printed, images):
    test = held(runs["classifier"], images)
    shares = TrainedClassifier.load(runs["classifier"]).probabilities(test)
    right = shares[np.arange(24), test.labels]
    found = printed["classifier"]
    assert found["accuracy"] == pytest.approx(np.mean(shares.argmax(axis=1) == test.labels))
    assert found["accuracy"] > 0.5, "three classes, easy to tell apart"
    assert found["cross_entropy"] == pytest.approx(-np.log(right).mean(), rel=1e-4)
    reported = np.log(np.exp(shares).sum(axis=1)) - right
    assert found["report_cross_entropy"] == pytest.approx(reported.mean(), rel=1e-5)


def test_classes_are_known_by_their_names(runs, images):
    """Another set with fewer classes, in another order, is evaluated by the same names."""
    run = runs["classifier"]
    test = held(run, images)
    chosen = np.flatnonzero(test.labels != 1)  # A and C
    few = test.subset(chosen)
    renamed = ImageSet(few.pixels, "a test", np.where(few.labels == 2, 0, 1).astype(np.int64), ("C", "A"))
    assert labels_as_learned(renamed, run.data.class_names).tolist() == few.labels.tolist()
    assert all_metrics(run, renamed) == all_metrics(run, few)


def test_classes_that_were_never_learned_are_refused(runs, images):
    strange = ImageSet(images.pixels, "a test", images.labels, ("A", "B", "dog"))
    with pytest.raises(DataError, match="classes that it learned: A, B, C") as caught:
        all_metrics(runs["classifier"], strange)
    assert "dog" in caught.value.found


def test_a_classifier_cannot_be_evaluated_without_labels(runs):
    with pytest.raises(DataError, match="a label for each image"):
        all_metrics(runs["classifier"], ImageSet(make_images(4).pixels, "a test"))


class TestTheEncoderOfAClassifier:
    """It is known by its weights: where it lies is of no account."""

    @pytest.fixture
    def place(self, runs, tmp_path) -> Path:
        shutil.copytree(runs["ae"].path, tmp_path / "old" / "ae")
        return tmp_path / "old"

    @pytest.fixture
    def classifier(self, place, archive) -> Run:
        return trained("classifier", archive, place / "classifier", {"encoder": str(place / "ae")})

    def test_both_may_be_moved_together(self, classifier, place, images, caplog):
        before = all_metrics(classifier, held(classifier, images))
        caplog.set_level("INFO", logger="latentspace")
        moved = Run.open(place.rename(place.with_name("new")) / "classifier")
        assert all_metrics(moved, held(moved, images)) == before
        assert "is no longer there, but at" in caplog.text

    def test_gone_is_gone(self, classifier, place, images):
        shutil.rmtree(place / "ae")
        with pytest.raises(RunError, match="as the classifier knew it") as caught:
            all_metrics(classifier, held(classifier, images))
        assert "no finished run there" in caught.value.found
        assert "beside the classifier's" in caught.value.do

    def test_the_weights_of_each_neighbour_are_read_once(self, classifier, place, monkeypatch):
        for number in range(3):
            shutil.copytree(place / "ae", place / f"neighbour-{number}")
            with (place / f"neighbour-{number}" / "weights.safetensors").open("ab") as file:
                file.write(bytes([number]))  # others, so that none of them is the one
        shutil.rmtree(place / "ae")
        read: list[Path] = []
        monkeypatch.setattr(
            "latentspace.runs.by_weights.file_hash", lambda path: read.append(path) or "other"
        )
        monkeypatch.setattr("latentspace.runs.tensors.read_tensors", lambda path: pytest.fail(f"read {path}"))
        with pytest.raises(RunError, match="as the classifier knew it"):
            encoder_of(classifier.experiment, classifier.encoder_hash, beside=classifier.path)
        assert len(read) == len(set(read))
        assert {f"neighbour-{number}" for number in range(3)} <= {path.parent.name for path in read}

    def test_trained_anew_it_is_another(self, classifier, place, archive, images):
        shutil.rmtree(place / "ae")
        trained("ae", archive, place / "ae", {"seed": 1})
        with pytest.raises(RunError, match="as the classifier knew it") as caught:
            all_metrics(classifier, held(classifier, images))
        assert caught.value.found == "other weights"
        code, _, stderr = call(["evaluate", str(classifier.path)])
        assert code == 2
        assert "other weights" in stderr


def test_what_is_before_refinement_is_called_so_beside_its_own():
    assert label("mse_before_refinement") == "mean squared error per pixel, before refinement"
    assert label("bce_before_refinement") == f"{label('bce')}, before refinement"


@pytest.mark.parametrize(
    ("kind", "lower"), [("ae", {"mse"}), ("vae", {"mean_code_loss", "elbo_loss", "iwae_loss"})]
)
def test_every_mean_of_a_run_that_refines_stands_beside_that_before_it(runs, images, kind, lower):
    names = tuple(name for name, one in METRICS.items() if one.mean)
    found = []
    for steps in (0, 1):
        opened = TrainedAutoencoder.load(runs[kind])
        opened.model.refine = steps
        measured = PieceMetrics(runs[kind], opened, 4, names, parts=True)
        found.append(measured.encoded(images.pixels, runs[kind].split.test, 0))
    before, refined = found
    assert {f"{name}_before_refinement" for name in before} == refined.keys() - before.keys()
    for name in before:
        assert refined[f"{name}_before_refinement"] == before[name]
    assert all(refined[name] < before[name] for name in lower)
