"""The record of a search says what the study holds: counted by hand here, trial by trial."""

import json
import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution

from latentspace.core.errors import ConfigurationError, RunError
from latentspace.experiment.search_space import Choices, Range
from latentspace.search.load import read_study, record_of
from latentspace.search.results import StudyRecord, Trial
from searches import SPACE, new_study, search_like, study_directory, trial


def numbers(trials: tuple[Trial, ...]) -> list[int]:
    return [one.number for one in trials]


def record() -> StudyRecord:
    timed = trial("pruned", reports=[0.3, 0.2], epochs=2)
    assert timed.datetime_start is not None
    timed.datetime_complete = timed.datetime_start + timedelta(seconds=10)
    return record_of(
        new_study(
            [
                trial("complete", 0.04, reports=[0.2] * 50, epochs=50),
                timed,
                trial("failed", reason="no number", epochs=3),
                trial("lost", reports=[0.5], reason="its worker was killed"),
                trial("complete", 0.03, epochs=50, weights=1234),
                trial("running", reports=[0.1]),
                trial("complete", math.inf, epochs=50),
                trial("waiting"),
            ],
            published=0,
        )
    )


def test_every_trial_keeps_what_it_was() -> None:
    made = record()
    states = [one.state for one in made.trials]
    assert states == ["complete", "pruned", "failed", "lost", "complete", "running", "complete", "waiting"]
    assert made.trials[1].reports == ((1, 0.3), (2, 0.2))
    assert made.trials[1].last == 0.2
    assert made.trials[1].values == ()
    assert made.trials[1].seconds == 10
    assert made.trials[2].notes.reason == "no number"
    assert made.trials[4].values == (0.03,)
    assert made.trials[4].notes.weights == 1234
    assert made.trials[4].params["training.optimizer"] == "adam"
    assert made.trials[5].seconds is None
    assert (made.kind, made.objectives, made.directions) == ("ae", ("mse",), ("minimize",))
    assert (made.epochs, made.seed, made.published, made.single) == (50, 3, 0, True)
    assert made.notes["data"] == "bars"
    assert made.trial(4) is made.trials[4]
    with pytest.raises(LookupError):
        made.trial(99)


def test_the_best_is_the_lowest_finite_value() -> None:
    made = record()
    assert numbers(made.usable) == [0, 4]
    assert numbers(made.ranked()) == [4, 0]
    assert made.best is made.trials[4]
    assert made.best_so_far == ((0, 0.04), (4, 0.03))


def test_epochs_saved_are_those_of_the_pruned_trials_alone() -> None:
    made = record()
    assert made.epochs_run == 50 + 2 + 3 + 1 + 50 + 1 + 50
    assert made.epochs_saved == 48
    assert made.share_saved == pytest.approx(48 / 200)
    assert made.seconds_saved == pytest.approx(10 / 2 * 48)


def test_what_was_searched_is_what_the_trials_say() -> None:
    made = record()
    assert made.searched["model.code_size"] == Range(low=2, high=10)
    assert made.searched["training.learning_rate"] == Range(low=1e-4, high=1e-1, log=True)
    assert made.searched["model.neurons"] == Choices(choices=(32, 64, 128))


def test_accuracy_is_better_higher_and_the_earlier_of_equals_is_the_best() -> None:
    study = new_study(
        [trial("complete", value) for value in (0.5, 0.9, 0.7, 0.9)],
        objectives=["accuracy"],
        directions=["maximize"],
        kind="classifier",
    )
    made = record_of(study)
    assert numbers(made.ranked()) == [1, 3, 2, 0]
    assert made.best_so_far == ((0, 0.5), (1, 0.9))


@pytest.mark.parametrize(
    ("trials", "usable"),
    [
        ([], 0),
        ([trial("pruned", reports=[0.1], epochs=1)] * 3, 0),
        ([trial("pruned")], 0),
        ([trial("failed", reason="out of memory")] * 3, 0),
        ([trial("complete", 0.1, epochs=50)], 1),
        ([trial("complete", -math.inf), trial("complete", math.inf)], 0),
    ],
)
def test_a_search_without_much_in_it(trials: list[optuna.trial.FrozenTrial], usable: int) -> None:
    made = record_of(new_study(trials))
    assert len(made.usable) == usable == len(made.front)
    assert (made.best is None) == (usable == 0)
    assert len(made.best_so_far) == usable
    assert made.importances[0].shares == {}
    assert "it takes 10 complete trials" in made.importances[0].why_not
    assert made.epochs_saved == (147 if len(trials) == 3 and trials[0].intermediate_values else 50 if
                                 trials and trials[0].state.name == "PRUNED" else 0)  # fmt: skip


def test_a_trial_that_returns_no_number_has_failed_and_reports_may_hold_none() -> None:
    study = new_study()

    def objective(one: optuna.Trial) -> float:
        one.report(math.nan, 1)
        one.report(0.5, 2)
        return math.nan

    study.optimize(objective, n_trials=1)
    (only,) = record_of(study).trials
    assert only.state == "failed"
    assert only.epochs == 2
    assert math.isnan(only.reports[0][1])


