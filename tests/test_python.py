"""The Python interface as a newcomer uses it: what is taken, what is refused in one line, what is shown."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import latentspace
import newcomer
from latentspace import Experiment, Run
from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.preview import sheet
from latentspace.inference.trained import TrainedAutoencoder, TrainedClassifier
from makers import encoded, random_pixels, write_folder
from materials import make_images
from preloaded import Process


@pytest.fixture(scope="module")
def run(small_runs) -> Run:
    return small_runs["ae"]


@pytest.fixture(scope="module")
def trained(run: Run) -> TrainedAutoencoder:
    return latentspace.load(run, device="cpu")


@pytest.fixture(scope="module")
def few() -> np.ndarray:
    return make_images(5).pixels


def unchecked(function: Callable[..., None], *arguments: str, folder: Path) -> str:
    """What it prints in a process without our checks of shapes; it must end well."""
    out, err = folder / "out", folder / "err"
    process = Process(function, *arguments, out=str(out), err=str(err))
    process.wait(200)
    assert process.returncode == 0, err.read_text()
    return out.read_text()


def test_every_mistake_of_a_newcomer_ends_in_one_error_of_ours(run: Run, tmp_path: Path):
    printed = unchecked(newcomer.mistakes, str(run.path), folder=tmp_path)
    *wrong, tried = map(json.loads, printed.splitlines())
    assert wrong == []
    assert tried > 500


TAKEN = {
    "floats": lambda pixels: pixels / 255,
    "whole numbers": lambda pixels: pixels.astype(np.int32),
    "float32": lambda pixels: (pixels / 255).astype(np.float32),
    "channels last": lambda pixels: pixels.transpose(0, 2, 3, 1),
    "no channels": lambda pixels: pixels[:, 0],
    "a tensor": torch.from_numpy,
    "a tensor of floats": lambda pixels: torch.from_numpy(pixels) / 255,
    "a tensor that needs its gradient": lambda pixels: (torch.from_numpy(pixels) / 255).requires_grad_(),
    "arrays": list,
    "tensors": lambda pixels: [torch.from_numpy(one) for one in pixels],
    "pictures": lambda pixels: [Image.fromarray(one[0]) for one in pixels],
    "a tuple of arrays without channels": lambda pixels: tuple(one[0] for one in pixels),
    "lists of numbers": lambda pixels: (pixels / 255).tolist(),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_images_are_taken_where_their_meaning_is_clear(trained, few, kind):
    assert np.array_equal(trained.encode(TAKEN[kind](few)), trained.encode(few))


@pytest.mark.parametrize("kind", ["an array", "a picture", "height and width", "floats"])
def test_a_single_image_is_a_set_of_one(trained, few, kind):
    one = few[2]
    given = {
        "an array": one,
        "a picture": Image.fromarray(one[0]),
        "height and width": one[0],
        "floats": one / 255,
    }
    assert np.array_equal(trained.encode(given[kind]), trained.encode(few[2:3]))


def test_colour_with_channels_last_is_taken_for_what_it_is():
    """A set whose shape tells; and a run of 1 channel says what it wants."""
    pixels = random_pixels(4, 9, 10, 3)
    images = latentspace.load_data(pixels)
    assert images.shape == (3, 9, 10)
    assert np.array_equal(images.pixels, pixels.transpose(0, 3, 1, 2))
    assert np.array_equal(latentspace.load_data(pixels.transpose(0, 3, 1, 2)).pixels, images.pixels)


def test_a_run_of_one_channel_says_that_it_was_given_channels_last(trained):
    with pytest.raises(DataError, match="channels last were given"):
        trained.encode(random_pixels(4, 16, 16, 3))


@pytest.mark.parametrize("shape", [(4, 3, 9, 3), (28, 28, 3), (4, 1, 9, 1)])
def test_a_shape_that_can_be_read_in_two_ways_is_refused(shape, tmp_path):
    np.save(tmp_path / "images.npy", np.zeros(shape, np.uint8))
    for spec in (np.zeros(shape, np.uint8), tmp_path / "images.npy"):
        with pytest.raises(DataError, match="must say where the channels are"):
            latentspace.load_data(spec)


def test_a_path_is_read_as_the_runs_own_data_were(trained, few, tmp_path):
    np.save(tmp_path / "few.npy", few)
    for path in (tmp_path / "few.npy", str(tmp_path / "few.npy")):
        assert np.array_equal(trained.encode(path), trained.encode(few))


def test_files_of_pictures_and_pictures_in_grey_and_colour(tmp_path):
    grey, colour = random_pixels(8, 9), random_pixels(8, 9, 3)
    place = write_folder(tmp_path / "set", {"a.png": encoded(grey), "b.png": encoded(colour)})
    given = latentspace.load_data([place / "a.png", Image.fromarray(colour)])
    assert np.array_equal(given.pixels, latentspace.load_data(place).pixels)


def test_codes_are_taken_from_lists_and_tensors(trained):
    codes = np.array([[0.5, 0, 1], [1, 2, 3]], dtype=np.float32)
    for given in (codes.tolist(), torch.from_numpy(codes), codes.astype(np.float64), list(codes)):
        assert np.array_equal(trained.decode(given), trained.decode(codes))
    with pytest.raises(DataError, match="finite"):
        trained.decode([[0.5, float("nan"), 1]])


def test_evaluate_takes_runs_images_and_options(run, images, tmp_path):
    plain = latentspace.evaluate(run)
    assert latentspace.evaluate(run.path, images).metrics == plain.metrics  # its own, by their hash
    large = np.repeat(np.repeat(images.pixels[:9], 2, axis=2), 2, axis=3)
    np.save(tmp_path / "large.npy", large)
    evaluated = latentspace.evaluate(run, tmp_path / "large.npy", resize=(16, 16))
    assert evaluated.images == 9
    assert latentspace.evaluate(run, large, resize=(16, 16)).metrics == evaluated.metrics
    with pytest.raises(ConfigurationError, match="resize without data"):
        latentspace.evaluate(run, resize=(16, 16))


def test_a_dictionary_is_a_plan(plan, tmp_path):
    done = latentspace.train(plan.model_dump(), tmp_path / "run")
    assert done.experiment.model == plan.model
    assert done.finished


def test_what_is_made_by_name_is_refused_as_what_is_parsed():
    with pytest.raises(ConfigurationError) as called:
        Experiment(model={"code_size": 0})
    with pytest.raises(ConfigurationError) as parsed:
        Experiment.parse({"model": {"code_size": 0}}, "Experiment")
    assert str(called.value) == str(parsed.value)
    assert "model.code_size = 0" in str(called.value)


def test_settings_do_not_change(plan):
    with pytest.raises(ConfigurationError, match="do not change"):
        plan.seed = 3
    assert plan.seed == 0


def test_labels_may_be_a_list(tmp_path: Path):
    unchecked(newcomer.listed_labels, folder=tmp_path)


def test_what_is_shown_is_short(run, trained, small_runs, images, plan, tmp_path):
    assert repr(run) == f"<Run {run.path}: ae, 2 epochs>"
    assert repr(trained) == "<TrainedAutoencoder: ae, 1x16x16 to 3 numbers, on cpu>"
    classifier = TrainedClassifier.load(small_runs["classifier"], "cpu")
    assert repr(classifier) == f"<TrainedClassifier: 3 classes, on {trained!r}>"
    assert repr(images) == "<ImageSet: 120 images, 16x16, grey, 3 classes; bars made for a test>"
    assert repr(images.subset(np.array([1]))).startswith("<ImageSet: 1 image, 16x16, grey")
    assert repr(latentspace.evaluate(run)).startswith(
        "<Evaluation: ae, 24 images (test) of NumPy arrays (.npz): mse 0."
    )
    assert repr(Experiment()) == "Experiment()"
    assert (
        repr(Experiment(seed=3, training={"epochs": 7}))
        == "Experiment(seed=3, training=TrainingConfig(epochs=7))"
    )
    (tmp_path / "config.json").write_text("{")
    assert repr(Run(tmp_path)) == f"<Run {tmp_path}: damaged, not ended>"
    with pytest.raises(RunError):
        _ = Run(tmp_path).experiment


def test_a_notebook_shows_images_runs_and_evaluations(run: Run, tmp_path):
    several = latentspace.ImageSet(random_pixels(5, 2, 9, 12), "<mine>", np.arange(5) % 2, ("a&b", "c"))
    shown = several._repr_html_()
    assert "&lt;mine&gt;" in shown
    assert "a&amp;b, c" in shown
    assert "data:image/png;base64," in shown
    assert sheet(several.pixels).size == (5 * 12 * 10, 9 * 10)
    assert sheet(make_images(300).pixels).size == (640, 128)
    assert sheet(random_pixels(3, 7, 300, 400)).size == (640, 160)
    assert "<th" in run._repr_html_()
    assert "validation mse" in run._repr_html_()
    assert latentspace.load(run.path)._repr_html_() == run._repr_html_()
    (tmp_path / "config.json").write_text("{")
    assert "damaged" in Run(tmp_path)._repr_html_()
    scores = latentspace.evaluate(run)
    assert f"{scores.metrics['mse']:.5g}" in scores._repr_html_()
