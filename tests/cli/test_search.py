"""`latentspace search` as a person calls it: to the end, broken off, and gone on with."""

import io
import json
import logging
import os
import re
import signal
import tomllib
from functools import partial
from pathlib import Path

import optuna
import pytest
from rich.console import Console

from latentspace.cli import console, progress
from latentspace.runs.directory import Run
from latentspace.search.results import SearchProgress, Trial, TrialNotes
from latentspace.search.trials import join
from preloaded import begun, command_with_forked_workers, quick_workers, until
from runner import call
from small_search import run_all, small_study, write_recipe

QUICK = ["--threads", "1", "--seed", "3"]


@pytest.fixture(scope="module")
def searched(archive, tmp_path_factory) -> tuple[Path, str]:
    """A search run to its end, with everything; its directory, and what was said."""
    folder = tmp_path_factory.mktemp("search")
    out = folder / "study"
    arguments = [
        "ae", "--data", archive, "--recipe", write_recipe(folder), "--out", out, "--trials", 3,
        "--workers", 1, "--fit", "train+validation", "--confirm", "2x1", *QUICK,
    ]  # fmt: skip
    with quick_workers():
        code, stdout, said = call(["search", *map(str, arguments)])
    assert code == 0, said
    assert stdout.strip() == str(out)
    return out, said


def test_a_search_says_how_it_goes_and_leaves_everything(searched):
    out, said = searched
    assert "3 trials of 3 epochs, minimize mse on the validation part; 1 worker of 1 thread" in said
    assert "3/3" in said
    assert "trial 0 complete mse 0." in said
    assert "replication: 2 of 2 trainings" in said
    best = tomllib.loads((out / "best.toml").read_text())
    run = Run.open(out / "best")
    assert run.finished
    assert run.experiment.training.fit == "train+validation"
    assert run.experiment.seed == best["seed"]
    assert set(run.results()) == {"test", "beside-pca"}
    assert f"{run.results()['test']['mse']:.5f}" in said
    assert len(json.loads((out / "confirm.json").read_text())["trials"]) == 2
    trials = join(out, None).all()
    assert [one.state in ("complete", "pruned") for one in trials] == [True] * 3


def test_an_ended_search_goes_on_to_more_trials(searched, capsys):
    """In this process, without workers of its own: the trials that are asked for are there."""
    out, _ = searched
    code, stdout, said = call(["search", "--out", str(out), "--resume", "--no-final"])
    assert code == 0, said
    assert stdout.strip() == str(out)
    assert "the best of 3" in said


def test_ctrl_c_ends_with_130_and_the_search_goes_on_from_there(archive, tmp_path):
    recipe, out = write_recipe(tmp_path, epochs=1000, startup_trials=9), tmp_path / "study"
    arguments = ["ae", "--data", archive, "--recipe", recipe, "--out", out, "--trials", 1, "--no-final"]
    words = ["search", *arguments, *QUICK]
    process, _, said_in = begun(words, tmp_path, command_with_forked_workers)
    journal = out / "journal.log"
    until(lambda: process.poll() or (journal.exists() and '"intermediate_value"' in journal.read_text()))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    process.wait(100)
    said = said_in.read_text()
    assert process.returncode == 130, said
    assert f"latentspace search --out {out} --resume" in said
    assert "Traceback" not in said
    trials = join(out, None)
    (only,) = trials.all()
    assert only.state == "lost"
    assert only.notes.reason == "the search was interrupted"
    assert trials.progress().counted == 0
    assert list((out / "workers").iterdir()) == []  # the worker ended in good order


def test_several_objectives_are_not_pruned_and_that_is_said(archive, tmp_path):
    out = tmp_path / "study"
    trials = small_study(archive, out, objectives=("mse", "code_size"), trials=2)
    run_all(trials)
    code, _, said = call(["search", "--out", str(out), "--resume"])
    assert code == 0, said
    assert "no trial is pruned" in said
    assert "front" in said
    assert (out / "front").is_dir()
    assert not (out / "best").exists()
    assert all(one.state == optuna.trial.TrialState.COMPLETE for one in trials.study.trials)


def test_the_live_table_shows_counts_the_best_and_the_time_left(archive, tmp_path, monkeypatch, request):
    screen = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=screen, force_terminal=True, width=120, height=40))
    request.addfinalizer(partial(console.logger.setLevel, console.logger.level))
    console.logger.setLevel(logging.INFO)
    plan = small_study(archive, tmp_path / "study").plan
    best = Trial(0, "complete", {"model.code_size": 4}, (0.125,), ((3, 0.125),), seconds=60.0)
    others = (
        Trial(1, "pruned", reports=((2, 0.5),), seconds=40.0),
        Trial(2, "lost", notes=TrialNotes(epochs=1, reason="its worker was killed"), seconds=1.0),
        Trial(3, "running", reports=((1, 0.25),)),
    )
    last = progress.follow(iter([SearchProgress(4, (best, *others), best)]), plan, workers=2)
    assert last.counted == 2
    shown = [line.split() for line in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()).splitlines()]
    assert ["2/4", "1", "1", "0", "1", "1", "0:00:50"] in shown  # 2 trials of 50 seconds by 2 workers
    text = " ".join(" ".join(line) for line in shown)
    assert "best: trial 0 complete mse 0.125 after 3 epochs" in text
    assert "model.code_size 4" in text
    assert "trial 3 running mse 0.25 after 1 epoch " in text


def test_a_setting_that_is_fixed_is_not_searched(archive, tmp_path):
    out = tmp_path / "study"
    code, _, said = call(
        ["search", "ae", "--data", str(archive), "--recipe", str(write_recipe(tmp_path)), "--out", str(out),
         "--set", "model.code_size=7", "--timeout", "0", "--no-final", *QUICK]
    )  # fmt: skip
    assert code == 2
    assert "a search needs a trial that runs to its end" in said  # there was no time for one
    plan = join(out, None).plan
    assert "model.code_size" not in plan.search.space
    assert plan.experiment.model.code_size == 7
