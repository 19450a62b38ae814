"""What a recipe may say of a search, and what it may not."""

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import Choices, Range, SearchConfig


def test_a_space_survives_the_round_trip_through_json():
    space = {
        "a": {"low": 2, "high": 10},
        "b": {"low": 1e-4, "high": 1.0, "log": True},
        "c": {"choices": [1, "x"]},
    }
    config = SearchConfig.parse({"space": space}, "the test")
    again = SearchConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert again.space["a"].whole
    assert not again.space["b"].whole
    assert isinstance(again.space["c"], Choices)


BAD = {
    "an inverted range": ({"low": 3, "high": 2}, "3 is above 2"),
    "a logarithm of zero": ({"low": 0, "high": 2, "log": True}, "low is 0"),
    "no choices": ({"choices": []}, "at least 1"),
    "a choice twice": ({"choices": [1, 1]}, "named once"),
    "an unknown key": ({"low": 1, "high": 2, "base": 2}, "base"),
    "half a range": ({"low": 1}, "high"),
    "not a number": ({"low": float("nan"), "high": 2}, "finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_range_is_refused_and_named(case):
    parameter, expected = BAD[case]
    with pytest.raises(ConfigurationError) as caught:
        SearchConfig.parse({"space": {"model.code_size": parameter}}, "the test")
    assert expected in str(caught.value)
    assert "model.code_size" in str(caught.value)


def test_a_search_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="at least 1"):
        SearchConfig.parse({"space": {}}, "the test")


def test_the_reports_spaces_are_in_the_homework_recipe():
    recipe = Recipe.load("homework")
    for study in (recipe.study("ae"), recipe.study("dae")):
        assert study.search is not None
        assert (study.search.trials, study.search.epochs) == (100, 50)
        assert (study.search.startup_trials, study.search.warmup_steps) == (5, 5)
        assert study.search.space == {
            "model.code_size": Range(low=2, high=10),
            "training.batch_size": Range(low=200, high=1000),
            "training.optimizer": Choices(choices=("adam", "rmsprop")),
            "training.learning_rate": Range(low=1e-4, high=1e-1, log=True),
            **{f"model.conv{n}_channels": Choices(choices=(32, 64, 128)) for n in (1, 2, 3)},
            "model.neurons": Choices(choices=(32, 64, 128)),
        }
    classifier = recipe.study("classifier").search
    assert classifier is not None
    assert classifier.epochs == 30
    assert classifier.space["training.batch_size"] == Range(low=100, high=1000)
    assert classifier.space["model.linear3_neurons"] == Range(low=16, high=64)
