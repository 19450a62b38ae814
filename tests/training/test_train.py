"""The training as a whole: exact repetition, exact resume, and what the records say."""

import gc
import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError, DeviceError, RunError, TrainingError
from latentspace.core.randomness import generator
from latentspace.data.batches import ResidentSet, order
from latentspace.experiment.config import Experiment
from latentspace.objectives.loss import Loss
from latentspace.objectives.reconstruction import reconstruction
from latentspace.runs.directory import Run
from latentspace.training.components import learned_from
from latentspace.training.context import prepare
from latentspace.training.loop import evaluate, learn
from latentspace.training.train import is_run_of, resume, start, train
from runner import done, refused
from studies import timeless


def changed(plan: Experiment, **changes) -> Experiment:
    training = plan.training.model_copy(update=changes)
    return Experiment.parse({**plan.model_dump(), "training": training.model_dump()}, "the changed plan")


def assert_same(one: Run, other: Run) -> None:
    assert timeless(one) == timeless(other)
    for name, tensor in one.weights.items():
        assert torch.equal(tensor, other.weights[name]), name


def test_the_same_seed_gives_the_same_bits(plan, tmp_path):
    assert_same(train(plan, tmp_path / "one"), train(plan, tmp_path / "two"))


def test_another_seed_gives_other_losses_on_the_same_split(plan, tmp_path):
    one = train(plan, tmp_path / "one")
    other = train(plan.model_copy(update={"seed": 1}), tmp_path / "other")
    assert timeless(one) != timeless(other)
    assert one.split.to_json() == other.split.to_json()


@pytest.mark.parametrize(
    ("optimizer", "stops"), [("adam", (0, 2)), ("rmsprop", (1,)), ("adamw", (1,)), ("muon", (2,))]
)
def test_an_interrupted_training_ends_as_one_that_never_stopped(plan, tmp_path, optimizer, stops):
    ema = 0.9 if optimizer in ("adamw", "muon") else 0
    plan = changed(plan, optimizer=optimizer, schedule="one-cycle", keep="best", clip_norm=0.5, ema=ema)
    whole = train(plan, tmp_path / "whole")
    for stop_after in stops:
        place = tmp_path / f"broken-{stop_after}"
        broken = start(plan, place)
        records = broken.records()
        list(islice(records, stop_after))
        records.close()
        assert not broken.run.finished
        again = resume(place)
        assert [one.epoch for one in again.records()] == list(range(stop_after + 1, 4))
        assert_same(whole, again.run)


def test_a_kill_between_the_record_and_the_state_repeats_the_epoch_once(plan, tmp_path):
    whole = train(plan, tmp_path / "whole")
    broken = start(plan, tmp_path / "broken")
    records = broken.records()
    next(records)
    records.close()
    broken.run.append({**whole.metrics[1], "train": {"loss": 99.0}})  # written, then killed before the state
    again = resume(tmp_path / "broken")
    list(again.records())
    assert_same(whole, again.run)


def test_a_finished_run_has_nothing_left_to_do(plan, tmp_path):
    train(plan, tmp_path / "run")
    assert list(resume(tmp_path / "run").records()) == []
    assert not list((tmp_path / "run" / "state").glob("*"))


def test_a_run_is_resumed_only_on_its_own_images(plan, tmp_path, archive, images):
    moved = tmp_path / "bars.npz"
    moved.write_bytes(archive.read_bytes())
    plan = Experiment.parse({**plan.model_dump(), "data": {"spec": str(moved)}}, "plan")
    start(plan, tmp_path / "run")
    np.savez(moved, images=images.pixels[::-1])
    with pytest.raises(RunError, match="as they were"):
        resume(tmp_path / "run")


def test_the_records(plan, tmp_path, images):
    run = train(plan, tmp_path / "run")
    assert [one["epoch"] for one in run.metrics] == [1, 2, 3]
    for one in run.metrics:
        assert set(one) == {"epoch", "train", "validation", "seconds", "images_per_second", "learning_rate"}
        assert set(one["train"]) == set(one["validation"]) == {"loss", "mse"}
        assert one["seconds"] > 0
    assert run.metrics[-1]["train"]["mse"] < run.metrics[0]["train"]["mse"]
    model = run.experiment.build(images.shape)
    model.load_state_dict(run.weights)
    held = ResidentSet(torch.from_numpy(images.pixels[run.split.validation]))
    again = evaluate(model, reconstruction, held, generator(0, "noise"))
    assert again["mse"] == pytest.approx(run.metrics[-1]["validation"]["mse"], rel=1e-6)


