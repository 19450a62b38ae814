"""Training on images that are given, and not named: what the run knows of them, and what it then asks for."""

import logging
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from latentspace.runs.directory import Run
from latentspace.training.context import prepare
from latentspace.training.train import start, train
from makers import undrawn
from materials import make_images
from runner import call, done
from studies import small


@pytest.fixture(scope="module")
def given(images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(small("ae"), tmp_path_factory.mktemp("given") / "run", images)


def test_they_train_as_the_same_images_from_a_file(given, images, archive, tmp_path):
    named = train(small("ae", archive), tmp_path / "run")
    assert [one["train"] for one in given.metrics] == [one["train"] for one in named.metrics]
    assert given.data.content_hash == named.data.content_hash
    assert given.experiment.data.spec == f"given:{images.content_hash[:16]}"
    assert given.experiment.model_copy(update={"data": named.experiment.data}) == named.experiment


def test_an_array_is_treated_as_the_plan_says(images, tmp_path):
    run = latentspace.train(
        {**small("ae").model_dump(), "data": {"resize": (14, 14)}}, tmp_path / "run", images.pixels / 255
    )
    assert run.data.shape == (1, 14, 14)
    assert run.data.labelled is False
    again = latentspace.resume(run.path, images.pixels)  # it has ended: nothing to do
    assert again.path == run.path


def test_a_path_is_what_the_plan_names(archive, tmp_path):
    run = latentspace.train(small("ae"), tmp_path / "run", images=archive)
    assert run.experiment.data.spec == str(archive)


def test_images_are_named_or_given(plan, images):
    with pytest.raises(ConfigurationError, match="named in the plan, or given: not both"):
        prepare(plan, images)


def test_a_plan_of_given_images_takes_these_alone(given, images):
    assert prepare(given.experiment, images).experiment == given.experiment
    with pytest.raises(DataError, match="the images given must be those that the plan names"):
        prepare(given.experiment, make_images(seed=1))
    with pytest.raises(DataError, match="must be given again"):
        load_images(given.experiment.data)


@pytest.fixture
def broken_off(images: ImageSet, tmp_path: Path) -> Path:
    records = start(small("ae"), tmp_path / "broken", images=images).records()
    list(islice(records, 2))
    records.close()
    return tmp_path / "broken"


def test_a_training_goes_on_when_they_are_given_again(given, images, broken_off):
    with pytest.raises(RunError, match="must be given again") as caught:
        latentspace.resume(broken_off)
    assert "(data=...)" in caught.value.do
    assert "images=" in caught.value.do
    with pytest.raises(RunError, match="must be resumed on the images it began with"):
        latentspace.resume(broken_off, make_images(seed=1))
    again = latentspace.resume(broken_off, images)
    assert [one["train"] for one in again.metrics] == [one["train"] for one in given.metrics]


def test_a_training_goes_on_with_the_same_images_in_a_file(given, archive, broken_off):
    code, _, said = call(["train", "--resume", str(broken_off)])
    assert code == 2
    assert "must be given again" in said
    assert "(--data)" in said
    code, _, said = call(["train", "--resume", str(broken_off), "--data", str(archive), "--epochs", "9"])
    assert code == 2
    assert "--epochs" in said
    code, _, said = call(["train", "--resume", str(broken_off), "--data", str(archive), "-q"])
    assert code == 0, said
    assert [one["train"] for one in Run(broken_off).metrics] == [one["train"] for one in given.metrics]


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_the_command_line_is_told_where_they_are(given, archive, command):
    code, _, said = call([command, str(given.path)])
    assert code == 2
    assert "must be given again" in said
    assert "(--data)" in said
    with undrawn():
        done(command, given.path, "--data", archive, "-q")


def test_they_are_evaluated_when_they_are_given_again(given, images):
    with pytest.raises(RunError, match="must be given again"):
        latentspace.evaluate(given)
    found = latentspace.evaluate(given, images)
    assert found.split == "test"
    assert found.images == len(given.split.test)


def test_a_classifier_stands_on_a_run_of_given_images(given, images, archive, tmp_path):
    head = small("classifier", changes={"encoder": str(given.path)})
    with pytest.raises(DataError, match="must be given again"):
        train(head, tmp_path / "run")
    run = train(head, tmp_path / "run", images)
    assert run.experiment.data == given.experiment.data
    assert np.array_equal(run.split.test, given.split.test)
    from_file = small("classifier", archive, {"encoder": str(given.path)})
    named = train(from_file, tmp_path / "named")
    assert named.metrics[-1]["train"] == run.metrics[-1]["train"]


def test_images_without_labels_are_refused_for_a_classifier(given, images, tmp_path):
    run = train(small("ae"), tmp_path / "ae", images.pixels)
    with pytest.raises(DataError, match="label"):
        train(small("classifier", changes={"encoder": str(run.path)}), tmp_path / "run", images.pixels)
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_place_has_one_below_runs(images, archive, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, logger="latentspace")
    for expected, given in (("runs/ae", images.pixels), ("runs/ae-2", images), ("runs/bars", archive)):
        run = latentspace.train(
            given,
            kind="ae",
            epochs=1,
            **{"model.conv1_channels": 2, "model.conv2_channels": 2, "split.near_copies": "off"},
        )
        assert run.path == Path(expected)
        assert latentspace.Run.open(tmp_path / expected).finished
        assert f"the run is {expected}" in caplog.text


def test_an_array_and_a_kind_are_a_training(images, tmp_path):
    run = latentspace.train(
        images.pixels[:, 0],
        tmp_path / "run",
        kind="vae",
        code_size=3,
        epochs=1,
        seed=7,
        **{"model.conv1_channels": 2, "model.conv2_channels": 2, "split.near_copies": "off"},
    )
    plan = run.experiment
    assert (plan.kind, plan.seed, plan.model.code_size, plan.model.conv2_channels) == ("vae", 7, 3, 2)
    assert (plan.preset, plan.training.epochs) == ("report", 1)
    with pytest.raises(ConfigurationError, match=r"did you mean training\.epochs"):
        latentspace.train(images, tmp_path / "other", kind="ae", epoch=1)
    with pytest.raises(ConfigurationError, match="images that are given first"):
        latentspace.train({"kind": "ae"}, tmp_path / "other", kind="ae")
    with pytest.raises(ConfigurationError, match="go with images and a kind"):
        latentspace.train(small("ae"), tmp_path / "other", images, epochs=1)
    assert not (tmp_path / "other").exists()
