"""A suggestion is a function of the seed, the trial's number and the history; the pruner is the report's."""

import optuna
import pytest

from latentspace.experiment.search_space import Range, SearchConfig
from latentspace.search.sampler import RANDOM_TRIALS, NumberedSampler, pruner_of, seed_of
from latentspace.search.space import distributions

SPACE = distributions({"x": Range(low=-3.0, high=3.0), "n": Range(low=1, high=9)})


def history(seed: int, trials: int, breaks: int = 0) -> list[dict[str, float]]:
    """Parameters of `trials` trials; the sampler is made anew every `breaks` trials, as by a restart."""
    study = optuna.create_study(sampler=NumberedSampler(seed, 1))
    for number in range(trials):
        if breaks and number % breaks == 0:
            study.sampler = NumberedSampler(seed, 1)
        trial = study.ask(SPACE)
        study.tell(trial, trial.params["x"] ** 2 + trial.params["n"])
    return [one.params for one in study.trials]


def test_suggestions_do_not_depend_on_who_asks_or_on_restarts():
    whole = history(0, RANDOM_TRIALS + 6)
    assert whole == history(0, RANDOM_TRIALS + 6, breaks=3)
    assert whole == history(0, RANDOM_TRIALS + 6, breaks=1)
    assert whole != history(1, RANDOM_TRIALS + 6)


def test_trials_are_not_alike():
    assert len({tuple(one.items()) for one in history(0, RANDOM_TRIALS)}) == RANDOM_TRIALS


def test_it_learns_from_what_was_tried():
    tried = history(0, 40)
    late = sum(one["x"] ** 2 + one["n"] for one in tried[-10:]) / 10
    early = sum(one["x"] ** 2 + one["n"] for one in tried[:10]) / 10
    assert late < early / 1.5


def test_seeds_are_many_and_their_streams_apart():
    seeds = {
        seed_of(seed, stream, n)
        for seed in (0, 1)
        for stream in ("suggestion", "training", "replication")
        for n in range(50)
    }
    assert len(seeds) == 300
    assert seed_of(0, "training", 3) == seed_of(0, "training", 3)
    assert 0 <= min(seeds) <= max(seeds) < 2**32


def pruned_at(scores: list[float], complete: int, direction: str = "minimize") -> int | None:
    """The epoch, counted from 1, in which a trial is pruned after `complete` trials whose scores were 1."""
    search = SearchConfig(space={"x": Range(low=0, high=1)})
    study = optuna.create_study(pruner=pruner_of(search, 1), direction=direction)
    for _ in range(complete):
        trial = study.ask()
        for epoch in range(1, 51):
            trial.report(1.0, epoch)
        study.tell(trial, 1.0)
    trial = study.ask()
    for epoch, score in enumerate(scores, start=1):
        trial.report(score, epoch)
        if trial.should_prune():
            return epoch
    return None


def test_nothing_is_pruned_before_five_trials_or_in_the_first_five_epochs():
    assert pruned_at([2.0] * 20, complete=4) is None
    assert pruned_at([2.0] * 20, complete=5) == 6


def test_one_good_epoch_spares_a_trial():
    assert pruned_at([2.0, 0.5, *[2.0] * 20], complete=5) is None


def test_a_maximised_score_is_pruned_from_below():
    assert pruned_at([0.5] * 20, complete=5, direction="maximize") == 6
    assert pruned_at([2.0] * 20, complete=5, direction="maximize") is None


def test_several_objectives_are_not_pruned():
    search = SearchConfig(space={"x": Range(low=0, high=1)})
    assert isinstance(pruner_of(search, 2), optuna.pruners.NopPruner)


@pytest.mark.parametrize("objectives", [1, 2])
def test_no_setting_of_the_sampler_is_about_to_go(objectives):
    """Warnings are errors in these tests: a deprecated or experimental argument would be one."""
    study = optuna.create_study(directions=["minimize"] * objectives, sampler=NumberedSampler(0, objectives))
    for _ in range(RANDOM_TRIALS + 2):
        trial = study.ask(SPACE)
        study.tell(trial, [trial.params["x"]] * objectives)
    assert len(study.trials) == RANDOM_TRIALS + 2
