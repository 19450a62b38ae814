"""The commands as a person or a script calls them, in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latentspace.runs.directory import Run
from preloaded import begun, latentspace, until
from runner import call

SMALL = [
    "--preset=report",
    *(
        "--set",
        "model.conv1_channels=4",
        "--set",
        "model.conv2_channels=4",
        "--set",
        "model.conv3_channels=4",
    ),
    *("--set", "model.neurons=8", "--set", "model.code_size=3", "--set", "training.batch_size=25"),
    *("--threads", "1"),
]


def from_the_start(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of Python's own."""
    command = [sys.executable, "-W", "error", "-m", "latentspace.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def run(archive, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "bars"
    done = latentspace("train", "ae", "--data", archive, "--out", out, "--epochs", 3, *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)  # what was made, and nothing else
    assert re.search(r"ae epoch 3/3  loss 0\.\d+  validation 0\.\d+  [\d,]+ images/s  0:00 left", done.stderr)
    assert "split 60/20/20: 72 train, 24 validation, 24 test" in done.stderr
    return out


def test_evaluate_prints_one_json_object_and_nothing_else(run):
    done = latentspace("evaluate", run, "--json")
    result = json.loads(done.stdout)
    assert {"images": 24, "seen_in_training": 0, "split": "test", "kind": "ae"}.items() <= result.items()
    assert 0 < result["mse"] < 0.3


def test_evaluate_speaks_of_the_report_beside_its_own_images_alone(run):
    table = latentspace("evaluate", run).stdout
    assert "mse" in table
    assert "report" not in table
    record = json.loads((run / "data.json").read_text())
    try:
        (run / "data.json").write_text(json.dumps({**record, "comparable": True}))
        table = latentspace("evaluate", run).stdout
    finally:
        (run / "data.json").write_text(json.dumps(record))
    assert re.search(r"the report\n", table)
    assert re.search(r"mse +0\.\d+ +0\.0272", table)


def test_evaluate_on_other_data(run, images, tmp_path):
    np.save(tmp_path / "others.npy", images.pixels[:7])
    result = json.loads(latentspace("evaluate", run, "--data", tmp_path / "others.npy", "--json").stdout)
    assert (result["images"], result["split"]) == (7, "all")


def test_report_writes_the_figures_and_one_page(run):
    done = latentspace("report", run)
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.strip())
    assert page == run / "report.html"
    html = page.read_text()
    assert sorted(one.name for one in (run / "figures").iterdir()) == [
        f"figure-0{n}.png" for n in range(1, 7)
    ]
    assert html.count("<figure") == 6
    assert "0.0272" not in html
    assert "PCA" in html


def test_runs_lists_and_compares(run):
    rows = json.loads(latentspace("runs", run.parent, "--json").stdout)
    assert len(rows) == 1
    assert rows[0]["state"] == "ended"
    assert "bars" in latentspace("runs", run.parent).stdout


def test_data_info(archive, tmp_path):
    picture = tmp_path / "sheet.png"
    facts = json.loads(latentspace("data", "info", archive, "--json", "--picture", picture).stdout)
    assert facts["images"] == 120
    assert facts["per_class"] == {"A": 40, "B": 40, "C": 40}
    assert facts["duplicate_images"] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = latentspace("data", "info", archive, "--picture", picture)
    assert "120" in table.stdout
    assert str(picture) in table.stdout


def test_seeds_give_mean_and_spread(archive, tmp_path):
    done = latentspace(
        "train", "ae", "--data", archive, "--out", tmp_path / "runs", "--epochs", 1, "--seeds", 2, *SMALL
    )
    assert done.returncode == 0, done.stderr
    assert "standard deviation" in done.stdout
    scores = [
        Run.open(tmp_path / "runs" / f"seed-{seed}").metrics[-1]["validation"]["mse"] for seed in (0, 1)
    ]
    assert f"{np.mean(scores):.5f}" in done.stdout
    assert f"{np.std(scores, ddof=1):.5f}" in done.stdout


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_the_training_and_the_run_goes_on_from_there(archive, tmp_path, name, code):
    out = tmp_path / "run"
    words = ["train", "ae", "--data", archive, "--out", out, "--epochs", 100_000, *SMALL]
    process, _, said = begun(words, tmp_path)
    until((out / "state" / "last.safetensors").exists)
    os.kill(process.pid, getattr(signal, name))
    assert process.wait(60) == code
    stderr = said.read_text()
    assert "--resume" in stderr
    assert "Traceback" not in stderr
    state = Run.open(out).state
    assert state is not None
    assert state.epoch >= 1


def test_resume_by_command(archive, tmp_path):
    from latentspace.experiment.recipe import Recipe
    from latentspace.training.train import start

    plan = Recipe().experiment(
        "ae", {"data": {"spec": str(archive)}, "training": {"epochs": 2, "batch_size": 40}, "threads": 1}
    )
    training = start(plan, tmp_path / "run")
    records = training.records()
    next(records)
    records.close()
    done = latentspace("train", "--resume", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "going on after epoch 1 of 2" in done.stderr
    assert Run.open(tmp_path / "run").finished


def test_quiet_says_only_warnings(archive, tmp_path):
    done = latentspace(
        "train", "ae", "--data", archive, "--out", tmp_path / "run", "--epochs", 1, "-q", *SMALL
    )
    assert done.returncode == 0
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines()), "but what is amiss"


@pytest.mark.parametrize(
    "command",
    [[], ["train"], ["evaluate"], ["report"], ["reproduce"], ["runs"], ["data", "info"], ["data", "fetch"],
     ["data", "render"]],
    ids=lambda one: " ".join(one) or "root",
)  # fmt: skip
def test_every_command_explains_itself_with_an_example(command):
    if command:
        code, said, _ = call([*command, "--help"])
    else:
        done = from_the_start("--help")
        code, said = done.returncode, done.stdout
    assert code == 0
    name = " ".join(["latentspace", *command])
    _, _, rest = said.partition("Usage:")
    assert name.split()[-1] in rest
    assert rest.count(name) >= (2 if command else 1), "the usage line, and an example"


def test_help_does_not_wait_for_pytorch():
    code = (
        "import sys\n"
        "import latentspace.cli.main as door\n"
        "sys.argv[1:] = ['--help']\n"
        "try:\n    door.main()\n"
        "except SystemExit:\n    pass\n"
        "assert not {'torch', 'matplotlib', 'sklearn', 'pydantic', 'optuna'} & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_version():
    assert re.fullmatch(r"latentspace \d+\.\d+\.\d+\n", from_the_start("--version").stdout)


def test_the_data_of_a_recipe_are_used_where_none_are_named(archive, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'[data]\nspec = "{archive}"\n')
    done = latentspace("train", "ae", "--recipe", recipe, "--out", tmp_path / "run", "--epochs", 1, *SMALL)
    assert done.returncode == 0, done.stderr
    assert Run.open(tmp_path / "run").data.images == 120
