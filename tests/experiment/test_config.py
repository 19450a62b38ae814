import json
import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.config import Experiment, models_of, objectives_of
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import SearchConfig
from latentspace.experiment.settings import settings_of
from latentspace.experiment.tasks import TASKS
from latentspace.experiment.training import TrainingConfig


def test_the_defaults_are_the_reports_best_autoencoder():
    plan = Recipe().experiment("ae")
    assert plan.model.model_dump() == {
        "name": "convolutional",
        "code_size": 10,
        "conv1_channels": 64,
        "conv2_channels": 128,
        "conv3_channels": 128,
        "neurons": 128,
    }
    training = plan.training
    assert (training.optimizer, training.batch_size, training.epochs) == ("adam", 266, 50)
    assert training.learning_rate == 0.0033638691442384257
    assert (training.weight_decay, training.schedule, training.keep, training.fit) == (
        1e-5,
        "constant",
        "last",
        "train",
    )


@given(
    st.fixed_dictionaries(
        {
            "seed": st.integers(0, 2**31),
            "model": st.fixed_dictionaries({"code_size": st.integers(1, 64), "neurons": st.integers(1, 512)}),
            "training": st.fixed_dictionaries(
                {
                    "learning_rate": st.floats(1e-8, 10),
                    "epochs": st.integers(1, 1000),
                    "optimizer": st.sampled_from(["adam", "Adam", "RMSprop"]),
                }
            ),
            "split": st.sampled_from([{"shares": "60/20/20"}, {"shares": "98/1/1", "seed": 4}]),
        }
    )
)
def test_a_plan_survives_json_and_toml(values):
    plan = Experiment.parse(values, "the test")
    assert Experiment.parse(json.loads(json.dumps(plan.model_dump(mode="json"))), "json") == plan
    toml = tomli_w.dumps(plan.model_dump(mode="json", exclude_none=True))
    assert Experiment.parse(tomllib.loads(toml), "toml") == plan


BAD = [
    ({"model": {"code_size": 0}}, r"model\.code_size = 0"),
    ({"model": {"conv1_channels": -1}}, r"model\.conv1_channels"),
    ({"model": {"layers": 3}}, r"model\.layers is not a known key"),
    ({"training": {"epochs": 0}}, r"training\.epochs = 0"),
    ({"training": {"batch_size": 0}}, r"training\.batch_size"),
    ({"training": {"learning_rate": 0}}, r"training\.learning_rate"),
    ({"training": {"learning_rate": float("nan")}}, r"training\.learning_rate"),
    ({"training": {"learning_rate": float("inf")}}, r"training\.learning_rate"),
    ({"training": {"optimizer": "sgd"}}, r"training\.optimizer = 'sgd'"),
    ({"training": {"schedule": "warp"}}, r"training\.schedule"),
    ({"training": {"fit": "train+validation", "keep": "best"}}, "no validation images to choose by"),
    ({"training": {"fit": "train+validation", "early_stopping": 3}}, "no validation images to choose by"),
    ({"split": {"shares": "60/40"}}, "three positive percentages"),
    ({"data": {"resize": [0, 28]}}, r"data\.resize"),
    ({"seed": -1}, "seed = -1"),
    ({"sead": 1}, "sead is not a known key"),
    ({"kind": "gan"}, "kind = 'gan'"),
]


@pytest.mark.parametrize(("values", "match"), BAD)
def test_a_plan_that_cannot_be_meant_is_refused(values, match):
    with pytest.raises(ConfigurationError, match=match):
        Experiment.parse(values, "the test")


@pytest.mark.parametrize("name", ["quick", "homework"])
def test_built_in_recipes(name):
    recipe = Recipe.load(name)
    assert recipe.experiment("ae").model == Experiment().model
    assert recipe.description
    assert (recipe.split.shares, recipe.split.near_copies) == ("60/20/20", "off")  # the report's


def test_homework_is_the_reports_plan():
    split = {"shares": "60/20/20", "near_copies": "off"}
    assert Recipe.load("homework").experiment("ae") == Experiment.parse({"split": split}, "the report's plan")


def test_changes_lie_over_the_recipe():
    plan = Recipe.load("quick").experiment(
        "ae", {"training": {"batch_size": 7}, "split": {"shares": "80/10/10"}}
    )
    assert plan.training.epochs == Recipe.load("quick").experiment("ae").training.epochs != 50
    assert (plan.training.batch_size, plan.split.shares) == (7, "80/10/10")


def test_recipes_that_are_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="built-in name") as caught:
        Recipe.load("slow")
    assert "homework, quick" in caught.value.do
    with pytest.raises(ConfigurationError, match="readable TOML file"):
        Recipe.load(str(tmp_path / "gone.toml"))
    (tmp_path / "mine.toml").write_text("[ae.training]\nepoch = 3\n")
    with pytest.raises(ConfigurationError, match=r"ae\.training\.epoch is not a known key"):
        Recipe.load(str(tmp_path / "mine.toml"))