def test_the_training_loss_weighs_each_image_once(plan):
    """With a learning rate of nearly nothing, the mean over unequal batches is the mean over the set."""
    plan = changed(plan, learning_rate=1e-30, epochs=1, batch_size=50, weight_decay=0)
    components = prepare(plan).components()
    record = next(learn(plan, components))
    assert components.train.images % 50  # the last batch is smaller
    whole = evaluate(components.model, plan.objective.validation, components.train, generator(0, "noise"))
    assert record.train["mse"] == pytest.approx(whole["mse"], rel=1e-5)


def test_no_tensor_of_a_step_outlives_it(plan):
    """Kept ones, however small, keep the large pieces between them from being used again."""
    components = prepare(plan).components()
    alive: list[int] = []

    class Watched(ResidentSet):
        def batches(self, batch_size, order=None):
            for batch in super().batches(batch_size, order):
                alive.append(sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects()))
                yield batch

    watched = replace(components, train=Watched(*components.train))
    next(learn(changed(plan, batch_size=6), watched))
    assert len(alive) > 8
    assert len(set(alive[3:])) == 1


def test_batches_hold_every_image_once_in_the_drawn_order(images):
    pixels = torch.from_numpy(images.pixels)
    drawn = order(len(pixels), generator(0, "order"))
    cut = [one.inputs for one in ResidentSet(pixels).batches(50, drawn)]
    assert [len(one) for one in cut] == [50, 50, 20]
    torch.testing.assert_close(torch.cat(cut), pixels[drawn].float() / 255)


def test_fit_on_train_and_validation(plan, tmp_path, images):
    run = train(changed(plan, fit="train+validation"), tmp_path / "run")
    assert all("validation" not in one for one in run.metrics)
    parts = run.split
    learned = learned_from(run.experiment, parts)
    assert learned.tolist() == sorted([*parts.train.tolist(), *parts.validation.tolist()])
    assert run.learned_from.tolist() == np.unique(images.image_hashes[learned]).tolist()


def test_keep_best_keeps_the_weights_of_the_best_epoch(plan, tmp_path, images):
    """A learning rate this high ends worse than it was at its best."""
    plan = changed(plan, keep="best", learning_rate=0.2, epochs=8)
    run = train(plan, tmp_path / "run")
    scores = [one["validation"]["mse"] for one in run.metrics]
    assert min(scores) < scores[-1]
    model = run.experiment.build(images.shape)
    model.load_state_dict(run.weights)
    held = ResidentSet(torch.from_numpy(images.pixels[run.split.validation]))
    assert evaluate(model, reconstruction, held, generator(0, "noise"))["mse"] == pytest.approx(
        min(scores), rel=1e-6
    )


def test_early_stopping(plan, tmp_path):
    plan = changed(plan, early_stopping=2, learning_rate=0.2, epochs=40)
    run = train(plan, tmp_path / "run")
    scores = [one["validation"]["mse"] for one in run.metrics]
    best = scores.index(min(scores))
    assert len(scores) == best + 1 + 2 < 40
    assert run.finished


def test_a_kill_between_early_stopping_and_the_weights_trains_no_further(plan, tmp_path):
    plan = changed(plan, early_stopping=2, learning_rate=0.2, epochs=40)
    whole = train(plan, tmp_path / "whole")
    broken = start(plan, tmp_path / "broken")
    records = broken.records()
    for record in records:
        if record.epoch == len(whole.metrics):
            records.close()  # the state of the last epoch is saved, the weights are not
            break
    assert not broken.run.finished
    assert list(resume(tmp_path / "broken").records()) == []
    assert_same(whole, broken.run)


def test_a_batch_larger_than_the_training_set_is_one_batch_said_and_recorded(plan, tmp_path, caplog):
    caplog.set_level("WARNING", logger="latentspace")
    run = train(changed(plan, batch_size=1000), tmp_path / "run")
    assert "one batch holds them all" in caplog.text
    assert run.environment["batch_size_in_use"] == 72


def test_a_loss_that_is_not_finite_ends_the_training_and_names_the_step(plan, tmp_path):
    training = start(changed(plan, learning_rate=1e25, optimizer="rmsprop"), tmp_path / "run")
    with pytest.raises(TrainingError, match=r"(nan|inf) at step \d+ of 3 in epoch 1"):
        list(training.records())
    assert not training.run.finished
    assert training.run.metrics == []


