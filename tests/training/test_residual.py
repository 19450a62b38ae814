"""Residual networks from the command line: trained, resumed to the same bits, evaluated, shown."""

import json

import pytest

from latentspace.evaluation.code_sizes import numbers_enough
from latentspace.experiment.config import Experiment
from latentspace.training.train import train
from makers import undrawn
from runner import call
from studies import must_go_on_to_the_same_bits

SMALL = {"width": 8, "code_size": 4, "linear_path": "off", "corrections": 0}
GOLDEN = {
    "ae": [0.167611, 0.136004, 0.127351],
    "dae": [0.167454, 0.135551, 0.126643],
    "vae": [174.826, 159.769, 155.300],
}
CORRECTED = [0.167585, 0.136028, 0.127353]


def plan(kind, archive, **more) -> Experiment:
    values = {
        "kind": kind,
        "preset": "default",
        "data": {"spec": str(archive)},
        "split": {"near_copies": "off"},
        "threads": 1,
        "precision": "32",
        "model": SMALL,
        "training": {"epochs": 3, "batch_size": 36, "optimizer": "adam"},
    }
    if kind == "vae":
        values["objective"] = {"warm_up": 6}
    return Experiment.parse({**values, **more}, "a test's plan")


@pytest.mark.parametrize("kind", GOLDEN)
def test_it_learns(kind, archive, tmp_path):
    whole = train(plan(kind, archive), tmp_path / "whole")
    score = whole.experiment.task.score
    curve = [record["validation"][score] for record in whole.metrics]
    assert curve[-1] < curve[0]
    assert curve == pytest.approx(GOLDEN[kind], rel=2e-3)
    if kind == "vae":
        must_go_on_to_the_same_bits(whole.experiment, whole, tmp_path / "broken")


def test_a_corrected_code_s_training_goes_on_to_the_same_bits(archive, tmp_path):
    corrected = train(plan("ae", archive, model={**SMALL, "corrections": 1}), tmp_path / "whole")
    curve = [record["validation"]["mse"] for record in corrected.metrics]
    assert curve == pytest.approx(CORRECTED, rel=2e-3)
    must_go_on_to_the_same_bits(corrected.experiment, corrected, tmp_path / "broken")


def test_the_code_size_follows_the_images_and_is_said(archive, tmp_path):
    out = tmp_path / "run"
    options = ["--epochs", "1", "--threads", "1", "--set", "model.width=4"]
    code, _, said = call(["train", "ae", "--data", str(archive), "--out", str(out), *options])
    assert code == 0, said
    assert "codes of 6 numbers, for images of 16x16, grey" in said
    found = json.loads((out / "config.json").read_text())
    assert (found["preset"], found["model"]["name"], found["model"]["code_size"]) == (
        "default",
        "residual",
        6,
    )


def test_ordered_codes_are_evaluated_at_every_size_and_drawn(archive, tmp_path):
    run = train(plan("ae", archive, model={**SMALL, "ordered": True, "refine": 2}), tmp_path / "run")
    assert run.experiment.model.refine == 0  # steps of the whole code would make its first numbers worse
    code, stdout, said = call(["evaluate", str(run.path), "--json"])
    assert code == 0, said
    result = json.loads(stdout)
    assert result["code_sizes"] == [1, 2, 3, 4]
    errors = result["errors_by_code_size"]
    assert errors[-1] == pytest.approx(result["mse"], rel=1e-5)
    assert errors[0] > errors[-1]
    code, stdout, said = call(["evaluate", str(run.path)])
    assert code == 0, said
    shown = stdout.partition("code_sizes")[2]
    assert shown.split()[:4] == ["1", "2", "3", "4"]
    assert str(numbers_enough([1, 2, 3, 4], errors)) in shown.partition("numbers within")[2].split()
    with undrawn():
        code, _, said = call(["report", str(run.path)])
    assert code == 0, said
    assert "Error against code size" in (run.path / "report.html").read_text()


def test_the_first_size_within_a_tenth_is_enough():
    assert numbers_enough([1, 2, 4, 8], [0.5, 0.109, 0.12, 0.1]) == 2
    assert numbers_enough([1], [0.0]) == 1
