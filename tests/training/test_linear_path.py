"""A linear path in training: from images that are learned from, on where it pays, the same after a kill."""

import numpy as np
import pytest
import torch

from latentspace.data.imageset import ImageSet
from latentspace.experiment.config import Experiment
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.training.train import is_run_of, resume, start, train


def set_of(smooth: bool) -> ImageSet:
    draw = np.random.default_rng(1)
    waves = draw.normal(size=(5, 3, 12, 10))
    if smooth:
        mixed = np.tensordot(draw.normal(size=(80, 5)), waves.cumsum(axis=2).cumsum(axis=3), axes=1)
    else:
        mixed = draw.normal(size=(80, 3, 12, 10))
    pixels = np.clip(127 + 120 * mixed / np.abs(mixed).max(), 0, 255).astype(np.uint8)
    return ImageSet(pixels, "waves" if smooth else "noise")


def plan(kind: str = "ae", path: str = "auto", code_size: int = 6, **training) -> Experiment:
    values = {
        "kind": kind,
        "preset": "default",
        "threads": 1,
        "precision": "32",
        "split": {"near_copies": "off"},
        "model": {"width": 4, "code_size": code_size, "linear_path": path},
        "training": {"epochs": 2, "min_steps": 0, "batch_size": 16, "augment": "none", **training},
    }
    return Experiment.parse(values, "a test's plan")


@pytest.mark.parametrize(("smooth", "chosen"), [(True, "on"), (False, "off")])
def test_auto_is_on_where_the_components_hold_most_of_the_variance(smooth, chosen, tmp_path, caplog):
    caplog.set_level("INFO")
    run = train(plan(), tmp_path / "run", set_of(smooth))
    assert run.experiment.model.linear_path == chosen
    assert f"linear path {chosen} (6 principal components hold" in caplog.text
    assert is_run_of(run, run.experiment)
    asked = plan().model_copy(update={"data": run.experiment.data})
    assert is_run_of(run, asked)


def test_as_many_components_are_said_as_images_have(tmp_path, caplog):
    caplog.set_level("INFO")
    run = train(plan(code_size=192), tmp_path / "run", set_of(smooth=True))
    assert f"({len(run.split.train)} principal components hold" in caplog.text
    assert len(run.split.train) < 80


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_it_begins_where_principal_components_are_and_goes_on_to_the_same_bits(kind, tmp_path):
    images = set_of(smooth=True)
    whole = train(plan(kind), tmp_path / "whole", images)
    broken = start(plan(kind), tmp_path / "broken", images=images)
    next(broken.records())
    resumed = resume(broken.run.path, images)
    for _ in resumed.records():
        pass
    assert resumed.run.weights_hash == whole.weights_hash
    if kind == "ae":
        rest = images.pixels[whole.split.test]
        model = TrainedAutoencoder.load(whole, "cpu")
        drawn = model.decode(model.encode(rest))
        learned = images.pixels[whole.split.train].reshape(len(whole.split.train), -1) / 255
        middle = learned.mean(axis=0).reshape(1, *images.shape)
        assert np.square(drawn - rest / 255).mean() < 0.1 * np.square(middle - rest / 255).mean()


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_codes_without_a_prior_keep_distances_and_those_with_one_have_variance_one(kind, tmp_path):
    images = set_of(smooth=True)
    training = start(plan(kind, path="on"), tmp_path / "run", images=images)
    learned = torch.from_numpy(images.pixels[training.run.split.train]).float() / 255
    with torch.no_grad():
        codes = training.context.components().learned.encode(learned).mean.double()
    deviations = codes.std(dim=0)[:4]
    if kind == "vae":
        torch.testing.assert_close(deviations, torch.ones(4, dtype=torch.float64), atol=0.15, rtol=0)
    else:
        assert deviations[0] > 1.5 * deviations[3]
        between = torch.corrcoef(torch.stack([torch.pdist(codes), torch.pdist(learned.flatten(1).double())]))
        assert between[0, 1] > 0.99


def test_it_is_made_from_what_is_learned_from_alone(tmp_path):
    images = set_of(smooth=True)
    run = train(plan(), tmp_path / "run", images)
    other = images.pixels.copy()
    other[run.split.test] = 255 - other[run.split.test]
    changed = start(plan(path="on"), tmp_path / "other", images=ImageSet(other, "waves"))
    assert np.array_equal(changed.run.split.train, run.split.train)
    ours = TrainedAutoencoder.load(run, "cpu").model.encoder.directions
    theirs = changed.context.components().learned.encoder.directions
    assert torch.equal(ours, theirs)
