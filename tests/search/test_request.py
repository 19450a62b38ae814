"""What was asked for -> a plan: fitted to the images, and to the study that is there."""

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import Range
from latentspace.search.plan import StudyPlan
from latentspace.search.request import SearchRequest, anew, draft
from latentspace.search.trials import begin
from runner import call
from small_search import run_all, small_plan, small_study, write_recipe

TINY = {"conv1_channels": 4, "conv2_channels": 4, "conv3_channels": 4, "neurons": 8}


def request(archive, **named):
    changes = {"data": {"spec": str(archive)}, "threads": 1, "precision": "32", "seed": 3, "model": TINY}
    return SearchRequest(kind="ae", changes={"preset": "report", **changes}, workers=1, **named)


def test_the_reports_space_is_searched_on_a_set_that_is_smaller_than_its_batches(archive, tmp_path):
    """72 images to learn from, and batches of 200 to 1,000: the command of the README, on a small set."""
    out = tmp_path / "study"
    plan, _ = draft(request(archive, trials=2, epochs=1), out, resume=False)
    assert plan.search.space["training.batch_size"] == Range(low=200, high=1000)
    assert plan.space["training.batch_size"] == Range(low=14, high=72)
    trials = begin(plan, out, None, resume=False)
    assert all(14 <= one.params["training.batch_size"] <= 72 for one in run_all(trials))
    assert trials.progress().counted == 2
    again, _ = draft(SearchRequest(trials=3, workers=1), out, resume=True)
    with begin(again, out, None, resume=True) as more:
        assert more.plan.space == plan.space


def test_what_cannot_be_searched_is_refused_as_such_where_an_option_fixes_it_too():
    search = {"space": {"data.spec": {"choices": ["x", "y"]}}, "epochs": 1}
    recipe = Recipe.parse({"ae": {"search": search}}, "a recipe")
    with pytest.raises(ConfigurationError, match="chooses settings of the model"):
        anew(SearchRequest(kind="ae", recipe=recipe, changes={"data": {"spec": "x"}}))


def test_smaller_batches_are_said(archive, tmp_path):
    code, _, said = call(
        [
            "search",
            "ae",
            "--preset",
            "report",
            "--data",
            str(archive),
            "--out",
            str(tmp_path / "study"),
            "--timeout",
            "0",
        ]
    )
    assert code == 2, said  # there was no time for a trial
    assert "training.batch_size is searched over 14 to 72 instead of 200 to 1000: there are 72 images" in said


def test_a_fixed_batch_that_holds_the_whole_set_is_said_as_in_a_training(archive, tmp_path):
    recipe = write_recipe(tmp_path)
    code, _, said = call(
        ["search", "ae", "--data", str(archive), "--recipe", str(recipe), "--out", str(tmp_path / "study"),
         "--set", "training.batch_size=100", "--timeout", "0"]
    )  # fmt: skip
    assert code == 2, said
    assert "a batch of 100 is more than the 72 images to learn from: it holds them all" in said


def test_a_study_is_not_shrunk(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=4)
    code, _, said = call(["search", "--out", str(trials.directory), "--resume", "--trials", "3"])
    assert code == 2
    assert "the number of a study's trials may only grow" in said
    assert "--trials 3, and the study was asked for 4" in said
    assert StudyPlan.load(trials.directory).search.trials == 4
    with pytest.raises(ConfigurationError, match="may only grow"):
        draft(SearchRequest(trials=1, workers=1), trials.directory, resume=True)
    assert draft(SearchRequest(trials=4, workers=1), trials.directory, resume=True)[0].search.trials == 4


def test_a_recipe_with_fewer_trials_leaves_those_that_were_asked_for(archive, tmp_path):
    """As a reproduction that goes on in a study which was searched further by hand."""
    out = tmp_path / "study"
    small_study(archive, out, trials=4).close()
    recipe = str(write_recipe(tmp_path, trials=2))
    changes = {"data": {"spec": str(archive)}, "threads": 1, "precision": "32", "seed": 3}
    plan, _ = draft(SearchRequest(kind="ae", recipe=recipe, changes=changes, workers=1), out, resume=True)
    assert plan.search.trials == 4
    assert plan == small_plan(archive, out, trials=4)
