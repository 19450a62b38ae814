"""`latentspace runs`: whole names in few columns, all of them where they are asked for."""

import csv
import io
import json
import shutil

import pytest

from latentspace.training.train import start, train
from runner import call

NAME = "a-denoiser-of-the-second-batch-of-scans-with-all-of-its-pages"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, plan):
    place = tmp_path_factory.mktemp("runs")
    train(plan, place / NAME)
    training = plan.training.model_copy(
        update={"weight_decay": 0.001, "clip_norm": 3.0, "schedule": "cosine", "epochs": 4, "batch_size": 20}
    )
    start(plan.model_copy(update={"seed": 10, "training": training}), place / "second")
    return place


def test_names_and_numbers_are_whole_and_what_does_not_fit_is_named(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, shown, said = call(["runs", str(folder)])
    assert code == 0
    title, head, first, second = shown.splitlines()
    assert title.startswith("2 runs below")
    assert head.split()[:6] == ["run", "kind", "state", "score", "validation", "test"]
    assert first.split()[:4] == [NAME, "ae", "ended", "mse"]
    assert float(first.split()[4]) > 0
    assert second.split()[:5] == ["second", "ae", "epoch", "0", "mse"]
    assert "training.clip_norm too: --wide shows all" in said.replace("\n", " ")


def test_names_are_whole_where_the_terminal_is_narrower_than_they_are(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, shown, _ = call(["runs", str(folder)])
    assert shown.splitlines()[2].split()[0] == NAME
    assert len(shown.splitlines()) == 4


def test_all_columns_are_there_for_those_who_ask(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    rows = json.loads(call(["runs", str(folder), "--json"])[1])
    assert {"training.clip_norm", "seed", "validation mse"} <= set(rows[0])
    _, text, _ = call(["runs", str(folder), "--csv"])
    lines = list(csv.DictReader(io.StringIO(text)))
    assert list(lines[0]) == list(rows[0])
    assert [line["training.clip_norm"] for line in lines] == ["0.0", "3.0"]
    assert float(lines[0]["validation mse"]) == rows[0]["validation mse"]
    _, shown, said = call(["runs", str(folder), "--wide"])
    assert len(shown.splitlines()) == 4
    assert "training.clip_norm" in shown.splitlines()[1]
    assert said == ""


def test_one_form_at_a_time(folder):
    code, _, said = call(["runs", str(folder), "--csv", "--json"])
    assert code == 2
    assert "exclude each other" in said


def test_a_damaged_run_is_named_and_the_others_are_listed(folder, tmp_path):
    for name in ("second", "no-text", "no-kind", "no-lines"):
        shutil.copytree(folder / "second", tmp_path / name)
    (tmp_path / "no-text" / "config.json").write_text("[")
    (tmp_path / "no-kind" / "config.json").write_text("{}")
    (tmp_path / "no-lines" / "metrics.jsonl").mkdir()
    code, shown, said = call(["runs", str(tmp_path), "--json"])
    assert code == 0
    assert [row["run"] for row in json.loads(shown)] == [str(tmp_path / "second")]
    assert said.count("a damaged run is left out") == 3
    assert "no-text/config.json must be whole" in said
    code, shown, said = call(["runs", str(tmp_path / "no-kind")])
    assert (code, shown) == (2, "")
    assert "no-kind/config.json must be whole" in said