def test_the_front_is_what_nothing_beats() -> None:
    draws = np.random.default_rng(0)
    points = draws.integers(0, 12, (60, 2)).astype(float).tolist()
    for directions in (["minimize", "minimize"], ["maximize", "minimize"], ["minimize", "maximize"]):
        study = new_study(
            [trial("complete", point) for point in points],
            objectives=["accuracy", "weights"],
            directions=directions,
        )
        made = record_of(study)
        assert made.best is None
        assert sorted(numbers(made.front)) == sorted(one.number for one in study.best_trials)
        last = [one.values[1] for one in made.front]
        assert last == sorted(last)


def test_importances_find_what_matters_and_are_the_same_each_time(capfd: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    study = new_study(search_like(90))
    capfd.readouterr()
    (one,), (again,) = record_of(study).importances, record_of(study).importances
    assert one == again
    assert next(iter(one.shares)) == "training.learning_rate"
    assert one.shares["training.learning_rate"] > 0.8
    assert sum(one.shares.values()) == pytest.approx(1)
    assert (one.objective, one.trials, one.why_not) == ("mse", 30, "")
    assert capfd.readouterr().err == ""
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


def test_importances_of_many_trials_are_those_of_two_hundred() -> None:
    (one,) = record_of(new_study(search_like(750, epochs=1))).importances
    assert one.trials == 200
    assert next(iter(one.shares)) == "training.learning_rate"


def test_importances_say_why_there_are_none() -> None:
    same = [trial("complete", 0.1, params={"model.code_size": 2 + number % 9}) for number in range(12)]
    assert record_of(new_study(same)).importances[0].why_not == "all complete trials have the same value"
    fixed = {"model.neurons": CategoricalDistribution([64])}
    single = [trial("complete", number / 10, space=fixed) for number in range(12)]
    assert record_of(new_study(single)).importances[0].why_not == "no setting was varied"
    chance = [trial("complete", number / 10) for number in range(12)]
    assert record_of(new_study(chance)).importances[0].why_not == "no setting was varied"
    rare = [
        trial("complete", number / 10, params={"model.code_size": 9 if number else 5}) for number in (1, 0)
    ]
    (one,) = record_of(new_study(rare * 6)).importances
    assert one.shares == {"model.code_size": 1.0}
    draws = np.random.default_rng(0)
    both = [
        trial("complete", (draws.random(), float(2 + number % 9)), params={"model.code_size": 2 + number % 9})
        for number in range(12)
    ]
    study = new_study(both, objectives=["mse", "code_size"], directions=["minimize", "minimize"])
    first, second = record_of(study).importances
    assert first.shares
    assert second.why_not == "it is itself a setting"


def test_categories_alone_can_be_searched() -> None:
    space = {name: SPACE[name] for name in ("training.optimizer", "model.neurons")}
    draws = np.random.default_rng(1)
    made = record_of(
        new_study(
            [
                trial(
                    "complete",
                    (0.1 if optimizer == "adam" else 0.2) + 0.001 * draws.random(),
                    params={"training.optimizer": optimizer, "model.neurons": 32},
                    space=space,
                )
                for optimizer in ("adam", "rmsprop") * 6
            ]
        )
    )
    assert next(iter(made.importances[0].shares)) == "training.optimizer"


def test_a_study_of_someone_else_is_refused() -> None:
    with pytest.raises(RunError, match="no kind, objectives, epochs, seed among its user attributes"):
        record_of(optuna.create_study())
    with pytest.raises(ConfigurationError, match="task must be a known one"):
        record_of(new_study(kind="gan"))


def test_a_directory_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    confirmed = [{"number": 1, "params": {}, "scores": [0.1, 0.2], "mean": 0.15, "std": 0.07, "failed": 1}]
    path = study_directory(
        tmp_path / "letters", [trial("complete", 0.2), trial("complete", 0.1)], confirmed=confirmed
    )
    before = {file: file.read_bytes() for file in path.iterdir()}
    made = read_study(path)
    assert made.best is not None
    assert made.best.number == 1
    (one,) = made.replicated
    assert (one.number, one.scores, one.failed) == (1, (0.1, 0.2), 1)
    assert one.mean == pytest.approx(0.15)
    assert one.std == pytest.approx(0.1 / math.sqrt(2))
    assert {file: file.read_bytes() for file in path.iterdir()} == before


def test_a_damaged_directory_is_refused(tmp_path: Path) -> None:
    path = study_directory(tmp_path / "letters", [trial("complete", 0.2)])
    for content in ("{", "[]", '{"trials": [{"number": 1}]}'):
        (path / "confirm.json").write_text(content)
        with pytest.raises(RunError, match=r"confirm\.json must be whole"):
            read_study(path)
    (path / "confirm.json").unlink()
    (path / "journal.log").unlink()
    with pytest.raises(RunError, match=r"journal\.log must be whole"):
        read_study(path)
    assert not (path / "journal.log").exists()
    (path / "study.json").write_text(json.dumps({"kind": "ae"}))
    with pytest.raises(RunError, match=r"study\.json must be whole"):
        read_study(path)
    with pytest.raises(RunError, match="no such directory"):
        read_study(tmp_path / "nowhere")
