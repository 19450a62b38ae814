"""Each script of benchmarks/ runs, with so little to do that it measures nothing."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import preloaded
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.executors.memory import ENVIRONMENT
from makers import random_pixels
from runner import call
from small_search import write_recipe

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = {file.stem for file in FOLDER.glob("*.py")} - {"processes", "hosts"}


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of benchmarks/ by its name; its processes are forked from one that has loaded PyTorch."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path / "cache"))
    for name, value in ENVIRONMENT.items():  # so that it is as before afterwards
        monkeypatch.setenv(name, value)
    before, threads = set(sys.modules), torch.get_num_threads()
    monkeypatch.setattr(import_module("processes"), "CONTEXT", preloaded.FORKED)
    monkeypatch.setattr(import_module("speed.hardware"), "SIDE", 8)

    def load(name: str) -> ModuleType:
        return import_module(name)

    yield load
    torch.set_num_threads(threads)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {*SCRIPTS, "processes", "hosts", "speed"}:
            del sys.modules[name]


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Images of the report's size, with labels."""
    path = tmp_path / "letters.npz"
    np.savez(path, images=random_pixels(60, 1, 28, 28), labels=np.array(list("ABC") * 20))
    return path


def written(folder: Path, name: str) -> tuple[dict[str, Any], str]:
    """What a script left: the numbers, and the table."""
    (numbers,), (table,) = (list(folder.glob(f"{name}-*{suffix}")) for suffix in (".json", ".md"))
    return json.loads(numbers.read_text()), table.read_text()


def test_each_script_is_tested():
    source = Path(__file__).read_text()
    assert [name for name in SCRIPTS if f'script("{name}")' not in source] == []


@pytest.mark.parametrize("kind", ["ae", "vae", "classifier"])
def test_both_sides_of_the_speed_table_train(script, kind):
    sides = script("speed.sides")
    for side in (sides.plain, sides.ours):
        assert side(kind, 12)() == 12


def test_data_on_disk(script, tmp_path, capsys):
    script("data_on_disk").main("--counts", "300", "--folder", str(tmp_path))
    assert capsys.readouterr().out.count("| 300 |") == 2


def test_glyphs(script, capsys):
    script("glyphs").main(60)
    assert capsys.readouterr().out.count("glyphs, ") == 2


def test_growth(script, tmp_path):
    script("growth").main("--counts", "100", "--random", "--threads", "1", "--out", str(tmp_path))
    found, table = written(tmp_path, "growth-random")
    assert [one["images"] for one in found["cases"]] == [100, 100]
    assert "| 100 | never |" in table


def test_layers(script, capsys):
    script("layers").main(1, "float32", rounds=1, share=128)
    assert capsys.readouterr().out.count("*") == 3 * 7 + 1


def test_precision(script, letters, tmp_path, monkeypatch):
    module = script("precision")
    plan_of = module.plan_of

    def small(kind: str, *others: Any) -> Any:
        plan = plan_of(kind, *others)
        layers = {"conv1_channels": 4, "conv2_channels": 4, "code_size": 2}
        return plan.model_copy(update={"model": plan.model.model_copy(update=layers)})

    monkeypatch.setattr(module, "plan_of", small)
    module.main("--data", str(letters), "--seeds", "0", "--epochs", "ae=1", "vae=1", "--out", str(tmp_path))
    found, table = written(tmp_path, "precision")
    assert [one["kind"] for one in found["networks"]] == ["ae", "vae"]
    assert "| vae | 1 | 1 | elbo_loss |" in table


def test_search_memory(script, tmp_path, capsys):
    script("search_memory").main(3, 60, str(write_recipe(tmp_path)))
    assert "trial   2" in capsys.readouterr().out


def test_search_trials(script, letters, tmp_path, monkeypatch):
    module = script("search_trials")
    monkeypatch.setattr(module.subprocess, "run", lambda words, check: call(words[1:]))
    with preloaded.quick_workers():
        module.main(
            *("--data", str(letters), "--trials", "1", "--epochs", "1", "--rounds", "1"),
            *("--out", str(tmp_path)),
        )
    found, _ = written(tmp_path, "search")
    assert found["rounds"][0]["epochs"] == 1


def test_search_workers(script, capsys):
    script("search_workers").main(60, 1)
    assert "two workers of one thread are" in capsys.readouterr().out


