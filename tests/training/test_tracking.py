"""Trackers: what TensorBoard and MLflow read back is what the run recorded, also after an interruption."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core import extras
from latentspace.core.errors import LatentspaceError
from latentspace.runs.directory import Run
from latentspace.training.tracking import tracked
from latentspace.training.train import start
from runner import call

needs = {
    name: pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"the extra {name} is not here")
    for name, module in (("tensorboard", "tensorboard"), ("mlflow", "mlflow"), ("wandb", "wandb"))
}


@pytest.fixture(autouse=True)
def _own_places(monkeypatch, tmp_path):
    """MLflow's file store, which it wants to be asked for, and Weights & Biases without a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")


class TensorBoardReader:
    def __init__(self, run: Run) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.events = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"scalars": 0})
        self.events.Reload()

    def scalars(self, name: str) -> list[tuple[int, float]]:
        return [(one.step, one.value) for one in self.events.Scalars(name)]

    def settings(self) -> str:
        (tensor,) = self.events.Tensors("settings/text_summary")
        return tensor.tensor_proto.string_val[0].decode()

    def picture(self) -> bytes:
        (image,) = self.events.Images("reconstructions")
        return image.encoded_image_string


class MLflowReader:
    def __init__(self, run: Run) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient()
        place = self.client.get_experiment_by_name("latentspace").experiment_id
        (self.run,) = self.client.search_runs([place])
        assert self.run.info.run_name == run.path.name
        assert self.run.info.status == "FINISHED"

    def scalars(self, name: str) -> list[tuple[int, float]]:
        history = self.client.get_metric_history(self.run.info.run_id, name)
        return sorted((one.step, one.value) for one in history)

    def settings(self) -> str:
        return "\n".join(f"| {name} | {one} |" for name, one in self.run.data.params.items())

    def picture(self) -> bytes:
        (artifact,) = self.client.list_artifacts(self.run.info.run_id)
        return Path(self.client.download_artifacts(self.run.info.run_id, artifact.path)).read_bytes()


READERS = {"tensorboard": TensorBoardReader, "mlflow": MLflowReader}
every_tracker = pytest.mark.parametrize("name", [pytest.param(one, marks=needs[one]) for one in READERS])


def require_as_recorded(reader, run: Run) -> None:
    for name, of in (
        ("train/loss", lambda one: one["train"]["loss"]),
        ("validation/loss", lambda one: one["validation"]["loss"]),
        ("learning_rate", lambda one: one["learning_rate"]),
    ):
        found = reader.scalars(name)
        assert [step for step, _ in found] == [one["epoch"] for one in run.metrics], name
        np.testing.assert_allclose([value for _, value in found], list(map(of, run.metrics)), rtol=1e-6)
    assert "| training.epochs | 3 |" in reader.settings()
    assert reader.picture().startswith(b"\x89PNG")


@pytest.fixture
def words(plan, tmp_path) -> list[str]:
    """A command that trains in a fraction of a second."""
    return [
        "train", "ae", "--data", str(plan.data.spec), "--out", str(tmp_path / "run"), "--preset", "report",
        "--near-copies", "off", "--threads", "1", "--epochs", "3",
        *(f"--set=model.{name}={value}" for name, value in plan.model.model_dump().items() if name != "name"),
    ]  # fmt: skip


@every_tracker
def test_what_is_read_back_is_what_the_run_recorded(name, words, tmp_path):
    code, _, stderr = call([*words, "--track", name])
    assert code == 0, stderr
    run = Run.open(tmp_path / "run")
    require_as_recorded(READERS[name](run), run)


@every_tracker
def test_a_training_that_goes_on_goes_on_in_its_log(name, plan, tmp_path):
    """Broken off after two epochs of which the log missed the second; no flag says again where it is."""
    training = start(plan, tmp_path / "run")
    records = tracked(training, name)
    next(records)
    records.close()
    rest = training.records()
    next(rest)
    rest.close()
    code, _, stderr = call(["train", "--resume", str(tmp_path / "run")])
    assert code == 0, stderr
    run = Run.open(tmp_path / "run")
    require_as_recorded(READERS[name](run), run)


@every_tracker
def test_a_training_that_goes_on_in_python_goes_on_in_its_log(name, plan, tmp_path):
    training = start(plan, tmp_path / "run")
    records = tracked(training, name)
    next(records)
    records.close()
    run = latentspace.resume(tmp_path / "run")
    require_as_recorded(READERS[name](run), run)


@every_tracker
def test_python_names_a_tracker_too(name, plan, tmp_path):
    run = latentspace.train(plan, tmp_path / "run", track=name)
    require_as_recorded(READERS[name](run), run)


def test_python_refuses_a_tracker_before_training(plan, tmp_path):
    with pytest.raises(LatentspaceError, match="tensorboard, mlflow, wandb"):
        latentspace.train(plan, tmp_path / "run", track="paper")
    assert not (tmp_path / "run").exists()


@every_tracker
def test_epochs_that_are_made_again_stand_once_in_the_log(name, plan, tmp_path):
    training = start(plan, tmp_path / "run")
    records = tracked(training, name)
    next(records)
    next(records)
    records.close()
    training.run.begin_anew()
    for _ in tracked(training, name):
        pass
    reader = READERS[name] if name == "tensorboard" else _last_of_two
    require_as_recorded(reader(training.run), training.run)


class _last_of_two(MLflowReader):  # noqa: N801
    """MLflow's history cannot be taken back: the first run is left, and a new one has all epochs."""

    def __init__(self, run: Run) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient()
        notes = json.loads((run.path / "tracking.json").read_text())
        self.run = self.client.get_run(notes["mlflow"]["run"])
        assert len(self.client.search_runs([self.run.info.experiment_id])) == 2


@needs["tensorboard"]
def test_a_tracker_changes_no_number_of_the_training(plan, tmp_path):
    one, other = start(plan, tmp_path / "one"), start(plan, tmp_path / "other")
    for _ in tracked(one, "tensorboard"):
        pass
    for _ in other.records():
        pass
    assert one.run.weights_hash == other.run.weights_hash


@needs["wandb"]
def test_weights_and_biases_are_written_offline(plan, tmp_path):
    training = start(plan, tmp_path / "run")
    for _ in tracked(training, "wandb"):
        pass
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))
    assert json.loads((tmp_path / "run" / "tracking.json").read_text())["wandb"]["last"] == "3"


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_refused_before_training(name, words, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda module: None)
    code, _, stderr = call([*words, "--track", name])
    assert code == 2
    assert f"latentspace[{name}]" in stderr
    assert not (tmp_path / "run").exists()


def test_an_unknown_tracker_is_refused_before_training(words, tmp_path):
    code, _, stderr = call([*words, "--track", "paper"])
    assert code == 2
    assert "tensorboard, mlflow, wandb" in stderr
    assert not (tmp_path / "run").exists()


@needs["mlflow"]
def test_a_store_that_cannot_be_written_is_one_error(words, tmp_path, monkeypatch):
    (tmp_path / "mlruns").write_text("a file")
    code, _, stderr = call([*words, "--track", "mlflow"])
    assert code == 2
    assert "MLFLOW_TRACKING_URI" in stderr
    assert "Traceback" not in stderr
