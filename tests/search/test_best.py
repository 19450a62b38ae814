"""The best trial: a recipe that trains it again to the bit, a run, and replications of the best ones."""

import json
import tomllib
from collections.abc import Sequence

import pytest

from latentspace.core.errors import ConfigurationError, RunError, TrainingError
from latentspace.experiment.config import Experiment
from latentspace.experiment.recipe import Recipe
from latentspace.search.best import best_trial, final_training, plan_of, write_recipes
from latentspace.search.executors.protocol import Replication
from latentspace.search.heartbeat import Heartbeat
from latentspace.search.replication import ReplicationPlan, replications_of, summarise, train_replications
from latentspace.search.trainings import TrainerHere
from latentspace.search.trials import Trials, begin
from latentspace.training.context import TrainingContext, prepare
from latentspace.training.train import train
from small_search import run_all, small_study


def test_the_recipe_of_the_best_trial_trains_it_again_to_the_bit(searched, tmp_path):
    (path,) = write_recipes(searched)
    assert path == searched.directory / "best.toml"
    best = best_trial(searched)
    assert tomllib.loads(path.read_text())["description"].startswith(f"trial {best.number} of study: mse 0.")
    plan = Recipe.load(str(path)).experiment("ae", {"threads": 1, "precision": "32"})
    assert plan == plan_of(searched, best)
    run = train(plan, tmp_path / "run")
    assert [one["validation"]["mse"] for one in run.metrics] == [score for _, score in best.reports]


def test_the_plan_has_the_threads_of_its_trial_whatever_the_search_goes_on_with(searched):
    experiment = searched.plan.experiment.model_copy(update={"threads": 2})
    plan = searched.plan.model_copy(update={"experiment": experiment})
    with begin(plan, searched.directory, None, resume=True) as again:
        assert plan_of(again, again.best()) == plan_of(searched, searched.best())
    searched.plan.save(searched.directory)


def test_the_best_trial_is_trained_in_full_on_what_fit_says_and_gone_on_with(searched):
    training = final_training(searched, "train+validation")
    assert training.run.path == searched.directory / "best"
    assert training.experiment.training.fit == "train+validation"
    list(training.records())
    assert final_training(searched, "train+validation").run.finished


def test_the_run_of_an_earlier_best_trial_is_kept(searched):
    assert (searched.directory / "best" / "weights.safetensors").exists()
    training = final_training(searched)
    assert not training.run.finished
    assert (searched.directory / "best-until-4" / "weights.safetensors").exists()


def test_a_search_without_a_complete_trial_has_no_best_one(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=1, lowest=1e24, highest=1e25)
    run_all(trials)
    with pytest.raises(TrainingError, match="finite number"):
        best_trial(trials)


def test_several_objectives_have_a_recipe_for_each_trial_of_the_front(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", objectives=("mse", "code_size"))
    run_all(trials)
    paths = write_recipes(trials)
    assert [path.name for path in paths] == [f"trial-{one.number}.toml" for one in trials.front()]
    for path, one in zip(paths, trials.front(), strict=True):
        assert Recipe.load(str(path)).experiment("ae").model.code_size == one.params["model.code_size"]


def replicate(trials: Trials, replications: Sequence[Replication]) -> None:
    context = prepare(trials.plan.experiment)
    train_replications(replications, trials.plan, trials.directory, TrainerHere(context), lambda: False)


def test_replication_trains_the_best_from_the_same_seeds(searched):
    replications = replications_of(searched, ReplicationPlan(2, 2))
    top = searched.top(2)
    assert [(one.number, one.place) for one in replications] == [
        (one.number, place) for one in top for place in (0, 1)
    ]
    replicate(searched, replications)
    content = summarise(replications, searched.plan, searched.directory).to_json()
    assert content == json.loads((searched.directory / "confirm.json").read_text())
    assert [one["number"] for one in content["trials"]] == [one.number for one in top]
    for row, trial in zip(content["trials"], top, strict=True):
        assert row["params"] == trial.params
        assert len(set(row["scores"])) == 2
        assert row["mean"] == pytest.approx(sum(row["scores"]) / 2)
        assert row["std"] == pytest.approx(abs(row["scores"][0] - row["scores"][1]) / 2**0.5)
        assert trial.values[0] not in row["scores"]  # other seeds than the search's
    kept = [json.loads(one.file(searched.directory).read_text()) for one in replications]
    assert [one["seed"] for one in kept[:2]] == [one["seed"] for one in kept[2:]]
    written = replications[0].file(searched.directory).stat().st_mtime_ns
    replicate(searched, replications)
    assert replications[0].file(searched.directory).stat().st_mtime_ns == written


def test_a_replication_that_fails_is_counted_as_such(searched):
    bad = {**searched.best().params, "training.learning_rate": 1e25}
    one = Replication(number=99, parameters=bad, place=0)
    replicate(searched, [one])
    (row,) = summarise([one], searched.plan, searched.directory).to_json()["trials"]
    assert (row["scores"], row["mean"], row["std"], row["failed"]) == ([], None, None, 1)


def test_a_mistake_in_the_program_is_no_failed_replication(searched, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(TrainingContext, "components", fail)
    one = Replication(number=98, parameters=searched.best().params, place=0)
    with pytest.raises(RuntimeError, match="a mistake"):
        replicate(searched, [one])
    assert not one.file(searched.directory).exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"score": "x"}', '{"score": true}', "[" * 100_000])
def test_a_damaged_score_of_a_replication_is_named(searched, content):
    one = Replication(number=97, parameters=searched.best().params, place=0)
    one.file(searched.directory).parent.mkdir(exist_ok=True)
    one.file(searched.directory).write_text(content)
    with pytest.raises(RunError, match=r"trial-97-seed-0\.json must be whole"):
        summarise([one], searched.plan, searched.directory)


@pytest.mark.parametrize("text", ["3", "3x", "0x3", "axb", "3x3x3", "1x1001"])
def test_the_extent_of_a_replication(text):
    assert ReplicationPlan.parse("3x5") == ReplicationPlan(3, 5)
    with pytest.raises(ConfigurationError, match="TRIALSxSEEDS"):
        ReplicationPlan.parse(text)


def test_the_seed_in_a_recipe_is_the_trials(searched):
    trial = searched.best()
    assert plan_of(searched, trial).seed == trial.notes.seed
    assert isinstance(plan_of(searched, trial), Experiment)
    assert searched.next(Heartbeat("1@elsewhere", "none")) is None
