"""Parameters -> Experiment, and every mistake in a space that can be known before the first trial."""

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.config import Experiment
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import Choices, Range
from latentspace.search.space import check_space, distributions, experiment_of, fitted, published, without


def test_parameters_take_their_places_and_nothing_else_moves(plan):
    made = experiment_of({"model.code_size": 7, "training.optimizer": "rmsprop"}, plan, seed=11)
    assert (made.model.code_size, made.training.optimizer, made.seed) == (7, "rmsprop", 11)
    back = experiment_of({"model.code_size": 3, "training.optimizer": "adam"}, made, seed=plan.seed)
    assert back == plan


def test_optuna_is_told_the_same_space():
    said = distributions(
        {
            "a": Range(low=2, high=10),
            "b": Range(low=1e-4, high=1e-1, log=True),
            "c": Choices(choices=("x", "y")),
        }
    )
    assert (said["a"].low, said["a"].high, type(said["a"]).__name__) == (2, 10, "IntDistribution")
    assert (said["b"].low, said["b"].log, type(said["b"]).__name__) == (1e-4, True, "FloatDistribution")
    assert said["c"].choices == ("x", "y")


MISTAKES = {
    "an unknown parameter": ({"model.code_sise": Range(low=2, high=3)}, "model.code_sise"),
    "an unknown choice": ({"training.optimizer": Choices(choices=("adam", "sgd"))}, "sgd"),
    "a value the setting refuses": ({"model.code_size": Range(low=0, high=3)}, "code_size = 0"),
    "a setting of the machine": ({"threads": Range(low=1, high=2)}, "below model, objective, training"),
    "the epochs": ({"training.epochs": Range(low=1, high=2)}, "training.epochs"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_known_before_the_first_trial(case, plan):
    space, expected = MISTAKES[case]
    with pytest.raises(ConfigurationError) as caught:
        check_space(space, plan)
    assert expected in str(caught.value)
    assert "space" in caught.value.found


def test_a_code_larger_than_the_images_is_known_before_the_first_trial(plan):
    space = {"model.code_size": Range(low=2, high=257)}
    check_space(space, plan)
    check_space(space, plan, (1, 16, 17))
    with pytest.raises(ConfigurationError, match=r"257 numbers for an image of 256, in the search space"):
        check_space(space, plan, (1, 16, 16))


BATCHES = "training.batch_size"
FITTED = {
    "as it is": (Range(low=20, high=72), Range(low=20, high=72)),
    "the upper end": (Range(low=20, high=1000), Range(low=20, high=72)),
    "in proportion": (Range(low=200, high=1000, log=True), Range(low=14, high=72, log=True)),
    "at least one": (Range(low=100, high=100_000), Range(low=1, high=72)),
    "choices": (Choices(choices=(16, 64, 256, 512)), Choices(choices=(16, 64, 72))),
    "a single choice": (Choices(choices=(266,)), Choices(choices=(72,))),
}


@pytest.mark.parametrize("case", FITTED)
def test_no_batch_is_larger_than_the_training_set(case, plan):
    asked, expected = FITTED[case]
    size = {"model.code_size": Range(low=2, high=3)}
    space = fitted({**size, BATCHES: asked}, images=72)
    assert space == {**size, BATCHES: expected}
    assert fitted(space, images=72) == space
    check_space(space, plan)
    assert fitted(size, images=72) == size


def test_the_reports_space_works_on_the_reports_training_set():
    for kind in ("ae", "dae"):
        search = getattr(Recipe.load("homework"), kind).search
        check_space(search.space, Experiment(kind=kind))
        assert fitted(search.space, images=11_234) == search.space


def test_what_the_user_fixed_is_searched_no_more():
    space = {"model.code_size": Range(low=2, high=3), "training.learning_rate": Range(low=1e-3, high=1.0)}
    assert list(without(space, {"model": {"code_size": 4, "neurons": 8}})) == ["training.learning_rate"]


def test_the_published_parameters_are_those_of_the_report():
    recipe = Recipe.load("homework")
    of_ae = published(recipe.study("ae").search.space, Experiment(kind="ae"))
    assert of_ae["training.learning_rate"] == 0.0033638691442384257
    assert (of_ae["model.code_size"], of_ae["training.batch_size"], of_ae["model.conv1_channels"]) == (
        10,
        266,
        64,
    )
    of_dae = published(recipe.study("dae").search.space, Experiment(kind="dae"))
    assert (of_dae["training.batch_size"], of_dae["model.conv2_channels"]) == (505, 64)


def test_published_parameters_outside_the_space_are_refused():
    with pytest.raises(ConfigurationError, match="code_size = 10"):
        published({"model.code_size": Range(low=2, high=9)}, Experiment())
