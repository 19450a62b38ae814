import shutil

import numpy as np
import pytest

from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.config import DataConfig
from latentspace.evaluation.codes import linear_errors
from latentspace.evaluation.evaluate import Evaluation, evaluate
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.training.train import train
from materials import make_images


@pytest.fixture(scope="module")
def run(plan, tmp_path_factory) -> Run:
    return train(plan, tmp_path_factory.mktemp("runs") / "run")


def test_the_test_split_by_default(run, images):
    result = evaluate(run)
    assert (result.split, result.images, result.seen_in_training) == ("test", 24, 0)
    from latentspace.inference.trained import TrainedAutoencoder

    held = images.pixels[run.split.test]
    decoded = TrainedAutoencoder.load(run).reconstruct(held)
    assert result.metrics["mse"] == pytest.approx(np.mean((decoded - held / 255.0) ** 2), rel=1e-5)
    kept = run.results()["test"]
    assert kept.pop("measured") == {"version": Evaluation.VERSION, "arguments": {"iwae_samples": 16}}
    assert kept == result.to_json()
    assert Evaluation.from_json(run.results()["test"]) == result


def test_every_part_can_be_named(run):
    seen = {scope: evaluate(run, None, scope) for scope in ("train", "validation", "all")}
    assert {scope: one.images for scope, one in seen.items()} == {"train": 72, "validation": 24, "all": 120}
    assert {scope: one.seen_in_training for scope, one in seen.items()} == {
        "train": 72,
        "validation": 0,
        "all": 72,
    }


def test_data_that_moved_are_known_by_their_hash(run, archive, tmp_path):
    moved = shutil.copy(archive, tmp_path / "elsewhere.npz")
    result = evaluate(run, DataConfig(spec=str(moved)))
    assert (result.split, result.images) == ("test", 24)


def test_other_data_are_evaluated_whole_and_copies_of_training_images_are_counted(
    run, images, tmp_path, caplog
):
    caplog.set_level("WARNING", logger="latentspace")
    others = make_images(20, seed=9)
    mixed = np.concatenate(
        [others.pixels, images.pixels[run.split.train[:3]], images.pixels[run.split.test[:2]]]
    )
    np.save(tmp_path / "mixed.npy", mixed)
    result = evaluate(run, DataConfig(spec=str(tmp_path / "mixed.npy")))
    assert (result.split, result.images, result.seen_in_training) == ("all", 25, 3)
    assert "the run has learned from 3 of these images" in caplog.text
    assert "test" not in [name for name in run.results() if name.startswith("other")]
    with pytest.raises(ConfigurationError, match="needs the data that the run was trained on"):
        evaluate(run, DataConfig(spec=str(tmp_path / "mixed.npy")), "test")


def test_images_of_another_size_are_brought_to_the_runs_and_colour_is_refused(run, tmp_path, caplog):
    np.save(tmp_path / "large.npy", make_images(5, side=20).pixels)
    with caplog.at_level("INFO"):
        assert evaluate(run, DataConfig(spec=str(tmp_path / "large.npy"))).images == 5
    assert "5 images of 20x20 resized to 16x16, as the run's images are" in caplog.text
    np.save(tmp_path / "grey.npy", np.repeat(make_images(5).pixels, 3, axis=1))
    assert evaluate(run, DataConfig(spec=str(tmp_path / "grey.npy"))).images == 5
    np.save(tmp_path / "colour.npy", make_images(5, channels=3).pixels)
    with pytest.raises(DataError, match="as the run's: 1x16x16") as caught:
        evaluate(run, DataConfig(spec=str(tmp_path / "colour.npy")))
    assert "channels=1" in caught.value.do
    assert evaluate(run, DataConfig(spec=str(tmp_path / "colour.npy"), channels="1")).images == 5


def test_data_that_are_gone_or_changed(plan, archive, images, tmp_path):
    place = shutil.copy(archive, tmp_path / "bars.npz")
    run = train(
        Experiment.parse({**plan.model_dump(), "data": {"spec": str(place)}}, "plan"), tmp_path / "run"
    )
    np.savez(place, images=images.pixels[::-1])
    with pytest.raises(RunError, match="as they were"):
        evaluate(run)
    place.unlink()
    with pytest.raises(RunError, match="where they were") as caught:
        evaluate(run)
    assert "data=..." in caught.value.do


def test_the_error_of_pca_is_the_variance_left_out():
    images = make_images(60)
    every, flat = np.arange(60), images.pixels.reshape(60, -1) / 255.0
    singular = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    expected = (singular[5:] ** 2).sum() / flat.size
    found = linear_errors(images.pixels, every, every, 5)
    assert found.pca == pytest.approx(expected, rel=1e-4)
    assert found.mean_image == pytest.approx(flat.var(axis=0).mean(), rel=1e-4)
    assert linear_errors(images.pixels, every[:4], every, 50).pca > 0  # fewer images than components
