"""Presets: what each holds, how a plan begins from one, and what is said of settings beside one."""

import math

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.config import Experiment, against_preset
from latentspace.experiment.presets import PRESETS, settings_of_preset
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import SearchConfig
from latentspace.experiment.tasks import TASKS
from latentspace.search.space import check_space

every_preset = pytest.mark.parametrize("preset", PRESETS)
every_kind = pytest.mark.parametrize("kind", TASKS)


def plan(kind="ae", **changes) -> Experiment:
    return Experiment.parse({"kind": kind, **changes}, "a test's plan")


@every_preset
@every_kind
def test_a_plan_has_every_value_of_its_preset(preset, kind):
    found, asked = plan(kind, preset=preset).model_dump(), settings_of_preset(preset, kind)
    for table in ("model", "objective", "training"):
        assert found[table] == found[table] | dict(asked.get(table, {}))
    assert set(asked) <= {"model", "objective", "training", "search"}


@every_kind
def test_the_report_is_what_a_plan_is_that_names_nothing(kind):
    assert plan(kind) == plan(kind, preset="report") == Recipe().experiment(kind)
    published = Recipe.load("homework").experiment(kind)
    assert published.model == plan(kind).model
    assert published.training == plan(kind).training


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "report"])
@every_kind
def test_a_search_has_a_space_for_its_network(preset, kind):
    space = SearchConfig.parse(settings_of_preset(preset, kind)["search"], "the preset").space
    encoder = {"encoder": "a run"} if kind == "classifier" else {}
    check_space(space, plan(kind, preset=preset, **encoder))


def test_what_is_named_wins_and_is_said():
    named = plan("vae", preset="fast", training={"epochs": 3, "batch_size": 64}, model={"width": 8})
    assert (named.training.epochs, named.model.width) == (3, 8)
    assert list(against_preset(named)) == [
        "model.width = 8, where the preset has 16",
        "training.epochs = 3, where the preset has 10",
    ]
    assert list(against_preset(plan("vae", training={"epochs": 3}))) == []


@pytest.mark.parametrize(
    ("table", "settings", "said"),
    [
        (
            "model",
            {"conv1_channels": 4},
            "convolutional-variational, where the preset has residual-variational",
        ),
        ("objective", {"samples": 5}, "importance-weighted, where the preset has elbo"),
    ],
)
def test_a_member_that_settings_choose_beside_a_preset_is_said(table, settings, said):
    named = plan("vae", preset="fast", **{table: settings})
    assert list(against_preset(named)) == [f"{table}.name = {said}"]


def test_another_network_has_its_own_defaults_and_the_presets_training():
    named = plan("ae", preset="fast", model={"name": "convolutional"})
    assert named.model == plan("ae").model
    assert named.training == plan("ae", preset="fast").training


def test_a_preset_lies_over_the_one_that_it_extends():
    best, usual = (settings_of_preset(name, "ae") for name in ("best", "default"))
    assert best["training"]["epochs"] > usual["training"]["epochs"]
    assert best["model"] == {**usual["model"], "decoder_width": 64, "refine": 5}
    assert best["search"] == usual["search"]


@pytest.mark.parametrize("name", ["reprot", "", 3, None])
def test_an_unknown_preset_is_the_one_error(name):
    with pytest.raises(ConfigurationError) as caught:
        plan(preset=name, model={"neurons": -3})
    assert "preset" in caught.value.found
    assert "neurons" not in caught.value.found


@pytest.mark.parametrize("preset", ["report", "default"])
def test_a_code_larger_than_the_image_is_refused(preset):
    shape = (1, 8, 9)
    plan(preset=preset, model={"code_size": math.prod(shape)}).build(shape)
    with pytest.raises(ConfigurationError, match="73 numbers for an image of 72"):
        plan(preset=preset, model={"code_size": 73}).build(shape)
