"""What is said of a winner: the ends it stands on, and what seeds can and cannot tell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from latentspace.experiment.search_space import Choices, Parameter, Range, Setting
from latentspace.search.load import record_of
from latentspace.search.positions import boundary, described, in_words, labels, position
from latentspace.search.results import Replicated, StudyRecord
from latentspace.search.significance import at_boundary, comparisons, front_at_boundary, runner_up
from searches import new_study, trial

WHOLE, FEW = Range(low=200, high=1000), Range(low=2, high=10)
LINEAR, LOG = Range(low=0.0, high=2.0), Range(low=1e-4, high=1e-1, log=True)
CHOICES = Choices(choices=(64, 128, 32))


def searched(params: Mapping[str, Any], value: float = 0.1) -> StudyRecord:
    return record_of(new_study([trial("complete", value, params=params)]))


@pytest.mark.parametrize(
    ("parameter", "value", "end"),
    [
        (FEW, 10, "highest"),
        (FEW, 9, None),
        (FEW, 2, "lowest"),
        (WHOLE, 992, "highest"),
        (WHOLE, 991, None),
        (WHOLE, 208, "lowest"),
        (WHOLE, 209, None),
        (LINEAR, 1.99, "highest"),
        (LINEAR, 0.03, None),
        (LINEAR, 0.0, "lowest"),
        (LINEAR, 3.0, "highest"),
        (LOG, 0.094, "highest"),
        (LOG, 0.09, None),
        (LOG, 1.06e-4, "lowest"),
        (LOG, 1.2e-4, None),
        (CHOICES, 128, "highest"),
        (CHOICES, 64, None),
        (CHOICES, 32, "lowest"),
        (Choices(choices=(0.5,)), 0.5, None),
        (Choices(choices=("adam", "rmsprop")), "adam", None),
        (Choices(choices=(True, False)), True, None),
        (Choices(choices=(32, "auto")), 32, None),
        (Range(low=4, high=4), 4, None),
    ],
)
def test_a_value_is_on_the_edge_within_a_hundredth(
    parameter: Parameter, value: Setting, end: str | None
) -> None:
    assert boundary(parameter, value) == end


def test_places_run_from_end_to_end() -> None:
    assert [position(FEW, value) for value in (2, 6, 10)] == [0, 0.5, 1]
    assert position(LOG, 1e-3) == pytest.approx(1 / 3)
    assert [position(CHOICES, value) for value in (32, 64, 128)] == [0, 0.5, 1]
    assert position(Range(low=4, high=4), 4) == 0.5 == position(Choices(choices=("a",)), "a")
    with pytest.raises(ValueError, match="no number"):
        position(FEW, "many")
    with pytest.raises(ValueError, match="not in"):
        position(CHOICES, 16)


def test_settings_are_put_into_words() -> None:
    assert [in_words(value) for value in (10, 0.0033638, "adam", True)] == ["10", "0.003364", "adam", "True"]
    assert described(LOG) == "0.0001 to 0.1, logarithmic"
    assert described(CHOICES) == "32, 64 or 128"
    assert described(Choices(choices=("adam",))) == "adam"
    assert labels(["model.code_size", "training.epochs"]) == {
        "model.code_size": "code size",
        "training.epochs": "epochs",
    }
    assert labels(["a.x_y", "b.x_y"]) == {"a.x_y": "a.x y", "b.x_y": "b.x y"}


def test_the_edges_of_the_winner_are_named_each_with_a_sentence() -> None:
    made = record_of(
        new_study(
            [
                trial("complete", 0.1, params={"model.code_size": 10, "model.neurons": 32}),
                trial("complete", 0.2, params={"model.code_size": 10, "training.optimizer": "rmsprop"}),
                trial("complete", 0.3, params={"model.code_size": 2, "model.neurons": 32}),
            ]
        )
    )
    first, second = at_boundary(made)
    assert (first.setting, first.value, first.end, first.shared, first.of) == (
        *("model.code_size", 10, "highest"),
        *(2, 3),
    )
    assert first.sentence == (
        "code size = 10 is at the upper end of its range, 2 to 10: a better one may lie above. "
        "2 of the 3 best trials are there."
    )
    assert second.sentence == (
        "neurons = 32 is at the lower end of its choices, 32, 64 or 128: a better one may lie below. "
        "2 of the 3 best trials are there."
    )


def test_a_winner_in_the_middle_has_no_edge_and_nobody_has_none_either() -> None:
    assert at_boundary(searched({})) == ()
    assert at_boundary(record_of(new_study())) == ()


def test_a_front_has_the_edges_that_half_of_it_shares() -> None:
    sizes = (10, 10, 6, 2)
    made = record_of(
        new_study(
            [
                trial("complete", (0.1 * number, 9.0 - number), params={"model.code_size": size})
                for number, size in enumerate(sizes)
            ],
            objectives=["mse", "weights"],
            directions=["minimize", "minimize"],
        )
    )
    assert at_boundary(made) == ()
    assert front_at_boundary(made) == (
        "code size: 2 of the 4 trials on the front take the highest of 2 to 10.",
    )


def confirmed(*scores: Sequence[float], maximise: bool = False, trials: int = 3) -> StudyRecord:
    """Trials, 0.1 apart, the first the best; the first ones of them trained again."""
    values = [0.9 - 0.1 * at if maximise else 0.1 + 0.1 * at for at in range(trials)]
    study = new_study(
        [trial("complete", value) for value in values],
        directions=["maximize" if maximise else "minimize"],
        objectives=["accuracy" if maximise else "mse"],
    )
    again = tuple(
        Replicated(number=number, params={}, scores=tuple(own), failed=0) for number, own in enumerate(scores)
    )
    return replace(record_of(study), replicated=again)


def test_the_margin_is_welchs() -> None:
    (one,) = comparisons(confirmed([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]))
    assert (one.best, one.other) == (0, 1)
    assert one.lead == pytest.approx(0.1)
    assert one.difference == pytest.approx(3.0)
    assert one.margin == pytest.approx(2.776 * (1 / 3 + 1 / 3) ** 0.5, rel=1e-3)  # four degrees of freedom


def test_the_margin_is_a_95_percent_interval_also_beyond_ten_degrees_of_freedom() -> None:
    """Seven seeds each, both of variance 14/3: 12 degrees of freedom, for which tables give t = 2.179."""
    scores = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    (one,) = comparisons(confirmed(scores, [score + 1 for score in scores]))
    assert one.margin == pytest.approx(2.179 * (4 / 3) ** 0.5, rel=1e-3)


def test_the_margin_grows_with_the_number_of_rivals() -> None:
    """Two rivals: each interval at 97.5 %, t = 3.495 with four degrees of freedom (tables: 0.0125 a side)."""
    made = comparisons(confirmed([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [3.0, 4.0, 5.0]))
    assert [one.other for one in made] == [1, 2]
    for one in made:
        assert one.margin == pytest.approx(3.495 * (2 / 3) ** 0.5, rel=1e-3)
        assert "(95% for 2 comparisons together)" in one.sentence


def test_an_equal_winner_is_reversed__by_the_luckiest_of_many_in_one_of_twenty_at_most() -> None:
    """The rule itself, on 400 records whose five trials are all alike: only luck sets them apart."""
    draws = np.random.default_rng(0)
    wrong = sum(
        any(one.reversed for one in comparisons(confirmed(*draws.normal(size=(5, 4)).tolist(), trials=5)))
        for _ in range(400)
    )
    assert wrong <= 0.05 * 400


def test_scores_that_are_all_the_same_on_one_side_have_an_interval_too() -> None:
    (one,) = comparisons(confirmed([0.1, 0.1, 0.1], [0.2, 0.21, 0.22]))
    assert one.margin == pytest.approx(4.303 * (0.01**2 / 3) ** 0.5, rel=1e-3)  # two degrees of freedom


@pytest.mark.parametrize(
    ("scores", "reversed_", "said"),
    [
        (([0.11, 0.12, 0.13], [0.12, 0.13, 0.11]), False, "the lead may be chance alone"),
        (
            ([0.10, 0.101, 0.102], [0.15, 0.151, 0.152]),
            False,
            "is significant, though 50% of it was chance",
        ),
        (([0.10, 0.101, 0.102], [0.25, 0.251, 0.252]), False, "the lead is significant."),
        (
            ([0.20, 0.201, 0.202], [0.15, 0.151, 0.152]),
            True,
            "was chance: trial 1 is significantly better",
        ),
        (([0.1], [0.2]), False, "With fewer than two seeds each"),
        (([0.1, 0.1], [0.2, 0.2]), False, "were they truly different?"),
    ],
)
def test_the_sentence_claims_no_more_than_the_seeds_show(
    scores: tuple[list[float], list[float]], reversed_: bool, said: str
) -> None:
    (one,) = comparisons(confirmed(*scores))
    assert said in one.sentence
    assert one.reversed == reversed_


def test_the_facts_stand_before_the_conclusion() -> None:
    (one,) = comparisons(confirmed([0.20, 0.201, 0.202], [0.15, 0.151]))
    assert one.sentence.startswith(
        "In the search trial 0 led trial 1 by 0.1. Trained again from 3 and 2 seeds, it falls behind by "
        "0.0505 in the mean, and a difference of up to "
    )


def test_higher_is_better_for_an_accuracy() -> None:
    (one,) = comparisons(confirmed([0.7, 0.701, 0.702], [0.8, 0.801, 0.802], maximise=True))
    assert one.lead == pytest.approx(0.1)
    assert one.difference == pytest.approx(-0.1)
    assert one.reversed


def test_a_third_that_is_best_in_the_mean_is_compared_too() -> None:
    made = confirmed([0.2, 0.201, 0.202], [0.3, 0.301, 0.302], [0.1, 0.101, 0.102])
    assert [(one.other, one.reversed) for one in comparisons(made)] == [(1, False), (2, True)]


def test_nothing_is_said_of_what_was_not_trained_again() -> None:
    assert comparisons(confirmed()) == ()
    assert comparisons(confirmed([0.1, 0.2])) == ()
    assert comparisons(confirmed([], [0.1, 0.2])) == ()
    assert comparisons(record_of(new_study())) == ()
    second = runner_up(confirmed())
    assert second is not None
    assert second.number == 1
    assert runner_up(searched({})) is None
