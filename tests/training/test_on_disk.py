"""Trainings from disk give what resident ones give, to the bit."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

import latentspace.evaluation.evaluate as evaluation
from latentspace.core.errors import DataError
from latentspace.data.batches import OnDiskSet, laid_out
from latentspace.data.memmap import mapped
from latentspace.data.sources import load_images
from latentspace.evaluation.evaluate import evaluate
from latentspace.experiment.config import Experiment
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from latentspace.training.train import resume, start, train


def plan_for(
    small_runs: dict[str, Run], kind: str, data: Path, resident: str, **changes: object
) -> Experiment:
    """As the session's run of that kind, but of images in an uncompressed file."""
    values = small_runs[kind].experiment.model_dump()
    values["data"] |= {"spec": str(data), "resident": resident}
    values.update(changes)
    return Experiment.parse(values, "the test's plan")


@pytest.mark.parametrize("kind", ["ae", "dae", "vae"])
def test_the_losses_and_the_weights_are_the_same(small_runs, archive, tmp_path, kind):
    runs = [
        train(plan_for(small_runs, kind, archive, resident), tmp_path / resident)
        for resident in ("never", "always")
    ]
    for left, right in zip(*(run.metrics for run in runs), strict=True):
        assert left["train"] == right["train"]
        assert left["validation"] == right["validation"]
    weights = [run.weights for run in runs]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])
    assert runs[0].split.to_json() == runs[1].split.to_json()


@pytest.mark.parametrize("method", ["codes", "frozen-encoder"])
def test_a_classifier_learns_the_same(small_runs, archive, tmp_path, method):
    values = small_runs["classifier"].experiment.objective.model_dump() | {"method": method}
    runs = [
        train(plan_for(small_runs, "classifier", archive, one, objective=values), tmp_path / one)
        for one in ("never", "always")
    ]
    scores = [[epoch["train"] | epoch["validation"] for epoch in run.metrics] for run in runs]
    assert scores[0] == scores[1]


def test_the_training_images_are_not_copied_out_of_the_file(small_runs, archive, tmp_path):

    training = start(plan_for(small_runs, "ae", archive, "never"), tmp_path / "run")
    components = training.context.components(training.experiment)
    assert isinstance(components.train, OnDiskSet)
    assert components.train.pixels is training.context.images.pixels
    assert components.train.chosen is training.context.split.train


def test_codes_and_metrics_are_those_of_images_in_memory(small_runs, archive):
    run = small_runs["vae"]
    data = run.experiment.data
    on_disk, resident = (
        load_images(data.model_copy(update={"resident": one})) for one in ("never", "always")
    )
    assert on_disk.on_disk
    trained = TrainedAutoencoder.load(run)
    assert np.array_equal(trained.encode(on_disk), trained.encode(resident))
    evaluated = [
        evaluate(run, data.model_copy(update={"resident": one}), "all") for one in ("never", "always")
    ]
    assert evaluated[0].metrics == evaluated[1].metrics


@pytest.fixture
def mapped_plan(small_runs, archive, tmp_path):
    """A plan that reads its images from a file of its own, all the time."""
    data = tmp_path / "own.npz"
    data.write_bytes(archive.read_bytes())
    return plan_for(small_runs, "ae", data, "never")


def cut(path: Path) -> None:
    os.truncate(path, 5000)  # reading beyond it, where it is mapped, is a SIGBUS


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4000)
        file.write(bytes(range(256)))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [cut, overwrite, replace, Path.unlink])
def test_images_that_change_while_they_are_learned_from_stop_the_training(mapped_plan, tmp_path, change):
    whole = train(mapped_plan, tmp_path / "whole")
    data = Path(mapped_plan.data.spec)
    content = data.read_bytes()
    training = start(mapped_plan, tmp_path / "run")
    records = training.records()
    next(records)
    change(data)
    with pytest.raises(DataError, match="must stay as it is while images are read from it"):
        list(records)
    assert not training.run.finished
    assert [one["epoch"] for one in training.run.metrics] == [1]
    data.write_bytes(content)
    again = resume(training.run.path)
    list(again.records())
    assert again.run.weights_hash == whole.weights_hash


def test_images_that_change_without_a_trace_are_known_by_their_hash_at_the_end(mapped_plan, tmp_path):
    whole = train(mapped_plan, tmp_path / "whole")
    data = Path(mapped_plan.data.spec)
    content, before = data.read_bytes(), data.stat()
    training = start(mapped_plan, tmp_path / "run")
    records = training.records()
    next(records)
    overwrite(data)
    os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="other images at the end than at the beginning"):
        list(records)
    assert not training.run.finished
    assert training.run.metrics == []
    assert training.run.state is None
    data.write_bytes(content)
    again = resume(training.run.path)
    list(again.records())
    assert again.run.weights_hash == whole.weights_hash


@pytest.mark.parametrize("change", [cut, overwrite, Path.unlink])
def test_images_that_change_within_an_epoch_are_not_read(mapped_plan, change):
    images = load_images(mapped_plan.data)
    held = laid_out(images.pixels, np.arange(len(images)), torch.device("cpu"))
    batches = held.batches(4)
    next(batches)
    change(Path(mapped_plan.data.spec))
    with pytest.raises(DataError, match="must stay as it is"):
        list(batches)
    for read in (images.hashed, lambda: images.image_hashes, lambda: images.subset(np.arange(3))):
        with pytest.raises(DataError, match="must stay as it is"):
            read()


def test_what_images_in_memory_came_from_may_change(small_runs, archive, tmp_path):
    data = tmp_path / "own.npz"
    data.write_bytes(archive.read_bytes())
    training = start(plan_for(small_runs, "ae", data, "always"), tmp_path / "run")
    cut(data)
    assert len(list(training.records())) == training.experiment.training.epochs


def test_a_file_that_is_mapped_after_it_was_cut_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((9, 8, 8), np.uint8))
    cut_here = path.stat().st_size - 1
    os.truncate(path, cut_here)
    with pytest.raises(DataError, match="must stay as it is"):
        mapped(path, 128, (9, 8, 8))


def test_an_evaluation_of_images_that_change_is_not_kept(small_runs, archive, tmp_path, monkeypatch):
    data = tmp_path / "own.npz"
    data.write_bytes(archive.read_bytes())
    run = train(plan_for(small_runs, "ae", data, "never"), tmp_path / "run")
    real = evaluation.all_metrics

    def watched(*arguments):
        found = real(*arguments)
        overwrite(data)
        return found

    monkeypatch.setattr(evaluation, "all_metrics", watched)
    with pytest.raises(DataError, match="must stay as it is"):
        evaluate(run)
    assert run.results() == {}
