"""Where things are computed: one name for a device, on every command that computes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import latentspace
from latentspace.core.devices import exact, named_device
from latentspace.core.environment import describe, has_native_bf16
from latentspace.core.errors import DeviceError
from latentspace.data.sources import load_images
from latentspace.runs.directory import Run
from latentspace.training.train import is_run_of
from makers import undrawn
from runner import call


@pytest.fixture
def gpus(monkeypatch):
    """A machine with so many."""

    def have(cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return have


@pytest.mark.parametrize(
    ("there", "name", "expected"),
    [
        ({}, "auto", "cpu"),
        ({}, "cpu", "cpu"),
        ({"cuda": 2}, "auto", "cuda"),
        ({"cuda": 2}, "cuda:1", "cuda:1"),
        ({"cuda": 2}, "cpu", "cpu"),
        ({"mps": True}, "auto", "mps"),
        ({"mps": True}, "mps", "mps"),
    ],
)
def test_a_name_is_a_device(gpus, there, name, expected):
    gpus(**there)
    assert named_device(name) == torch.device(expected)


@pytest.mark.parametrize(
    ("there", "name"),
    [({}, "cuda"), ({}, "mps"), ({"cuda": 2}, "cuda:2"), ({"cuda": 2}, "cuda:"), ({"cuda": 2}, "cuda:-1"),
     ({"cuda": 2}, "cuda:²"), ({}, "cpu:1"), ({}, ""), ({}, "auto:0"), ({}, "warp")],
)  # fmt: skip
def test_one_that_is_not_there_is_refused(gpus, there, name):
    gpus(**there)
    with pytest.raises(DeviceError, match="one that this machine has") as caught:
        named_device(name)
    assert "auto, cpu" in caught.value.do
    assert ("cuda" in caught.value.do) == bool(there)


def test_what_has_bfloat16_is_asked_of_the_device_that_is_meant(gpus):
    gpus(mps=True)
    assert not has_native_bf16("auto")
    with pytest.raises(DeviceError):
        has_native_bf16("cuda")


@pytest.fixture
def commands(small_runs: dict[str, Run], tmp_path: Path) -> dict[str, list[str]]:
    ae, dae, archive = small_runs["ae"].path, small_runs["dae"].path, small_runs["ae"].experiment.data.spec
    new = str(tmp_path / "new")
    return {
        "train": ["train", "ae", "--data", archive, "--out", new],
        "search": ["search", "ae", "--data", archive, "--out", new, "--trials", "1"],
        "reproduce": ["reproduce", "--data", archive, "--out", new],
        "evaluate": ["evaluate", str(ae)],
        "report": ["report", str(ae)],
        "generate": ["generate", str(ae), "--out", new],
        "denoise": ["denoise", str(dae), archive, new],
    }


COMMANDS = ("train", "search", "reproduce", "evaluate", "report", "generate", "denoise")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_a_device_that_is_not_there_before_it_reads_images(
    commands, command, gpus, monkeypatch, tmp_path
):
    gpus()

    def read(*_: object) -> None:
        raise AssertionError("images were read")

    for module in holding("load_images"):
        if command in ("evaluate", "report", "generate", "denoise"):
            monkeypatch.setattr(module, "load_images", read)
    code, out, err = call([*commands[command], "--device", "cuda"])
    assert code == 2
    assert "the device must be one that this machine has" in err
    assert "'cuda'" in err
    assert out == ""
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        *(
            (command, kind)
            for command in ("evaluate", "report")
            for kind in ("ae", "dae", "vae", "classifier")
        ),
        ("generate", "ae"),
        ("denoise", "dae"),
    ],
)
def test_everything_is_computed_on_the_device_that_was_named(
    commands, small_runs, command, kind, monkeypatch
):
    """A stand-in for it: the CPU under a name that nothing else asks for."""
    asked = []

    def named(name: str = "auto") -> torch.device:
        asked.append(name)
        return torch.device("cpu")

    for module in holding("named_device"):
        monkeypatch.setattr(module, "named_device", named)
    for file in (small_runs[kind].path / "results").glob("*"):
        file.unlink()
    arguments = commands[command]
    if command in ("evaluate", "report"):
        arguments = [command, str(small_runs[kind].path)]
    with undrawn():
        code, _, err = call([*arguments, "--device", "cuda:3"])
    assert code == 0, err
    frozen = (
        {"cpu"} if (command, kind) == ("report", "classifier") else set()
    )  # its encoder's weights are read
    assert set(asked) == {"cuda:3"} | frozen


def holding(name: str) -> Iterator[object]:
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("latentspace.") and hasattr(module, name):
            yield module


def test_in_python_too(small_runs, gpus):
    gpus()
    run = small_runs["ae"]
    with pytest.raises(DeviceError):
        latentspace.load(run.path, device="cuda")
    with pytest.raises(DeviceError):
        latentspace.evaluate(run.path, device="cuda")
    images = load_images(run.experiment.data)
    assert (
        latentspace.load(run.path).encode(images) == latentspace.load(run.path, "cpu").encode(images)
    ).all()


def test_a_study_is_drawn_without_a_device(tmp_path):
    (tmp_path / "study.json").write_text("{}")
    code, _, err = call(["report", str(tmp_path), "--device", "cpu"])
    assert code == 2
    assert "--device has no meaning here" in err


def test_a_run_is_of_its_plan_whatever_device_made_it(small_runs):
    run = small_runs["ae"]
    assert is_run_of(run, run.experiment.on("cuda"))
    assert not is_run_of(run, run.experiment.model_copy(update={"seed": 5}))


def test_nvidia_s_convolutions_are_exact_within_and_afterwards_as_they_were(monkeypatch):
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=True):
        with exact():
            assert (cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (False, True, False)
        assert (cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (True, False, True)


@pytest.mark.parametrize("kind", ["ae", "classifier"])
def test_what_a_run_computes_is_exact(small_runs, kind, monkeypatch):
    seen = []
    watched = torch.nn.Module.__call__

    def watching(module, *arguments, **named):
        seen.append(torch.backends.cudnn.deterministic and not torch.backends.cudnn.allow_tf32)
        return watched(module, *arguments, **named)

    monkeypatch.setattr(torch.nn.Module, "__call__", watching)
    run = small_runs[kind]
    images = load_images(run.experiment.data)
    loaded = latentspace.load(run.path, "cpu")
    if kind == "ae":
        loaded.reconstruct(images)
    else:
        loaded.probabilities(images)
    latentspace.evaluate(run.path, device="cpu")
    assert len(seen) > 3
    assert all(seen)


def test_what_a_process_runs_is_looked_up_once(monkeypatch):
    before = describe(torch.device("cpu"))
    assert before["versions"]["torch"] == torch.__version__
    for place in ("subprocess.run", "importlib.metadata.version"):
        monkeypatch.setattr(place, None)  # to call it is an error
    assert describe(torch.device("cpu")) == before
