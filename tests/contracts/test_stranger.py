"""What is added from outside goes everywhere: `stranger/plugin.py` through every command.

One process of Python's own loads the command with the plug-in, and forks a process for each call.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import preloaded
from latentspace.runs.directory import Run
from latentspace.runs.tensors import read_tensors
from makers import random_pixels
from preloaded import until

PLUGIN = Path(__file__).parents[1] / "stranger"
OPTIONS = ("--device", "cpu", "--threads", "1", "--precision", "32")


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(PLUGIN), str(PLUGIN.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "LATENTSPACE_PLUGINS": "plugin", "PYTHONPATH": path}


LOADED = """
import gc, json, os, sys
import jinja2, kept, makers
import latentspace.evaluation.evaluate, latentspace.report.run.write, latentspace.training.train
import latentspace.report.search.page, latentspace.search.executors.worker, latentspace.search.run
from latentspace.cli import main
makers.undrawn().__enter__()
gc.freeze()
for line in sys.stdin:
    words, out, err = json.loads(line)
    child = os.fork()
    if not child:
        for number, place in ((1, out), (2, err)):
            os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["latentspace", *words]
        main.command()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Latentspace:
    """The command with the plug-in."""

    def __init__(self, loaded: subprocess.Popen[str], folder: Path) -> None:
        self._to, self._answers = loaded.stdin, loaded.stdout
        self._out, self._err = folder / "out", folder / "err"

    def begin(self, *arguments: object) -> int:
        """The number of its process."""
        assert self._to is not None
        words = [str(one) for one in arguments]
        print(json.dumps([words, str(self._out), str(self._err)]), file=self._to, flush=True)
        return int(self._answer())

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return int(self._answer())

    def _answer(self) -> str:
        assert self._answers is not None
        return self._answers.readline()

    def __call__(self, *arguments: object) -> str:
        """What it prints; it must end well."""
        self.begin(*arguments)
        code = self.end()
        assert code == 0, self._err.read_text()
        return self._out.read_text()


@pytest.fixture(scope="module")
def latentspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Latentspace]:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", LOADED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as loaded:
        yield Latentspace(loaded, tmp_path_factory.mktemp("printed"))
        assert loaded.stdin is not None
        loaded.stdin.close()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred images in the stranger's own format, 12 x 10."""
    path = tmp_path_factory.mktemp("data") / "images.hex"
    pixels = random_pixels(100, 12, 10)
    path.write_text("12 10\n" + "".join(one.tobytes().hex() + "\n" for one in pixels))
    return path


@pytest.fixture(scope="module")
def run(images: Path, latentspace: Latentspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "stranger"
    latentspace("train", "stranger", "--data", images, "--out", out, *OPTIONS)
    return out


def test_the_run_holds_the_strangers_settings(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    assert config["kind"] == "stranger"
    assert config["model"] == {"name": "stranger-residual", "code_size": 10, "width": 8}
    assert config["objective"] == {"name": "stranger-criticised", "weight": 0.1}
    assert config["training"]["epochs"] == 3


def test_killed_and_resumed_it_has_the_same_weights(
    latentspace: Latentspace, run: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    process = latentspace.begin("train", "stranger", "--data", images, "--out", out, *OPTIONS)
    metrics = out / "metrics.jsonl"
    until(lambda: metrics.exists() and metrics.read_text().count("\n"))
    os.kill(process, signal.SIGKILL)
    latentspace.end()
    latentspace("train", "--resume", out)
    one, other = (read_tensors(place / "weights.safetensors")[0] for place in (run, out))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)


def test_it_is_evaluated_with_its_own_terms_and_metric(latentspace: Latentspace, run: Path) -> None:
    result = json.loads(latentspace("evaluate", run, "--json"))
    assert result["images"] == 20
    assert 0 < result["largest_error"] <= 1
    assert {"stranger_score", "nll", "kl", "mean_code_loss", "active_units"} <= result.keys()


def test_another_run_has_the_strangers_metric_too(
    latentspace: Latentspace, images: Path, tmp_path: Path
) -> None:
    tiny = ["--preset=report"]
    tiny += [f"--set=model.{name}=2" for name in ("conv1_channels", "conv2_channels", "code_size")]
    out = tmp_path / "vae"
    latentspace(
        "train", "vae", "--data", images, "--resize", "16x16", "--out", out, "--epochs", 1, *tiny, *OPTIONS
    )
    assert "largest_error" in json.loads(latentspace("evaluate", out, "--json"))


def test_a_task_of_the_package_takes_the_strangers_network_and_objective(
    latentspace: Latentspace, images: Path, tmp_path: Path
) -> None:
    chosen = ("--set=model.name=stranger-residual", "--set=model.width=3", "--set=model.code_size=2")
    out = tmp_path / "vae"
    latentspace("train", "vae", "--data", images, "--out", out, "--epochs", 1, *chosen, *OPTIONS)
    result = json.loads(latentspace("evaluate", out, "--json"))
    assert {"gaussian_nll", "elbo_loss", "iwae_loss"} <= result.keys()


def test_it_has_a_page_with_its_title_and_its_metric(latentspace: Latentspace, run: Path) -> None:
    page = Path(latentspace("report", run).strip())
    html = page.read_text()
    assert "stranger's autoencoder" in html.replace("&#39;", "'")
    assert "largest error of a pixel" in html
    for words in (
        "A small residual network with Gaussian codes and Gaussian pixels, trained for 3 epochs",
        "What is minimised: Negative ELBO, and a critic that tells codes of images from codes of the prior.",
    ):
        assert words in html
    assert '<th scope="row">width</th>' in html
    assert '<th scope="row">weight</th>' in html
    assert "stranger score" in html
    assert {"figure-01.png", "figure-02.png"} <= {file.name for file in (run / "figures").iterdir()}
    assert "0.0272" not in html


def test_it_draws_images(latentspace: Latentspace, run: Path, tmp_path: Path) -> None:
    latentspace("generate", run, "--out", tmp_path / "drawn", "--count", 6)
    assert len(list((tmp_path / "drawn").rglob("*.png"))) >= 1


def test_it_is_searched(latentspace: Latentspace, images: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[stranger.search]\ntrials = 2\nepochs = 1\n[stranger.search.space]\n"
        '"model.width" = {low = 2, high = 4}\n"objective.weight" = {choices = [0.0, 0.5]}\n'
    )
    out = tmp_path / "study"
    process = latentspace.begin(
        *("search", "stranger", "--recipe", recipe, "--data", images, "--out", out),
        *("--workers", 1, "--engine", "stranger", *OPTIONS[:2]),
    )
    assert latentspace.end() == 0
    workers = re.findall(r'"worker":"(\d+)@', (out / "journal.log").read_text())
    assert workers == [str(process)] * 2  # as its executor does it
    assert json.loads((out / "best" / "results" / "test.json").read_text())["kind"] == "stranger"
    assert Run.open(out / "best").path.is_dir()


def test_its_settings_are_listed(latentspace: Latentspace) -> None:
    listed = latentspace("settings", "stranger")
    for name in ("model.width", "objective.weight", "channels of every map"):
        assert name in listed


def test_help_names_it_and_what_its_reader_reads(latentspace: Latentspace) -> None:
    shown = " ".join(latentspace("train", "--help").replace("\u2502", " ").split())
    assert "stranger (stranger's autoencoder)" in shown
    assert "a .hex file" in shown


def test_without_the_plugin_the_run_says_what_is_missing(run: Path) -> None:
    done = preloaded.latentspace("evaluate", run)
    assert done.returncode == 2
    assert "stranger" in done.stderr
    assert "Traceback" not in done.stderr
