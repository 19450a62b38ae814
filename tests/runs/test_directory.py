import errno
import json
import os
import shutil

import pytest
import torch

from latentspace.core.errors import ConfigurationError, OutputError, RunError
from latentspace.runs.checkpoint import State
from latentspace.runs.directory import Run
from latentspace.runs.table import compare, find_runs
from latentspace.training.train import resume, start, train


@pytest.fixture
def run(plan, tmp_path) -> Run:
    return start(plan, tmp_path / "run").run


def test_what_a_run_directory_holds(plan, tmp_path):
    run = train(plan, tmp_path / "run")
    names = {one.name for one in run.path.iterdir()}
    files = {
        "config.json",
        "data.json",
        "split.json",
        "environment.json",
        "metrics.jsonl",
        "weights.safetensors",
        "codes.safetensors",
    }
    assert files | {"figures"} <= names
    environment = run.environment
    assert environment["seed"] == 0
    assert environment["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert environment["threads"] == 1
    assert run.experiment == plan
    assert not list(run.path.parent.glob(".*.part"))


@pytest.mark.parametrize("what", ["run", "file", "folder with something in it"])
def test_what_exists_is_refused_and_left_as_it_was(plan, tmp_path, what):
    place = tmp_path / "run"
    if what == "run":
        start(plan, place)
    elif what == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")
    before = sorted(str(one) for one in tmp_path.rglob("*"))
    with pytest.raises(RunError, match="never overwritten") as caught:
        start(plan, place)
    assert "--resume" in caught.value.do
    assert sorted(str(one) for one in tmp_path.rglob("*")) == before


def test_an_empty_folder_may_become_a_run(plan, tmp_path):
    (tmp_path / "run").mkdir()
    assert start(plan, tmp_path / "run").run.experiment == plan


def test_no_run_here(tmp_path):
    with pytest.raises(RunError, match="must be a run directory"):
        Run.open(tmp_path / "nothing")
    with pytest.raises(RunError, match=r"no config\.json"):
        Run.open(tmp_path)


def test_a_torn_last_line_is_left_out_and_a_damaged_one_is_named(run):
    run.append({"epoch": 1})
    with (run.path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"epoch": 2, "tra')
    assert run.metrics == [{"epoch": 1}]
    (run.path / "metrics.jsonl").write_bytes(b'{"epoch"\n{"epoch": 2}\n')
    with pytest.raises(RunError, match="line 1"):
        _ = run.metrics


@pytest.mark.parametrize("name", ["config.json", "data.json", "split.json"])
@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"\xff\xfe", b'{"seed": "x"}'])
def test_a_damaged_file_is_named(run, name, content):
    (run.path / name).write_bytes(content)
    with pytest.raises(Exception, match=name.replace(".", r"\.")) as caught:
        _ = {
            "config.json": lambda: run.experiment,
            "data.json": lambda: run.data,
            "split.json": lambda: run.split,
        }[name]()
    assert type(caught.value).__name__ in ("RunError", "ConfigurationError")


def every_key(values, prefix=()):
    for key, value in values.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from every_key(value, (*prefix, key))


def test_a_plan_is_made_once_and_anew_where_its_file_has_changed(run):
    before = run.experiment
    assert run.experiment is before
    settings = {**run.settings, "seed": before.seed + 1}
    (run.path / "config.json").write_text(json.dumps(settings))
    assert run.experiment == before.model_copy(update={"seed": before.seed + 1})


def test_a_plan_that_lacks_a_setting_is_damaged(run):
    path = run.path / "config.json"
    whole = path.read_text()
    keys = list(every_key(json.loads(whole)))
    assert len(keys) > 30
    for *above, last in keys:
        values = json.loads(whole)
        place = values
        for step in above:
            place = place[step]
        del place[last]
        path.write_text(json.dumps(values))
        with pytest.raises(ConfigurationError) as caught:
            _ = run.experiment
        assert "config.json must hold" in caught.value.must
    path.write_text(whole)
    assert run.experiment


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_damaged_weights_are_named(plan, tmp_path, cut):
    run = train(plan, tmp_path / "run")
    path = run.path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RunError, match=r"weights\.safetensors must be whole"):
        _ = run.weights


def test_weights_of_an_unfinished_run(run):
    with pytest.raises(RunError, match="must have ended") as caught:
        _ = run.weights
    assert f"--resume {run.path}" in caught.value.do


def test_an_ended_run_whose_weights_are_gone_says_so_and_is_trained_anew(plan, tmp_path, caplog):
    run = train(plan, tmp_path / "run")
    weights = run.path / "weights.safetensors"
    before, epochs = weights.read_bytes(), run.metrics
    weights.unlink()
    with pytest.raises(RunError, match="must have ended") as caught:
        _ = run.weights
    assert "weights.safetensors is missing, and there is no state" in caught.value.found
    assert "or train anew with: latentspace train --resume" in caught.value.do
    with caplog.at_level("INFO", "latentspace"):
        assert len(list(resume(run.path).records())) == len(epochs)
    assert "the training begins anew" in caplog.text
    assert (weights.read_bytes() == before, len(run.metrics)) == (True, len(epochs))


