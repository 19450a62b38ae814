"""A finite space: no combination is tried twice, and a search of it ends when there is none left."""

import optuna
import pytest
from optuna.trial import TrialState

from latentspace.experiment.search_space import Choices, Range
from latentspace.search.combinations import Combinations
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.heartbeat import Heartbeat
from latentspace.search.notes import trials_of
from latentspace.search.request import SearchRequest, draft
from latentspace.search.run import search
from latentspace.search.sampler import NumberedSampler
from latentspace.search.space import distributions
from latentspace.search.trials import begin
from latentspace.studies.pipeline import SearchStep
from runner import call
from small_search import run_all

SPACE = {
    "a": Range(low=1, high=3),
    "b": Choices(choices=("x", "y")),
    "c": Range(low=4, high=4),
    "d": Range(low=1, high=8, log=True),
}
ELSEWHERE = Heartbeat("1@elsewhere", "none")


def test_combinations_are_counted():
    assert Combinations.of(SPACE).count == 3 * 2 * 1 * 8
    assert Combinations.of({**SPACE, "e": Range(low=0.0, high=1.0)}) is None
    assert Combinations.of({**SPACE, "e": Range(low=0.5, high=0.5)}).count == 3 * 2 * 8
    assert Combinations.of({"n": Range(low=1, high=10**30)}) is None


def test_every_untried_combination_is_found_and_no_other():
    combinations = Combinations.of(SPACE)
    tried = set()
    while found := combinations.another(tried, seed=7):
        assert found["c"] == 4
        tried.add(combinations.key(found))
    assert len(tried) == combinations.count
    assert combinations.key({"a": 9, "b": "x", "c": 4, "d": 1}) is None
    assert combinations.key({"a": 1}) is None


@pytest.mark.parametrize("objectives", [1, 2])
def test_no_combination_is_suggested_twice(objectives):
    space = {"a": Range(low=1, high=4), "b": Choices(choices=("x", "y", "z")), "c": Range(low=4, high=4)}
    words, combinations = distributions(space), Combinations.of(space)
    study = optuna.create_study(
        directions=["minimize"] * objectives, sampler=NumberedSampler(0, objectives, words, combinations)
    )
    for _ in range(combinations.count):
        trial = study.ask(words)
        study.tell(trial, [trial.params["a"]] * objectives)
    assert len({tuple(one.params.items()) for one in study.trials}) == combinations.count == 12
    assert combinations.left(trials_of(study)) == 0


def test_suggestions_that_are_no_repeats_stay_what_they_were():
    """In a large finite space a search is the same as with the plain estimator."""
    space = {"a": Range(low=1, high=10**6), "b": Choices(choices=("x", "y"))}
    words = distributions(space)
    drawn = []
    for sampler in (NumberedSampler(0, 1), NumberedSampler(0, 1, words, Combinations.of(space))):
        study = optuna.create_study(sampler=sampler)
        for _ in range(14):
            trial = study.ask(words)
            study.tell(trial, trial.params["a"])
        drawn.append([one.params for one in study.trials])
    assert drawn[0] == drawn[1]


RECIPE = """
[ae.model]
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8
[ae.search]
trials = 12
epochs = 1
[ae.search.space]
"model.code_size" = { choices = [2, 3] }
"training.batch_size" = { choices = [30, 60] }
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def asked(archive, recipe):
    changes = {"data": {"spec": str(archive)}, "threads": 1, "precision": "32", "seed": 3}
    return SearchRequest(kind="ae", recipe=str(recipe), changes=changes, workers=1)


@pytest.fixture
def trials(tmp_path, asked):
    plan, _ = draft(asked, tmp_path / "study", resume=False)
    return begin(plan, tmp_path / "study", None, resume=False)


def test_a_search_ends_when_its_space_is_exhausted(trials):
    assert trials.progress().asked == 4
    ended = run_all(trials)
    assert len({tuple(one.params.items()) for one in ended}) == len(ended) == 4
    assert [one.state for one in ended] == [TrialState.COMPLETE] * 4
    progress = trials.progress()
    assert (progress.asked, progress.counted) == (4, 4)
    assert trials.progress(asked=3).asked == 3
    assert list(search(trials, LocalExecutor(), workers=1))[-1] == progress  # no worker is started


def test_a_reproduction_does_not_wait_for_trials_that_cannot_be(trials, asked):
    step = SearchStep("the search", trials.directory, 2, lambda: asked)
    assert (step.size, step.is_done) == (12, False)
    run_all(trials)
    training = step.final_training(trials)
    list(training.records())
    assert not step.is_done
    step.evaluate_once(training.run)
    assert step.is_done


def test_a_lost_trial_is_run_again_before_the_space_is_exhausted(trials):
    first = trials.next(ELSEWHERE)
    others = [trials.next(ELSEWHERE) for _ in range(3)]
    assert trials.next(ELSEWHERE) is None
    trials.lose(0, "its worker was killed")
    assert trials.progress().asked == 4
    again = trials.next(ELSEWHERE)
    assert again.params == first.params
    assert trials.next(ELSEWHERE) is None
    for one in (*others, again):
        trials.study.tell(one, 0.1)
    assert (trials.progress().asked, trials.progress().counted) == (4, 4)


def test_an_exhausted_space_is_said(archive, trials):
    run_all(trials)
    code, _, said = call(["search", "--out", str(trials.directory), "--resume", "--no-final"])
    assert code == 0, said
    assert "the space has 4 combinations: each is tried once, no more" in said
    assert "every combination of the space was tried: there is nothing left to search" in said
