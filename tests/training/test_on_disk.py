"""Trainings from disk give what resident ones give, to the bit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.data.batches import OnDiskSet
from latentspace.data.sources import load_images
from latentspace.encoding import TrainedAutoencoder
from latentspace.evaluation.evaluate import evaluate
from latentspace.experiment import Experiment
from latentspace.runs import Run
from latentspace.training.train import start, train


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
    materials = training.ground.materials(training.experiment)
    assert isinstance(materials.train, OnDiskSet)
    assert materials.train.pixels is training.ground.images.pixels
    assert materials.train.chosen is training.ground.split.train


def test_codes_and_metrics_are_those_of_images_in_memory(small_runs, archive):
    run = small_runs["vae"]
    data = run.experiment.data
    on_disk, resident = (
        load_images(data.model_copy(update={"resident": one})) for one in ("never", "always")
    )
    assert on_disk.on_disk
    trained = TrainedAutoencoder.load(run)
    assert np.array_equal(trained.encode(on_disk), trained.encode(resident))
    judged = [evaluate(run, data.model_copy(update={"resident": one}), "all") for one in ("never", "always")]
    assert judged[0].metrics == judged[1].metrics
