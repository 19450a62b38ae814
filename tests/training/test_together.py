"""Several processes that divide each batch: the losses of one, the same bits after an interruption."""

import os
import signal

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError, DeviceError, TrainingError
from latentspace.data.config import DataConfig
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.search.request import SearchRequest, draft
from latentspace.training import train as training_module
from latentspace.training.together.peers import even_share
from latentspace.training.together.processes import LocalRanks, devices_of
from latentspace.training.train import resume, start, train
from preloaded import quick_ranks
from runner import call
from training_together import InThreads, losses, planned


@pytest.fixture
def in_threads(monkeypatch, tmp_path):
    monkeypatch.setattr(training_module, "LocalRanks", InThreads)
    monkeypatch.setattr(InThreads, "folder", tmp_path)


CASES = [
    ("ae", 2, {"ema": 0.9, "augment": "affine", "clip_norm": 1.0}),
    ("dae", 3, {"batch_size": 35}),  # of 72 images: the last batch is of two
    ("vae", 2, {"optimizer": "adamw"}),
    ("classifier", 2, {"epochs": 2}),
]


@pytest.mark.usefixtures("in_threads")
@pytest.mark.parametrize(("kind", "devices", "training"), CASES)
def test_the_losses_are_those_of_one_process(small_runs, tmp_path, kind, devices, training):
    one, several = (
        train(planned(small_runs[kind], count, **training), tmp_path / f"of-{count}")
        for count in (1, devices)
    )
    assert len(several.split.train) == 72
    assert several.experiment.devices == devices
    np.testing.assert_allclose(losses(several), losses(one), rtol=1e-4, atol=1e-5)  # of kl: 0.01
    for name, weights in one.weights.items():
        np.testing.assert_allclose(several.weights[name], weights, atol=1e-3)


@pytest.mark.usefixtures("in_threads")
def test_a_loss_that_is_no_number_ends_all_before_it_reaches_the_weights(small_runs, tmp_path):
    training = start(planned(small_runs["ae"], 2, learning_rate=1e30, batch_size=10), tmp_path / "run")
    with pytest.raises(TrainingError, match="every loss must be a finite number"):
        list(training.records())
    assert training.run.state is None


def test_a_killed_process_ends_the_training_which_goes_on_to_the_same_bits(small_runs, tmp_path, monkeypatch):
    plan = planned(small_runs["vae"], 2, epochs=3)
    begun = []

    class Watched(LocalRanks):
        def _begun(self, rank):
            process = quick_ranks(self, rank)
            begun.append(process)
            return process

    monkeypatch.setattr(training_module, "LocalRanks", Watched)
    training = start(plan, tmp_path / "killed")
    records = training.records()
    next(records)
    os.kill(begun[1].pid, signal.SIGKILL)
    with pytest.raises(TrainingError, match="must live until its end") as error:
        list(records)
    assert "process 2 of 2 was killed by signal 9" in error.value.found
    assert [one.poll() is not None for one in begun] == [True, True]
    assert len(training.run.metrics) == 1
    broken_off = resume(tmp_path / "killed").records()
    next(broken_off)
    broken_off.close()  # as Ctrl-C does
    assert [one.poll() is not None for one in begun] == [True] * 4

    monkeypatch.setattr(training_module, "LocalRanks", InThreads)
    monkeypatch.setattr(InThreads, "folder", tmp_path)
    list(resume(tmp_path / "killed").records())
    whole = train(plan, tmp_path / "whole")
    assert losses(Run.open(tmp_path / "killed")) == losses(whole)
    for name, weights in whole.weights.items():
        assert torch.equal(Run.open(tmp_path / "killed").weights[name], weights)


def test_what_cannot_be_divided_is_refused(small_runs, tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="an image of a batch, or more") as error:
        start(planned(small_runs["ae"], 9, batch_size=8), tmp_path / "run")
    assert "devices=9, and batches of 8 images" in error.value.found
    shared = {"data": DataConfig(spec=small_runs["ae"].experiment.data.spec), "preset": "default"}
    with_batches = {**shared, "devices": 2, "model": {"norm": "batch", "width": 8}}
    with pytest.raises(ConfigurationError, match="must not depend on the others") as error:
        start(Experiment.parse(with_batches, "a plan"), tmp_path / "run")
    assert error.value.found == "batch normalisation"
    with pytest.raises(ConfigurationError, match="valid settings") as error:
        Experiment.parse({**shared, "devices": 2, "training": {"minutes": 1}}, "a plan")
    assert "measured with one process" in error.value.found
    with pytest.raises(ConfigurationError, match="valid settings"):
        Experiment.parse({**shared, "devices": 0}, "a plan")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    plan = small_runs["ae"].experiment.model_copy(update={"device": "cuda", "devices": 3})
    with pytest.raises(DeviceError, match="a GPU of its own") as error:
        devices_of(plan)
    assert error.value.found == "devices=3 with device='cuda', which is 2 here"
    assert devices_of(plan.model_copy(update={"devices": 2})) == ["cuda:0", "cuda:1"]
    assert not (tmp_path / "run").exists()


def test_shares_are_even_and_whole():
    for images in range(1, 30):
        for count in range(1, images + 1):
            shares = [even_share(images, count, rank) for rank in range(count)]
            assert [one for start, stop in shares for one in range(start, stop)] == list(range(images))
            assert {stop - start for start, stop in shares} <= {images // count, -(-images // count)}


def test_a_search_has_one_process_a_trial(archive, tmp_path):
    changes = {"data": {"spec": str(archive)}, "devices": 2}
    with pytest.raises(ConfigurationError, match="trained by one process"):
        draft(SearchRequest(kind="ae", changes=changes), tmp_path / "study", resume=False)


def test_an_engine_that_is_none_is_refused_before_anything_is_made(archive, tmp_path):
    out = tmp_path / "run"
    code, printed, said = call(
        ["train", "ae", "--data", str(archive), "--out", str(out), "--engine", "nobody"]
    )
    assert (code, printed) == (2, "")
    assert "the engine must be a known one" in said
    assert not out.exists()
