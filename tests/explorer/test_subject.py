"""What is explored, of runs of every kind, with images and without."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import RunError
from latentspace.data.imageset import ImageSet
from latentspace.explorer.contents import Contents
from latentspace.explorer.later import later_columns
from latentspace.explorer.places import code_maps, pixel_map
from latentspace.explorer.subject import DRAWN, Category, Quantity, Subject, of_run
from latentspace.inference.calibration import Temperature
from latentspace.inference.classes import find_classes
from latentspace.inference.kept_codes import FILE
from latentspace.runs.directory import Run


def column(subject: Subject, name: str) -> Category | Quantity:
    return next(one for one in subject.columns if one.name == name)


@pytest.mark.parametrize("kind", ["ae", "dae", "vae"])
def test_every_image_has_a_code_and_an_error(small_runs: dict[str, Run], images: ImageSet, kind: str):
    subject = of_run(small_runs[kind], images, own=True)
    assert subject.codes.shape == (len(images), 3)
    part = column(subject, "part")
    assert [np.sum(part.numbers == at) for at in range(3)] == [
        len(small_runs[kind].split.part(name)) for name in part.names
    ]
    rebuilt = subject.autoencoder.reconstruct(images.pixels[:5])
    expected = np.square(rebuilt - images.pixels[:5] / 255).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(column(subject, "error").values[:5], expected, rtol=1e-4)


def test_a_classifiers_images_have_a_class_and_its_probability(small_runs: dict[str, Run], images: ImageSet):
    subject = of_run(small_runs["classifier"], images, own=True)
    predicted, confidence = column(subject, "predicted"), column(subject, "confidence")
    names = subject.classifier.predict(images)
    assert tuple(predicted.names[one] for one in predicted.numbers) == names
    assert confidence.values.min() >= 1 / len(predicted.names)


def test_without_images_decoded_draws_stand_for_them(small_runs: dict[str, Run]):
    subject = of_run(small_runs["vae"], None, own=False)
    assert len(subject.images) == len(subject.codes) == DRAWN
    assert "not at hand" in subject.notes[0]
    assert subject.images.names[0] == "draw 1", "no name by which an image of the run has a label"


@pytest.mark.parametrize("kind", ["ae", "classifier"])
def test_without_images_and_a_prior_decoded_codes_of_the_run_stand_for_them(
    small_runs: dict[str, Run], images: ImageSet, kind: str
):
    whole = of_run(small_runs[kind], images, own=True)
    subject = of_run(small_runs[kind], None, own=False)
    rows = [images.names.index(name) for name in subject.images.names]
    assert set(rows) == set(whole.autoencoder.run.split.part("train").tolist())
    np.testing.assert_allclose(subject.codes, whole.codes[rows], atol=1e-5)
    np.testing.assert_array_equal(subject.images.labels, images.labels[rows])
    decoded = subject.autoencoder.decode(subject.codes) * 255
    np.testing.assert_allclose(subject.images.pixels, decoded, atol=0.51)
    assert list(later_columns(subject)) == ["cluster"]
    assert "error" not in [one.name for one in subject.columns]
    assert small_runs[kind].experiment.data.spec in subject.notes[0]


def test_a_run_that_keeps_no_codes_asks_for_its_images(small_runs: dict[str, Run], tmp_path: Path):
    run = Run(shutil.copytree(small_runs["ae"].path, tmp_path / "run"))
    (run.path / FILE).write_bytes(b"")
    with pytest.raises(RunError, match="must be whole"):
        of_run(run, None, own=False)
    (run.path / FILE).unlink()
    with pytest.raises(RunError, match="must be at hand"):
        of_run(run, None, own=False)


def test_principal_components_are_the_directions_of_most_variance():
    codes = np.random.default_rng(0).normal(size=(500, 4)) * [1, 9, 3, 0.1]
    pca, dimensions, tsne, *_ = code_maps(codes.astype(np.float32))
    assert tsne.plane is None
    assert np.abs(pca.plane.axes).argmax(axis=1).tolist() == [1, 2]
    np.testing.assert_array_equal(dimensions.places, codes[:, [1, 2]].astype(np.float32))


def test_codes_of_one_number_have_a_map():
    only, *_ = code_maps(np.arange(5, dtype=np.float32)[:, None])
    assert only.places.shape == (5, 2)
    np.testing.assert_array_equal(only.places[:, 1], 0)


def test_images_have_a_map_before_there_is_a_network(images: ImageSet):
    places = pixel_map(images.pixels).places
    assert places.shape == (len(images), 2)
    assert np.ptp(places, axis=0).min() > 0


def test_the_page_is_told_how_a_classifiers_probabilities_are_calibrated(
    small_runs: dict[str, Run], images: ImageSet
):
    subject = of_run(small_runs["classifier"], images, own=True)
    calibrated = find_classes(subject.classifier, images, own=images)
    about = Contents(subject, methods=()).about()["classifier"]
    assert Temperature(**about["temperature"]) == calibrated.calibration.temperature
    np.testing.assert_array_equal(column(subject, "confidence").values, calibrated.confidences)


def test_the_classes_of_labels_are_learned_from_the_training_part(
    small_runs: dict[str, Run], images: ImageSet
):
    run = small_runs["ae"]
    subject = of_run(run, images, own=True)
    assert subject.linear.images == len(run.split.part("train"))
    chances = subject.linear.probabilities(subject.codes)
    predicted = column(subject, "predicted")
    assert (predicted.numbers == chances.argmax(axis=1)).all()
    assert set(predicted.names) <= set(images.class_names)
    assert of_run(run, images, own=False).linear.images == len(images)