def test_start(script, letters, tmp_path, monkeypatch):
    module = script("start")
    monkeypatch.setattr(module.subprocess, "run", lambda words, **_: preloaded.latentspace(*words[1:]))
    module.main("--data", str(letters), "--rounds", "1", "--out", str(tmp_path))
    found, _ = written(tmp_path, "start")
    assert found["first_step_s"][0] > 0


def test_speed(script, tmp_path):
    few = ["--rounds", "1", "--images", "12", "--threads", "1", "--out", str(tmp_path)]
    script("speed.__main__").main("--only", "ae", "classifier", "encoding-32", *few)
    found, _ = written(tmp_path, "speed")
    assert [one["name"] for one in found["comparisons"]] == ["ae", "classifier", "encoding-32"]


def test_ablation(script, letters, tmp_path, monkeypatch):
    from latentspace.models.layers import conv, dropout
    from latentspace.search import run
    from latentspace.training import loop

    replaced = [
        *((conv, "choose"), (loop, "ManualBackward"), (dropout, "_kept")),
        *((run, "LOOKING"), (LocalExecutor, "submit")),
    ]
    module, left_out = script("ablation"), []

    def command(words: list[str]) -> None:
        left_out.append({name for owner, name in replaced if getattr(owner, name) is not kept[owner, name]})
        code, _, said = call(words)
        assert code == 0, said

    def here(function: Any, *arguments: Any) -> None:
        """In this process; the next command has everything again."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in replaced:
                patch.setattr(owner, name, getattr(owner, name))
            function(*arguments)

    kept = {(owner, name): getattr(owner, name) for owner, name in replaced}
    monkeypatch.setattr(module, "latentspace", command)
    monkeypatch.setattr(module, "apart", here)
    tiny = ["ae=1", "vae=1", "classifier=1", "search=1"]
    module.main(
        *("--data", str(letters), "--images", "20", "--epochs", *tiny, "--trials", "1", "--rounds", "1"),
        *("--threads", "1", "--out", str(tmp_path)),
    )
    found, table = written(tmp_path, "ablation")
    assert {name: set(cases) for name, cases in found["cases"].items()} == {
        "ae": {"", "im2col"},
        "vae": {"", "im2col", "dropout"},
        "classifier": {"", "head"},
        "search": {"", "head"},
    }
    assert table.count("\n| ") == 1 + 5
    always = {"LOOKING", "submit"}
    for name, times in (("choose", 2), ("ManualBackward", 2), ("_kept", 1)):
        assert left_out.count({name} | always) == times
    assert left_out.count(always) == 1 + 4


def test_reading(script, monkeypatch):
    monkeypatch.setenv("LATENTSPACE_CACHE", "")  # so that it is as before after the test
    assert set(script("reading").measure(1_100)) == {"listed", "first", "second", "plain"}


def test_quality(script, letters, tmp_path):
    script("quality").main(
        *("--data", str(letters), "--limit", "40", "--tasks", "ae", "--presets", "fast", "report"),
        *("--set", "training.epochs=1", "training.min_steps=0", "--code-size", "3", "--threads", "1"),
        *("--out", str(tmp_path)),
    )
    found, table = written(tmp_path, "quality")
    assert [(one["task"], one["preset"]) for one in found["cases"]] == [("ae", "fast"), ("ae", "report")]
    assert all(0 < one["runs"][0]["mse"] < 1 for one in found["cases"])
    assert list(found["pca"]) == ["3"]
    assert table.count("\n| ae |") == 2
    for case in found["cases"]:
        assert f"**{case['runs'][0]['mse']:.5f}** | {found['pca']['3']:.5f} | " in table
        assert f" | {case['runs'][0]['mse'] / found['pca']['3']:.2f} | " in table
    with pytest.raises(SystemExit):  # for how long would it train?
        script("quality").main("--pythae")


def test_time_to_quality(script, letters, tmp_path):
    script("time_to_quality").main(
        *("--data", str(letters), "--limit", "40", "--tasks", "ae", "--preset", "report", "--epochs", "1"),
        *("--plain-epochs", "2", "--threads", "1", "--out", str(tmp_path)),
    )
    found, table = written(tmp_path, "time-to-quality")
    curves = found["tasks"]["ae"]
    assert (len(curves["ours"]), len(curves["plain"])) == (1, 2)
    assert 0 < curves["plain"][0][0] < curves["plain"][1][0]
    assert all(0 < error < 1 for side in ("plain", "ours") for _, error in curves[side])
    assert "| ae | 0.0311 | not reached | not reached |" in table
    assert "seed 0, 1 thread, preset report." in table
    assert " with 1 thread." in table


def test_near_copies(script):
    coarse = np.random.default_rng(0).integers(0, 256, (40, 1, 7, 7), np.uint8)
    found = script("near_copies").measured(np.kron(coarse, np.ones((1, 1, 4, 4), np.uint8)))
    assert found["recall"] > 0.5


def test_doctor(script, letters, tmp_path, monkeypatch):
    monkeypatch.setattr("latentspace.evaluation.doctor.codes.STEPS", 10)
    module = script("doctor")
    monkeypatch.setattr(module, "STRIDE", 64)  # fewer tiles
    module.main(str(letters), "--each", "2", "--digits", str(letters), "--out", str(tmp_path))
    found, table = written(tmp_path, "doctor")
    assert found["faults"]["blank"]["recall"] == 1
    assert table.count("\n| ") == 1 + len(found["faults"])


def test_calibration(script, small_runs, tmp_path):
    script("calibration").main(str(small_runs["classifier"].path), "--halves", "2", "--out", str(tmp_path))
    found, table = written(tmp_path, "calibration")
    assert found["runs"][0]["ways"]["classify"]["chance"] > 0
    assert table.count("\n| ") == 1 + 3


def test_anomalies(script, small_runs, tmp_path):
    run = str(small_runs["ae"].path)
    script("anomalies").main(run, "--strangers", "5", "--first", "10", "--out", str(tmp_path))
    found, table = written(tmp_path, "anomalies")
    assert found["kinds"]["noise"]["combined"]["among_the_first"] > 0
    assert table.count("\n| ") == 1 + 5


def test_explorer(script):
    """Its points; what a browser measures of them is measured on its pages' tests."""
    subject = script("explorer").synthetic(30)
    assert subject.codes.shape == (30, 10)
    assert len(subject.images) == 30


