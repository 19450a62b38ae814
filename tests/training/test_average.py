"""The moving average of the weights: its values, and that it is what is validated and kept."""

import pytest
import torch
from torch import nn

from latentspace.core.errors import RunError
from latentspace.core.randomness import generator
from latentspace.data.batches import ResidentSet
from latentspace.experiment.config import Experiment
from latentspace.objectives.reconstruction import reconstruction
from latentspace.training.average import Average
from latentspace.training.loop import evaluate
from latentspace.training.train import resume, start, train


def averaged(plan: Experiment, **training) -> Experiment:
    settings = {**plan.training.model_dump(), "ema": 0.95, **training}
    return Experiment.parse({**plan.model_dump(), "training": settings}, "the averaged plan")


def test_the_values():
    layer = nn.BatchNorm1d(1)
    average = Average(layer, 0.5)
    values = [4.0, 7.0, -2.0]
    expected = 1.0  # the weight that it began with
    for step, value in enumerate(values * 9):
        layer.weight.data.fill_(value)
        layer.num_batches_tracked += 1
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert average.mean["weight"].item() == pytest.approx(expected)
    assert average.mean["num_batches_tracked"] == 27
    with average.in_use():
        assert layer.weight.item() == average.mean["weight"].item()
    assert layer.weight.item() == -2


def test_a_constant_weight_is_its_own_average_to_the_bit():
    layer = nn.Linear(3, 3)
    average = Average(layer, 0.999)
    for step in range(5):
        average.update(step)
    assert torch.equal(average.mean["weight"], layer.weight)


def test_it_is_validated_and_kept_and_the_training_is_not_touched(plan, tmp_path, images):
    run = train(averaged(plan), tmp_path / "averaged")
    plain = train(plan, tmp_path / "plain")
    assert [one["train"] for one in run.metrics] == [one["train"] for one in plain.metrics]
    assert any(not torch.equal(one, plain.weights[name]) for name, one in run.weights.items())
    model = run.experiment.build(images.shape)
    model.load_state_dict(run.weights)
    held = ResidentSet(torch.from_numpy(images.pixels[run.split.validation]))
    again = evaluate(model, reconstruction, held, generator(0, "noise"))
    assert again["mse"] == pytest.approx(run.metrics[-1]["validation"]["mse"], rel=1e-6)


def test_a_state_without_the_average_is_refused(plan, tmp_path):
    records = start(averaged(plan), tmp_path / "run").records()
    next(records)
    records.close()
    run = resume(tmp_path / "run").run
    state = run.state
    with run.writing():
        run.save_state(state.model_copy(update={"average": {}}))
    with pytest.raises(RunError, match="average"):
        list(resume(tmp_path / "run").records())


def test_a_classifiers_head_is_averaged_too(plan, small_runs, tmp_path):
    head = {"kind": "classifier", "encoder": str(small_runs["ae"].path), "threads": 1, "precision": "32"}
    settings = {"epochs": 2, "batch_size": 25}
    plain = train(Experiment.parse({**head, "training": settings}, "plan"), tmp_path / "plain")
    for optimizer in ("adam", "muon"):
        training = {**settings, "optimizer": optimizer, "ema": 0.9}
        found = train(Experiment.parse({**head, "training": training}, "plan"), tmp_path / optimizer)
        assert len(found.metrics) == 2
        if optimizer == "adam":
            loss = found.metrics[-1]["train"]["loss"]
            assert loss == pytest.approx(plain.metrics[-1]["train"]["loss"], rel=1e-4)
