"""How long a training is: few images are passed over more often, and epochs fit minutes."""

import time
from math import inf

import pytest

from latentspace.core.errors import ConfigurationError
from latentspace.experiment.config import Experiment
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.training import TrainingConfig
from latentspace.training import length
from latentspace.training.estimate import Sizes, seconds_an_epoch
from latentspace.training.length import settle_minutes, settle_steps
from latentspace.training.train import is_run_of, resume, start, train


def of(plan: Experiment, **training) -> Experiment:
    return Experiment.parse({**plan.model_dump(exclude={"training"}), "training": training}, "the plan")


@pytest.mark.parametrize(
    ("images", "batch", "epochs"),
    [(60, 8, 250), (300, 12, 80), (4799, 199, 80), (8000, 266, 65), (100_000, 266, 50)],
)
def test_few_images_make_as_many_steps(images, batch, epochs):
    """Of 60 images an epoch makes 8 steps, 2,000 steps are 250 epochs."""
    fitted = Recipe().experiment("ae", {"training": {"min_steps": 2000}}).training.fitted(images)
    assert (fitted.batch_size, fitted.epochs) == (batch, epochs)
    assert fitted.epochs * -(-images // batch) >= 2000
    assert fitted.fitted(images) == fitted


def test_a_number_of_epochs_that_was_named_stays():
    plan = Recipe().experiment("ae", {"training": {"min_steps": 2000, "epochs": 3}})
    assert plan.training.fitted(60).epochs == 3
    assert TrainingConfig().fitted(60).epochs == 50


def test_it_is_said_and_recorded(plan, tmp_path, caplog):
    caplog.set_level("INFO", logger="latentspace")
    asked = of(plan, batch_size=25, min_steps=155)
    training = start(asked, tmp_path / "run")
    assert "52 epochs instead of 50, for at least 155 steps with 72 images" in caplog.text
    assert training.run.experiment.training.epochs == 52
    assert is_run_of(training.run, asked)
    assert settle_steps(of(plan, epochs=7, min_steps=155), 72).training.epochs == 7


def test_minutes_become_epochs_once_and_stay(plan, tmp_path, caplog):
    caplog.set_level("INFO", logger="latentspace")
    asked = of(plan, batch_size=25, minutes=0.01)
    began = time.perf_counter()
    training = start(asked, tmp_path / "run")
    assert "in 0.01 min" in caplog.text
    epochs = training.run.experiment.training.epochs
    assert 1 <= epochs <= 20
    records = training.records()
    next(records)
    records.close()
    assert time.perf_counter() - began < 60
    again = resume(tmp_path / "run")
    list(again.records())
    assert again.run.experiment.training.epochs == len(again.run.metrics) == epochs
    assert is_run_of(again.run, asked)
    named = train(of(plan, batch_size=25, epochs=epochs), tmp_path / "named")
    assert [one["train"] for one in named.metrics] == [one["train"] for one in again.run.metrics]


def test_epochs_fill_the_time_that_measuring_leaves(plan, monkeypatch, caplog):
    sizes = Sizes((1, 16, 16), 72, 24)
    measured: list[float] = []
    monkeypatch.setattr(length, "seconds_an_epoch", lambda *_, most: measured.append(most) or (2.0, 3.0))
    assert settle_minutes(of(plan, minutes=1), sizes).training.epochs == (57 - 3) // 2
    assert settle_minutes(of(plan), sizes) == of(plan)
    assert "one epoch" not in caplog.text
    assert settle_minutes(of(plan, minutes=0.03), sizes).training.epochs == 1
    assert "one epoch takes about 2 seconds here, more than 0.03 min" in caplog.text
    assert settle_minutes(of(plan, minutes=6000), sizes).training.epochs > 100_000
    assert measured == [3, pytest.approx(0.09), length.LONGEST]  # seconds, of minutes and of days


def test_epochs_that_minutes_replace_are_not_told_of(plan, caplog):
    caplog.set_level("INFO", logger="latentspace")
    settle_steps(of(plan, min_steps=155, batch_size=25, minutes=1), 72)
    assert caplog.text == ""


def test_the_measure_of_each_kind_is_a_time(plan):
    for kind, sizes in {
        "ae": Sizes((1, 16, 16), 72, 24),
        "dae": Sizes((3, 9, 12), 30, 0),
        "classifier": Sizes((1, 16, 16), 72, 24, code_size=3, classes=3),
    }.items():
        training = {"batch_size": 25, "augment": "affine"} if kind != "classifier" else {"batch_size": 25}
        asked = Experiment(kind=kind, precision="32", threads=1, training=training)
        seconds, spent = seconds_an_epoch(asked, sizes, most=0.0)
        assert 0 < seconds < 60
        assert 0 < spent < 60


def test_bad_settings():
    for wrong in ({"minutes": 0}, {"minutes": -1}, {"minutes": 1e9}, {"minutes": inf}, {"min_steps": -1}):
        with pytest.raises(ConfigurationError):
            TrainingConfig(**wrong)
