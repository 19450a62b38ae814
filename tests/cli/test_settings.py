"""latentspace settings, the options of the common ones, and what is said of a name that does not exist."""

import json

import pytest

from latentspace.core.config import Config, did_you_mean
from latentspace.core.errors import ConfigurationError
from latentspace.data.config import DataConfig
from latentspace.experiment.config import Experiment
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import Range
from latentspace.experiment.settings import settings_of
from latentspace.experiment.tasks import TASKS
from latentspace.runs.directory import Run
from latentspace.search.space import check_space
from runner import call


@pytest.mark.parametrize("kind", tuple(TASKS))
def test_each_setting_of_a_kind_is_listed(kind, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, stdout, _ = call(["settings", kind])
    assert code == 0
    assert all(len(line) <= 80 for line in stdout.splitlines())
    names = [line.split()[0] for line in stdout.splitlines()[1:] if line[:1].strip()]
    assert names == [one.name for one in settings_of(kind)]
    if kind != "classifier":
        assert "numbers that an image is compressed to" in " ".join(stdout.split())


def test_without_a_kind_those_of_all_are_listed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, stdout, _ = call(["settings"])
    assert code == 0
    names = {line.split()[0] for line in stdout.splitlines()[1:] if line[:1].strip()}
    assert names == {one.name for kind in tuple(TASKS) for one in settings_of(kind)}
    code, stdout, _ = call(["settings", "--preset", "report"])
    lines = {line.split()[0]: line for line in stdout.splitlines() if line[:1].strip()}
    assert "0.3 (vae)" in lines["model.dropout"]
    assert "number, from 0 below 1" in lines["model.dropout"]


def test_as_json():
    code, stdout, _ = call(["settings", "dae", "--preset", "report", "--json"])
    assert code == 0
    listed = {one["name"]: one for one in json.loads(stdout)}
    assert listed["training.batch_size"]["default"] == 505
    assert listed["data.resize"]["default"] is None
    assert listed["data.resize"]["limits"] == "2 of: whole number, from 1 to 4,096"
    assert listed["objective.noise"]["limits"] == "gaussian, masking, salt-and-pepper or blur"
    assert listed["training.learning_rate"]["limits"] == "number, above 0"
    dense = json.loads(call(["settings", "ae", "--set", "model.name=dense", "--json"])[1])
    assert {"model.name": "dense", "model.hidden_layers": 2}.items() <= {
        one["name"]: one["default"] for one in dense
    }.items()
    everything = json.loads(call(["settings", "--json"])[1])
    assert {one["kind"] for one in everything} == set(TASKS)


def test_an_unknown_kind():
    code, _, stderr = call(["settings", "gan"])
    assert code == 2
    assert "name one of: ae, dae, vae, classifier" in stderr


def test_the_common_settings_are_options(archive, tmp_path):
    sizes = ["--preset=report", *(f"--set=model.conv{number}_channels=2" for number in (1, 2, 3))]
    options = ["--batch-size", "30", "--code-size", "3", "--learning-rate", "0.01", "--epochs", "1"]
    command = ["train", "ae", "--data", str(archive), "--out", str(tmp_path / "run"), "--threads", "1"]
    code, _, stderr = call([*command, *options, *sizes])
    assert code == 0, stderr
    plan = Run.open(tmp_path / "run").experiment
    assert (plan.training.batch_size, plan.training.learning_rate) == (30, 0.01)
    assert plan.model.model_dump()["code_size"] == 3


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (
            "ae",
            {"training": {"epoch": 3}},
            "training.epoch is not a known key: did you mean training.epochs",
        ),
        ("ae", {"epochs": 3}, "epochs is not a known key: did you mean training.epochs?"),
        ("ae", {"model": {"epochs": 3}}, "model.epochs is not a known key: did you mean training.epochs?"),
        ("ae", {"trainin": {"epochs": 3}}, "trainin is not a known key: did you mean training?"),
        ("vae", {"model": {"dropuot": 0}}, "model.dropuot is not a known key: did you mean model.dropout?"),
        ("ae", {"data": {"resise": None}}, "data.resise is not a known key: did you mean data.resize?"),
        ("ae", {"training": {"seed": 0}}, "did you mean seed or data.seed or split.seed?"),
    ],
)
def test_a_name_that_does_not_exist_brings_those_like_it(kind, changes, said):
    with pytest.raises(ConfigurationError) as caught:
        Recipe().experiment(kind, changes)
    assert said in caught.value.found
    assert "latentspace settings" in caught.value.do


def test_what_another_kind_has_is_not_meant():
    with pytest.raises(ConfigurationError) as caught:
        Recipe().experiment("ae", {"model": {"dropout": 0}})
    assert caught.value.found == "model.dropout is not a known key"


def test_the_same_in_recipes_in_python_and_in_a_search(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[dae.training]\nbatchsize = 3\n")
    with pytest.raises(ConfigurationError, match=r"batchsize is not a known key: .*batch_size\?"):
        Recipe.load(str(path))
    path.write_text("[dea.training]\nbatch_size = 3\n")
    with pytest.raises(ConfigurationError, match=r"dea is not a known key: did you mean dae\?"):
        Recipe.load(str(path))
    with pytest.raises(ConfigurationError, match=r"deduplicated .* did you mean deduplicate\?"):
        DataConfig.parse({"deduplicated": True}, "load_data")
    with pytest.raises(ConfigurationError, match=r"did you mean training\.learning_rate\?"):
        Experiment(learning_rate=1)
    plan = Recipe().experiment("ae")
    for name in ("learning_rate", "training.learningrate"):
        with pytest.raises(ConfigurationError, match=r"did you mean training\.learning_rate\?"):
            check_space({name: Range(low=0.1, high=0.2)}, plan)


def test_nothing_is_meant_where_nothing_is_like_it():
    assert did_you_mean("xyzzy", ["training.epochs", "seed"]) == ""
    with pytest.raises(ConfigurationError) as caught:
        Config.parse({"xyzzy": 1}, "nothing")
    assert caught.value.found == "xyzzy is not a known key"
