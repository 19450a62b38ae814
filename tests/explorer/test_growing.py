"""Images without a run are shown at once; the page is filled while a network learns from them."""

from pathlib import Path

import numpy as np
import pytest

from latentspace.data.imageset import ImageSet
from latentspace.experiment.config import Experiment
from latentspace.explorer import growing as module
from latentspace.explorer.growing import Growing


@pytest.fixture
def growing(plan: Experiment, images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Growing:
    monkeypatch.setattr(module, "EVERY", 0.0)
    monkeypatch.setattr(module, "SHARE", 0)
    return Growing(images, plan, tmp_path / "run")


def test_images_are_shown_before_anything_is_learned(growing: Growing, images: ImageSet):
    about = growing.contents.about()
    assert (about["count"], about["codeSize"], about["networks"]) == (len(images), 0, False)
    assert [one["name"] for one in about["maps"]] == ["pixels"]
    assert growing.contents.file("map-0.arrow") is not None
    assert growing.contents.file("decoder.onnx") is None


def test_codes_are_shown_while_it_learns_and_networks_at_the_end(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
):
    shown = []
    monkeypatch.setattr(Growing, "_show", lambda self, subject: shown.append(subject))
    growing.train()
    assert growing.progress is None
    assert [one.autoencoder is None for one in shown] == [True, True, False]
    assert not np.array_equal(shown[0].codes, shown[1].codes)
    assert shown[-1].codes.shape == shown[0].codes.shape


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