def test_a_state_comes_back_as_it_went(run):
    state = State(
        epoch=3,
        best_epoch=2,
        best_score=0.1 + 0.2,
        model={"a.b": torch.randn(3, 2)},
        optimizer={"0.step": torch.tensor(7.0), "0.exp": torch.ones(2)},
    )
    run.save_state(state)
    again = run.state
    assert again is not None
    assert (again.epoch, again.best_epoch, again.best_score) == (3, 2, 0.1 + 0.2)
    assert torch.equal(again.model["a.b"], state.model["a.b"])
    assert again.optimizer["0.step"].shape == ()
    assert torch.equal(again.optimizer["0.exp"], state.optimizer["0.exp"])


def test_one_writer(run):
    other = Run.open(run.path)
    with run.writing(), pytest.raises(RunError, match="only one process"), other.writing():
        pass
    with other.writing():
        pass


def test_runs_are_found_and_compared_by_what_differs(plan, tmp_path):
    train(plan, tmp_path / "seed-2")
    start(plan.model_copy(update={"seed": 10}), tmp_path / "seed-10")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "config.json").write_text("{}")
    rows = compare(find_runs(tmp_path))
    assert [row["run"].rsplit("/", 1)[1] for row in rows] == ["seed-2", "seed-10"]
    assert [row["seed"] for row in rows] == [0, 10]
    assert [row["state"] for row in rows] == ["ended", "epoch 0"]
    assert rows[0]["validation mse"] > 0
    assert "training.epochs" not in rows[0]


def test_find_runs_in_a_run(plan, tmp_path):
    start(plan, tmp_path / "run")
    assert [one.path for one in find_runs(tmp_path / "run")] == [tmp_path / "run"]
    assert find_runs(tmp_path / "nowhere") == []
    assert json.loads((tmp_path / "run" / "config.json").read_text())["kind"] == "ae"


def three_epochs(plan, path) -> Run:
    """A training broken off after its second epoch of three."""
    training = start(plan, path)
    records = training.records()
    next(records)
    next(records)
    records.close()
    return training.run


def test_a_damaged_state_is_named_and_the_one_before_it_used(plan, tmp_path, caplog):
    whole = train(plan, tmp_path / "whole")
    run = three_epochs(plan, tmp_path / "broken")
    last = run.path / "state" / "last.safetensors"
    content = bytearray(last.read_bytes())
    content[-1] ^= 1  # one flipped bit that safetensors itself would not see
    last.write_bytes(content)
    state = run.state
    assert state is not None
    assert state.epoch == 1
    assert "last is damaged" in caplog.text
    assert "checksum" in caplog.text
    list(resume(run.path).records())
    assert all(torch.equal(tensor, run.weights[name]) for name, tensor in whole.weights.items())


def test_when_every_state_is_damaged_it_is_an_error(plan, tmp_path):
    run = three_epochs(plan, tmp_path / "run")
    for file in (run.path / "state").iterdir():
        file.write_bytes(b"")
    with pytest.raises(RunError, match="must be whole"):
        _ = run.state


@pytest.mark.parametrize("moment", ["before the old one moves", "between the two moves"])
def test_a_kill_while_a_state_is_saved_leaves_one(plan, tmp_path, moment):
    """The three files as they lie at each moment of `save_state`."""
    run = three_epochs(plan, tmp_path / "run")
    last, following = run.path / "state" / "last.safetensors", run.path / "state" / "next.safetensors"
    following.write_bytes(last.read_bytes())
    if moment == "between the two moves":
        last.replace(run.path / "state" / "previous.safetensors")
    state = run.state
    assert state is not None
    assert state.epoch == 2


class FullDisk:
    """A disk that is full at the n-th sync, and has room again after it."""

    def __init__(self, monkeypatch) -> None:
        self.real, self.writes, self.fails_at = os.fsync, 0, 0
        monkeypatch.setattr(os, "fsync", self.sync)

    def sync(self, descriptor: int) -> None:
        self.writes += 1
        if self.writes == self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.real(descriptor)


def test_a_full_disk_at_any_write_stops_the_run_with_the_last_good_state(plan, tmp_path, monkeypatch):
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 2})})
    disk = FullDisk(monkeypatch)
    whole = train(plan, tmp_path / "whole")
    writes = disk.writes
    assert writes > 8
    for number in range(1, writes + 1):
        place = tmp_path / f"run-{number}"
        disk.writes, disk.fails_at = 0, number
        with pytest.raises(OutputError, match="No space left") as caught:
            train(plan, place)
        assert "free some space" in caught.value.do
        disk.fails_at = 0
        if not (place / "config.json").exists():
            assert not place.exists()
            continue
        again = resume(place)
        list(again.records())
        assert all(torch.equal(tensor, again.run.weights[name]) for name, tensor in whole.weights.items())
        shutil.rmtree(place)


def test_the_log_of_a_run_holds_what_was_said_before_and_while_it_was_trained(plan, tmp_path):
    plan = plan.model_copy(update={"training": plan.training.model_copy(update={"batch_size": 500})})
    run = train(plan, tmp_path / "run")
    log = (run.path / "run.log").read_text()
    assert "WARNING a batch of 500 is larger than the 72 training images" in log
    assert "split 60/20/20" in log
