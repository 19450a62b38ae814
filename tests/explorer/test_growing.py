"""Images without a run are shown at once; the page is filled while a network learns from them."""

from pathlib import Path

import numpy as np
import pytest

from latentspace.data.imageset import ImageSet
from latentspace.experiment.config import Experiment
from latentspace.explorer import growing as module
from latentspace.explorer.growing import Growing
from latentspace.explorer.places import code_maps
from latentspace.explorer.subject import Subject
from latentspace.runs.directory import Run
from latentspace.training.train import train


@pytest.fixture
def growing(plan: Experiment, images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growing:
    monkeypatch.setattr(module, "EVERY", 0.0)
    monkeypatch.setattr(module, "FIRST", 0)
    return Growing(images, plan, tmp_path / "run")


def test_images_are_shown_before_anything_is_learned(growing: Growing, images: ImageSet):
    about = growing.contents.about()
    assert (about["count"], about["codeSize"], about["networks"]) == (len(images), 0, False)
    assert [one["name"] for one in about["maps"]] == ["pixels"]
    assert growing.contents.file("map-0.arrow") is not None
    assert growing.contents.file("decoder.onnx") is None


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Subject]:
    """What is shown one after another."""
    found: list[Subject] = []
    monkeypatch.setattr(Growing, "_show", lambda self, subject: found.append(subject))
    return found


def test_codes_are_shown_while_it_learns_and_networks_at_the_end(
    growing: Growing, shown: list[Subject], plan: Experiment, tmp_path: Path
):
    """Within an epoch too; and to look on changes nothing of what is learned."""
    growing.train()
    assert growing.progress is None
    *meanwhile, last = shown
    assert len(meanwhile) > plan.training.epochs
    assert all(one.autoencoder is None for one in meanwhile)
    assert last.autoencoder is not None
    assert not np.array_equal(meanwhile[0].codes, meanwhile[1].codes)
    assert last.codes.shape == meanwhile[0].codes.shape
    assert Run(growing.out).weights_hash == train(plan, tmp_path / "other").weights_hash


def test_a_map_that_would_hold_the_training_up_is_not_made(
    growing: Growing, shown: list[Subject], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "FIRST", 10**9)
    growing.train()
    assert [one.autoencoder is None for one in shown] == [False]


def test_a_map_lies_as_the_one_before():
    """The sign of a principal component is free: it is the one by which images stay on their side."""
    codes = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32) * [3, 2, 1]
    first = code_maps(codes, ())[0].places
    for turned in ([1, -1], [-1, 1], [-1, -1]):
        again = code_maps(codes, (), first * np.array(turned))[0]
        np.testing.assert_allclose(again.places, first * turned, rtol=1e-4, atol=1e-4)


def test_a_training_that_cannot_begin_is_said_on_the_page(growing: Growing):
    growing.out.mkdir()
    (growing.out / "something").touch()
    growing.train()
    assert "found" in growing.progress["text"]
    assert growing.contents.version == 0


def test_it_ends_when_it_is_asked_to(growing: Growing):
    growing.ended.set()
    growing.train()
    assert not (growing.out / "weights.safetensors").exists()
    assert (growing.out / "state").is_dir(), "it can go on"