def test_kinds():
    assert TASKS.require("ae") == "ae"
    with pytest.raises(ConfigurationError, match="task must be a known one"):
        TASKS.require("gan")


@pytest.mark.parametrize(
    ("kind", "width"), [("ae", "code_size"), ("vae", "conv2_channels"), ("classifier", "linear1_neurons")]
)
def test_a_width_beyond_counting_is_refused_with_the_settings(kind, width):
    with pytest.raises(ConfigurationError, match=f"{width} = {10**30}: .* less than or equal to 2147483647"):
        Recipe().experiment(kind, {"model": {width: 10**30}})


@pytest.mark.parametrize(
    "mistake", [TypeError("no rule"), RuntimeError("mat1 and mat2 cannot be multiplied")]
)
def test_a_programming_error_is_not_taken_for_sizes(monkeypatch, mistake):
    def initialise(network, generator):
        raise mistake

    monkeypatch.setattr("latentspace.models.layers.init.initialise", initialise)
    with pytest.raises(type(mistake), match=str(mistake)):
        Recipe().experiment("ae").build((1, 28, 28))


class TestBatchesFitTheSet:
    """Where no size was named: 24 steps an epoch, 8 images at least; from 4,800 on the report's size."""

    @pytest.mark.parametrize(
        ("kind", "images", "size"),
        [
            *[
                (kind, 4800, size)
                for kind, size in {"ae": 266, "dae": 505, "vae": 256, "classifier": 411}.items()
            ],
            ("ae", 11_234, 266),
            ("ae", 1_000_000, 266),
            ("dae", 4799, 199),
            ("ae", 480, 20),
            ("ae", 200, 8),
            ("ae", 20, 8),
            ("ae", 3, 8),
        ],
    )
    def test_by_the_number_of_images(self, kind, images, size):
        plan = Recipe().experiment(kind).training
        assert plan.fitted(images).batch_size == size
        assert plan.fitted(images).model_copy(update={"batch_size": plan.batch_size}) == plan

    def test_a_size_that_was_named_stays_the_default_too(self, tmp_path):
        recipe = tmp_path / "mine.toml"
        recipe.write_text("[ae.training]\nbatch_size = 266\n")
        plans = [
            Recipe().experiment("ae", {"training": {"batch_size": 266}}),
            Recipe.load(str(recipe)).experiment("ae"),
            Recipe.load("homework").experiment("ae"),
            Experiment.parse(Recipe().experiment("ae").model_dump(), "a config.json"),
            Experiment(training={"batch_size": 266}),
        ]
        assert [plan.training.fitted(100).batch_size for plan in plans] == [266] * 5

    def test_other_settings_do_not_name_it(self):
        plan = Recipe().experiment("dae", {"training": {"epochs": 3}})
        assert plan.training.fitted(100).batch_size == 8
        assert (plan.training.epochs, plan.training.learning_rate) == (3, 0.003301244567030449)

    def test_a_smaller_batch_of_the_report_would_stay(self):
        assert TrainingConfig().model_construct(set(), batch_size=5).fitted(100).batch_size == 5


@pytest.mark.parametrize("kind", TASKS)
def test_every_count_ends(kind):
    """A number that no machine could come to the end of is a slip; seeds and a sample's size are none."""
    free = {"seed", "data.seed", "split.seed", "data.limit"}
    changes = [{"model": {"name": one}} for one in models_of(kind)]
    changes += [{"objective": {"name": one}} for one in objectives_of(kind)]
    for one in changes:
        counts = {s.name: s.limits for s in settings_of(kind, changes=one) if "whole number" in s.limits}
        assert not [name for name, limits in counts.items() if " to " not in limits and name not in free]


@pytest.mark.parametrize("setting", ["epochs", "min_steps", "batch_size", "early_stopping"])
@pytest.mark.parametrize("value", [10**20, 1e20])
def test_a_training_without_an_end_is_refused(setting, value):
    with pytest.raises(ConfigurationError, match=rf"training.{setting} = .*(less than|smaller)"):
        Experiment.parse({"training": {setting: value}}, "the plan")


@pytest.mark.parametrize("setting", ["trials", "epochs", "startup_trials", "warmup_steps"])
def test_a_search_without_an_end_is_refused(setting):
    space = {"model.code_size": {"low": 2, "high": 3}}
    with pytest.raises(ConfigurationError, match=f"{setting} = .*less than"):
        SearchConfig.parse({"space": space, setting: 10**20}, "the search")
