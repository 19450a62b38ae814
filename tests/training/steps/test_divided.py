"""A batch that threads divide: loss and gradient of the whole, the same bits again, and where it is not."""

import numpy as np
import pytest
import torch

from latentspace.core.errors import TrainingError
from latentspace.core.threads import Threads
from latentspace.experiment.config import Experiment
from latentspace.training import loop
from latentspace.training.steps import divided
from latentspace.training.train import start, train
from studies import merged, must_go_on_to_the_same_bits

BASE = {
    "preset": "default",
    "threads": 2,
    "precision": "32",
    "split": {"near_copies": "off"},
    "model": {"width": 8, "code_size": 4},
    "training": {"epochs": 2, "min_steps": 2, "batch_size": 66, "augment": "affine"},  # 72 images
}
ONCE = {"epochs": 1}
CASES = {
    "ae": {"kind": "ae", "model": {"linear_path": "on"}},
    "ordered": {"kind": "ae", "model": {"ordered": True, "corrections": 0}, "training": {"ema": 0.9}},
    "dae": {
        "kind": "dae",
        "model": {"upsampling": "nearest", "corrections": 0},
        "training": {"optimizer": "adamw"},
    },
    "flow": {"kind": "vae"},
    "mixture": {"kind": "vae", "model": {"prior": "mixture", "corrections": 0}},
    "weighted": {
        "kind": "vae",
        "objective": {"name": "importance-weighted", "samples": 3},
        "model": {"corrections": 0},
    },
}
WHOLE = {
    "report": {"kind": "ae", "preset": "report", "model": {"code_size": 4}, "training": {"augment": "none"}},
    "batch-norm": {"kind": "ae", "model": {"norm": "batch"}},
    "free-bits": {"kind": "vae", "objective": {"free_bits": 0.1}},
    "vamp": {"kind": "vae", "model": {"prior": "vamp", "corrections": 0}},
    "few": {"kind": "ae", "training": {"batch_size": 63}},
    "bf16": {"kind": "ae", "precision": "bf16"},
    "one-thread": {"kind": "ae", "threads": 1},
}


@pytest.fixture
def plan(archive):
    def made(changes: dict, **more) -> Experiment:
        base = {**BASE, "data": {"spec": str(archive)}}
        if changes.get("preset") == "report":
            base = {**base, "model": {}}
        return Experiment.parse(merged(merged(base, changes), more), "a test's plan")

    return made


@pytest.fixture
def counts(monkeypatch):
    """How many threads each training has had."""
    found: list[int] = []

    def counted(*arguments) -> int:
        found.append(divided.threads_for(*arguments))
        return found[-1]

    monkeypatch.setattr(loop, "threads_for", counted)
    return found


@pytest.mark.parametrize("name", CASES)
def test_losses_and_weights_are_those_of_the_whole_batch(plan, tmp_path, counts, name):
    several, one = (
        train(plan(CASES[name], threads=count, training=ONCE), tmp_path / str(count)) for count in (2, 1)
    )
    assert counts == [2, 1]
    for ours, theirs in zip(several.metrics, one.metrics, strict=True):
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-4)
        assert ours["validation"] == pytest.approx(theirs["validation"], rel=1e-4)
    for weight, values in one.weights.items():
        np.testing.assert_allclose(several.weights[weight], values, atol=2e-3)


@pytest.mark.parametrize("name", ["ordered", "flow"])
def test_an_interrupted_training_goes_on_to_the_same_bits(plan, tmp_path, name):
    own = plan(CASES[name])
    must_go_on_to_the_same_bits(own, train(own, tmp_path / "whole"), tmp_path / "broken")


@pytest.mark.parametrize("name", WHOLE)
def test_what_must_not_be_divided_is_computed_as_a_whole(plan, tmp_path, counts, name):
    train(plan(WHOLE[name], training=ONCE), tmp_path / "run")
    assert counts == [1]


def test_a_loss_that_is_no_number_ends_it_before_it_reaches_the_weights(plan, tmp_path, counts):
    training = start(plan(CASES["ae"], training={"learning_rate": 1e30, "clip_norm": 0}), tmp_path / "run")
    with pytest.raises(TrainingError, match="every loss must be a finite number"):
        list(training.records())
    assert counts == [2]
    assert training.run.state is None


def test_threads_share_pytorchs_and_give_them_back():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with Threads(2) as threads:
            assert threads.results([torch.get_num_threads] * 2) == [2, 2]
        with Threads(3) as threads:
            assert threads.results([torch.get_num_threads]) == [1]
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_an_error_ends_what_the_other_threads_are_at():
    ended = []

    def endless() -> None:
        try:
            weights = torch.ones(2, 2, requires_grad=True)
            while True:
                (weights @ weights).sum().backward()
        finally:
            ended.append(True)

    with pytest.raises(ZeroDivisionError), Threads(2) as threads:
        threads.results([lambda: 1 / 0, endless, endless])
    assert len(ended) < 3  # the last may not have begun
    with Threads(1) as threads:
        assert threads.results([lambda: 1, lambda: 2]) == [1, 2]
