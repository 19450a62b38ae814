"""Data that lie class by class, more of them than any cap: what is measured is measured on all classes."""

import numpy as np
import pytest

from latentspace.analysis import RunContext, analyse_autoencoder
from latentspace.data.imageset import ImageSet
from latentspace.evaluation import baselines
from latentspace.evaluation import denoising as noise_module
from latentspace.evaluation.beside_pca import beside_pca
from latentspace.evaluation.denoising import denoising_record
from latentspace.evaluation.frechet import Likeness
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from studies import trained

CLASSES, EACH, SIDE, CAP = 3, 100, 16, 12


@pytest.fixture(scope="module")
def ordered() -> ImageSet:
    """Class after class; each has one pattern, in rows of its own, of more or less strength.

    So the classes together have three directions, and one class has one of them.
    """
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), EACH)
    patterns = np.zeros((CLASSES, SIDE, SIDE))
    for number, pattern in enumerate(patterns):
        pattern[5 * number : 5 * number + 5] = draw.uniform(0.5, 1, (5, SIDE))
    strengths = np.concatenate([draw.permutation(np.arange(60, 255))[:EACH] for _ in range(CLASSES)])
    pixels = np.rint(strengths[:, None, None] * patterns[labels]).astype(np.uint8)[:, None]
    return ImageSet(pixels, "patterns", labels, ("A", "B", "C"))


@pytest.fixture(scope="module")
def runs(ordered: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("ordered")
    np.savez(
        folder / "ordered.npz", images=ordered.pixels, labels=np.array(ordered.class_names)[ordered.labels]
    )
    few = {"training": {"epochs": 1}}
    plans = {"ae": few, "vae": few, "classifier": {**few, "encoder": str(folder / "ae")}}
    return {name: trained(name, folder / "ordered.npz", folder / name, plan) for name, plan in plans.items()}


def classes_of(made: np.ndarray, ordered: ImageSet) -> list[int]:
    """How many of these images, in [0, 1], are of each class."""
    known = {one.tobytes(): label for one, label in zip(ordered.pixels, ordered.labels, strict=True)}
    found = [known[one.tobytes()] for one in np.rint(made * 255).astype(np.uint8)]
    return np.bincount(found, minlength=CLASSES).tolist()


def test_noise_is_evaluated_filtered_and_projected_on_all_classes(runs, ordered, monkeypatch):
    evaluated, chosen = [], []

    def decode(_, noisy):
        evaluated.append(noisy)
        return noisy

    def choose(noisy, clean, level):
        chosen.append(clean)
        return "none"

    monkeypatch.setattr(noise_module, "decoded", decode)
    monkeypatch.setattr(noise_module, "best_filter", choose)
    networks = {"it": TrainedAutoencoder.load(runs["ae"])}
    record = denoising_record(
        runs["ae"], ordered, networks, (0.0,), evaluated_on=CAP, chosen_on=6, fitted_to=CAP
    )
    assert (record.images, record.chosen_on) == (CAP, 6)
    assert classes_of(evaluated[0], ordered) == [4, 4, 4]
    assert classes_of(chosen[0], ordered) == [2, 2, 2]
    assert record.errors["PCA, 3 components"][0] < 1e-4


def test_pca_and_the_distance_of_training_images_are_of_all_classes(runs, ordered):
    context = RunContext.open(runs["ae"])
    shown = analyse_autoencoder(context, shown=3, drawn=3, compared=CAP)
    assert beside_pca(runs["ae"], ordered, fitted_to=CAP).pca < 1e-4
    assert shown.likeness.count == CAP
    parts, real = runs["ae"].split, ordered.pixels / np.float32(255)
    of_one_class = Likeness(real[parts.test]).distance(real[parts.train[:CAP]])
    assert shown.likeness.training < 0.5 * of_one_class


def test_the_principal_components_of_a_classifiers_page_are_of_all_classes(runs, ordered, monkeypatch):
    given, inputs_of = [], baselines.inputs_of

    def remember(codes, pixels, fitted):
        given.append(fitted)
        return inputs_of(codes, pixels, fitted)

    monkeypatch.setattr(baselines, "inputs_of", remember)
    baselines.baseline_record(runs["classifier"], ordered, counts=(), draws=1, fitted_to=CAP)
    assert np.bincount(ordered.labels[given[0]]).tolist() == [4, 4, 4]
    assert set(given[0].tolist()) <= set(runs["classifier"].split.train.tolist())


def test_where_there_are_fewer_training_images_as_few_decoded_ones_are_evaluated(runs):
    context = RunContext.open(runs["vae"])
    shown = analyse_autoencoder(context, shown=3, drawn=3, compared=500)
    assert shown.likeness.count == len(runs["vae"].split.train) == 180