def test_nothing_is_learned_from_a_loss_that_is_not_finite(plan):
    """The weights are those of the step before: the bad loss never reaches them."""
    components = prepare(plan).components()
    before: list[dict[str, torch.Tensor]] = []

    def goes_wrong(model, batch, context):
        before.append({name: one.clone() for name, one in components.learned.state_dict().items()})
        loss = reconstruction(model, batch, context)
        bad = loss.total * (math.nan if len(before) == 2 else 1)
        return Loss(bad, {"mse": bad, "other": loss.total})

    with pytest.raises(TrainingError, match="mse = nan at step 2 of 3 in epoch 1"):
        list(learn(plan, replace(components, objective=goes_wrong)))
    assert len(before) == 2, "it went on"
    for name, tensor in components.learned.state_dict().items():
        assert torch.equal(tensor, before[1][name]), name


def test_the_batch_that_fits_the_set_is_said_kept_and_gone_on_with(plan, archive, tmp_path, caplog):
    values = {**plan.model_dump(exclude={"training"}), "training": {"epochs": 2}}
    training = start(Experiment.parse(values, "the plan"), tmp_path / "run")
    assert "batches of 8, for 72 images to learn from" in caplog.text
    assert training.run.experiment.training.batch_size == training.run.environment["batch_size_in_use"] == 8
    records = training.records()
    next(records)
    records.close()
    list(resume(tmp_path / "run").records())
    named = {**values, "training": {"epochs": 2, "batch_size": 8}}
    assert_same(training.run, train(Experiment.parse(named, "the plan"), tmp_path / "named"))
    assert is_run_of(training.run, Experiment.parse(values, "the plan"))
    assert not is_run_of(training.run, Experiment.parse({**values, "training": {"epochs": 3}}, "another"))
    whole = {**values, "training": {"epochs": 1, "fit": "train+validation", "batch_size": 266}}
    kept = train(Experiment.parse(whole, "the plan"), tmp_path / "large")
    assert (kept.experiment.training.batch_size, kept.environment["batch_size_in_use"]) == (266, 96)


def test_a_plans_threads_are_those_of_its_training_alone(plan, tmp_path, monkeypatch):
    """Neither the next training's, nor those of who called."""
    used = []

    def watched(model, batch, noise):
        used.append(torch.get_num_threads())
        return reconstruction(model, batch, noise)

    monkeypatch.setattr("latentspace.objectives.reconstruction.reconstruction", watched)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        training = start(plan.model_copy(update={"threads": 2}), tmp_path / "run")
        assert training.run.environment["threads"] == 2
        for _ in training.records():
            assert torch.get_num_threads() == 3
        assert set(used) == {2}
        assert torch.get_num_threads() == 3
        used.clear()
        other = train(plan.model_copy(update={"threads": 0}), tmp_path / "other")
        assert other.environment["threads"] == 3
        assert set(used) == {3}
        used.clear()
        broken_off = start(plan.model_copy(update={"threads": 2}), tmp_path / "third").records()
        next(broken_off)
        broken_off.close()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_run_of_a_larger_machine_goes_on_with_fewer_threads(plan, tmp_path, monkeypatch):
    monkeypatch.setattr("latentspace.core.child_processes.cores", lambda: 100)
    made = start(plan.model_copy(update={"threads": 300}), tmp_path / "run").run.path
    monkeypatch.setattr("latentspace.core.child_processes.cores", lambda: 2)
    assert "which has 2 cores" in refused("train", "--resume", made)
    done("train", "--resume", made, "--threads", 1)
    assert Run(made).finished
    assert Run(made).experiment.threads == 300
    next_one = "continue", made, "--epochs", 1, "--out", tmp_path / "next"
    assert "which has 2 cores" in refused(*next_one)
    done(*next_one, "--threads", 1)
    assert Run(tmp_path / "next").experiment.threads == 1
    with pytest.raises(ConfigurationError, match=r"found: threads=4096"):
        train(plan.model_copy(update={"threads": 4096}), tmp_path / "other")


def test_an_unknown_device_is_refused_before_anything_is_written(plan, tmp_path):
    with pytest.raises(DeviceError, match="one that this machine has"):
        start(plan.model_copy(update={"device": "warp"}), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_images_too_small_leave_nothing_behind(plan, tmp_path, images):
    np.savez(tmp_path / "tiny.npz", images=images.pixels[:, :, :7, :7])
    plan = Experiment.parse({**plan.model_dump(), "data": {"spec": str(tmp_path / "tiny.npz")}}, "plan")
    with pytest.raises(ConfigurationError, match="at least 8x8") as refused:
        start(plan, tmp_path / "run")
    assert "model={'name': 'dense'}" in str(refused.value)
    assert not (tmp_path / "run").exists()