@pytest.mark.parametrize("rows", [6, 12])
def test_ray_faults(script, tmp_path, monkeypatch, rows):
    """Without a cluster: what a command leaves is held to what was asked for."""
    module = script("ray_faults")
    asked = []

    class Command:
        running = True

        def __init__(self, words: list[str], log: Path) -> None:
            asked.append(words)
            if words[0] == "encode":
                out = Path(words[words.index("--out") + 1])
                np.savez(out, codes=np.arange(6 if out.name == "usual.npz" else rows))
                pieces = out.with_name("codes.npz.pieces")
                pieces.mkdir(exist_ok=True)
                for number in range(2):
                    (pieces / f"{number}.npz").touch()

        def end(self) -> int:
            return 1 if len(asked) == 4 else 0  # the first of the case itself

    class Cluster:
        def __init__(self, folder: Path) -> None:
            self.known: list[object] = []

        def keep(self, count: int) -> None:
            self.known.append(count)

        def workers(self) -> tuple[()]:
            return ()

        def add(self) -> None:
            self.known.append("late")

        lose = renew = add

    monkeypatch.setattr(module, "Command", Command)
    monkeypatch.setattr(module.hosts, "alone", lambda: None)
    monkeypatch.setattr(module.hosts, "Cluster", Cluster)
    module.main("--only", "encode: a node comes late", "--folder", str(tmp_path), "--out", str(tmp_path))
    found, table = written(tmp_path, "ray-faults")
    (fault,) = found["faults"]
    assert fault["exits"] == [1, 0]
    assert asked[-1][-1] == "--resume"
    assert (found["survived"], "all there, once" in table) == ((1, True) if rows == 6 else (0, False))


def test_ray_overhead(script, tmp_path, monkeypatch):
    module = script("ray_overhead")
    monkeypatch.setattr(module, "Cluster", lambda engine: None)
    monkeypatch.setattr(module, "Few", lambda most: None)
    monkeypatch.setattr(module, "closing", nullcontext)
    monkeypatch.setattr(module, "OnCluster", lambda cluster: module.here)
    monkeypatch.setattr(module, "RayExecutor", lambda engine: LocalExecutor())
    monkeypatch.setattr(module, "FEW", 60)
    with preloaded.quick_workers():
        module.main("--images", "60", "--trials", "1", "--out", str(tmp_path))
    found, table = written(tmp_path, "ray-overhead")
    assert found["measured"]["bytes a row"] > 0
    assert table.count("\n| search, ray") == 2
    module.main("--images", "60", "--only", "scaling", "--out", str(tmp_path))
    found, table = written(tmp_path, "ray-scaling")
    assert found["measured"]["times as fast by two"] > 0
    assert "| scaling, 2 processes |" in table
