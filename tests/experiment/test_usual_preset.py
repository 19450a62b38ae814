"""A plan that names no preset begins from `default`, unless it names settings of another preset's network."""

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.config import Experiment
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.usual import usual_preset


@pytest.mark.parametrize(
    ("kind", "model", "preset"),
    [
        ("ae", {}, "default"),
        ("ae", {"code_size": 4}, "default"),
        ("ae", {"width": 8}, "default"),
        ("ae", {"conv1_channels": 4, "code_size": 4}, "report"),
        ("dae", {"neurons": 8}, "report"),
        ("vae", {"conv2_channels": 4}, "report"),
        ("vae", {"name": "convolutional-variational"}, "report"),
        ("classifier", {"linear1_neurons": 4}, "default"),
        ("ae", {"beauty": 4}, "default"),
        ("nothing", {"conv1_channels": 4}, "default"),
    ],
)
def test_the_preset_is_that_of_the_network_with_these_settings(kind, model, preset):
    assert usual_preset(kind, {"model": model}) == preset


def test_the_other_settings_are_that_presets(caplog):
    with caplog.at_level("INFO"):
        preset = usual_preset("ae", {"model": {"conv1_channels": 4}})
    assert "preset report, whose network has model.conv1_channels" in caplog.text
    plan = Recipe(preset=preset).experiment("ae", {"model": {"conv1_channels": 4}})
    assert (plan.model.name, plan.training.optimizer, plan.training.batch_size) == (
        "convolutional",
        "adam",
        266,
    )
    assert plan.model.conv2_channels == 128


def test_a_preset_that_is_named_keeps_its_training_for_another_network():
    plan = Experiment.parse({"preset": "default", "model": {"conv1_channels": 4}}, "the plan")
    assert (plan.model.name, plan.training.optimizer) == ("convolutional", "muon")


def test_a_setting_of_no_network_is_refused_with_those_like_it():
    with pytest.raises(ConfigurationError, match=r"model\.widht"):
        Experiment.parse({"preset": "default", "model": {"widht": 4}}, "the plan")
