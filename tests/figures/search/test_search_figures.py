"""The figures of a search show the trials' own numbers; what cannot be shown well is left out and said."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest

from latentspace.core.errors import ConfigurationError, RunError
from latentspace.figures import (
    draw_front,
    draw_history,
    draw_importances,
    draw_parallel,
    draw_reported,
    draw_slices,
    importance_bars,
    parallel_coordinates,
    png,
    reported_values,
    search_front,
    search_history,
    search_slices,
)
from latentspace.figures.search.values import objective_label, value_axis
from latentspace.search.load import record_of
from latentspace.search.results import Importances
from looking import dots, legend
from searches import new_study, small_search, trial


def test_the_history_is_the_trials() -> None:
    history = search_history(small_search())
    assert history.complete.numbers.tolist() == [0, 3, 5]
    assert history.complete.values.tolist() == [0.04, 0.03, 0.05]
    assert history.pruned.numbers.tolist() == [1]
    assert history.pruned.values.tolist() == [0.08]
    assert history.best.numbers.tolist() == [0, 3, 6]
    assert history.best.values.tolist() == [0.04, 0.03, 0.03]
    assert history.failed.tolist() == [2, 6]
    assert history.published == (0, 0.04)
    assert history.axis.title == "validation mean squared error per pixel"
    figure = draw_history(history)
    assert sorted(dots(figure)) == [[0, 0.04], [1, 0.08], [3, 0.03], [5, 0.05]]
    assert legend(figure) == [
        "pruned, at its last value: 1",
        "complete: 3",
        "best so far: 0.03",
        "failed or lost: 2",
        "the default settings",
    ]


def test_the_best_of_an_accuracy_climbs() -> None:
    study = new_study(
        [trial("complete", value) for value in (0.5, 0.9, 0.7)],
        objectives=["accuracy"],
        directions=["maximize"],
    )
    history = search_history(record_of(study))
    assert history.best.values.tolist() == [0.5, 0.9, 0.9]
    assert history.axis.label == "validation accuracy, share of the images"


@pytest.mark.parametrize(
    ("values", "direction", "log", "shown", "hidden"),
    [
        ([0.03, 0.04, 0.05], "minimize", False, [0.03, 0.05], []),
        ([0.03, 0.04, 0.3], "minimize", True, [0.03, 0.04], []),
        ([0.03, 0.031, 0.032, 0.15], "minimize", False, [0.03, 0.032], [0.15]),
        ([0.03, 0.031, 0.032, 1e9], "minimize", True, [0.03, 0.032], [1e9]),
        ([-100.0, -99.0, -98.0, 1e6], "minimize", False, [-100, -98], [1e6]),
        ([0.9, 0.89, 0.88, 0.2], "maximize", False, [0.88, 0.9], [0.2]),
        ([0.5], "minimize", False, [0.5], []),
        ([0.0, 0.0], "maximize", False, [0.0], []),
        ([0.1, 0.1, 0.1, 0.4], "minimize", False, [0.1, 0.4], []),
        ([math.nan, 0.1, math.inf], "minimize", False, [0.1], []),
    ],
)
def test_an_axis_tells_the_good_values_apart(
    values: list[float], direction: Any, log: bool, shown: list[float], hidden: list[float]
) -> None:
    axis = value_axis(values, "mse", direction)
    assert axis.log == log
    assert axis.low < axis.high
    assert axis.beyond(np.array(shown, dtype=np.float64)) == 0
    assert axis.beyond(np.array(hidden, dtype=np.float64)) == len(hidden)
    assert axis.title.endswith("log scale") == log
    places = axis.places(np.array(sorted([*shown, *hidden]), dtype=np.float64))
    assert (np.diff(places) > 0).all()
    assert ((places >= 0) & (places <= 1)).all()


def test_values_off_the_axis_stand_on_its_edge_and_are_counted() -> None:
    study = new_study([trial("complete", value) for value in (0.03, 0.031, 0.032, 0.15)])
    history = search_history(record_of(study))
    assert history.beyond == 1
    figure = draw_history(history)
    assert max(point[1] for point in dots(figure)) == history.axis.high
    assert "(1 off the axis, on its edge)" in legend(figure)


def test_objectives_have_their_names() -> None:
    assert objective_label("mse") == "validation mean squared error per pixel"
    assert objective_label("code_size") == "code size"


def test_bars_are_the_importances() -> None:
    shares = {"training.learning_rate": 0.75, "model.code_size": 0.25}
    made = replace(
        small_search(), importances=(Importances("mse", shares, 40), Importances("x", {}, 0, "no"))
    )
    (panel,) = importance_bars(made)
    assert panel.names == ("learning rate", "code size")
    assert panel.shares == (0.75, 0.25)
    figure = draw_importances((panel,))
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["learning rate", "code size"]
    assert [text.get_text() for text in axes.texts] == ["75.0%", "25.0%"]


def test_the_least_important_share_a_bar() -> None:
    shares = {f"model.s{number}": 1 / 20 for number in range(20)}
    (panel,) = importance_bars(replace(small_search(), importances=(Importances("mse", shares, 40),)))
    assert len(panel.names) == 16
    assert panel.names[-1] == "5 others"
    assert sum(panel.shares) == pytest.approx(1)


def test_reported_values_tell_pruned_trials_apart() -> None:
    reported = reported_values(small_search())
    assert [line[:, 0].tolist() for line in reported.complete] == [[1, 2, 3], [1, 2, 3]]
    assert reported.best is not None
    assert reported.best[[0, 2], 1].tolist() == [0.07, 0.03]
    assert math.isnan(reported.best[1, 1])
    (pruned,) = reported.pruned
    assert pruned.tolist() == [[1, 0.09], [2, 0.08]]
    figure = draw_reported(reported)
    assert legend(figure) == ["pruned where it ends: 1", "complete: 2", "the best"]
    (crosses,) = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert np.asarray(crosses.get_xydata()).tolist() == [[2, 0.08]]


def test_pruned_trials_alone_are_drawn() -> None:
    reported = reported_values(record_of(new_study([trial("pruned", reports=[0.1])] * 2)))
    assert reported.best is None
    assert legend(draw_reported(reported)) == ["pruned where it ends: 2"]


@pytest.mark.parametrize(
    ("directions", "front", "style"),
    [
        (["minimize", "minimize"], [[2, 0.3], [4, 0.2], [8, 0.1]], "steps-post"),
        (["minimize", "maximize"], [[8, 0.1]], "steps-pre"),
        (["maximize", "minimize"], [[2, 0.3], [4, 0.4]], "steps-post"),
    ],
)
def test_the_front_is_drawn_as_a_staircase(
    directions: Sequence[str], front: list[list[float]], style: str
) -> None:
    values = [(0.3, 2.0), (0.2, 4.0), (0.4, 4.0), (0.1, 8.0)]
    study = new_study(
        [trial("complete", one) for one in values],
        objectives=["mse", "code_size"],
        directions=directions,
        published=1,
    )
    made = search_front(record_of(study))
    assert made.front.tolist() == front
    assert made.published == (4.0, 0.2)
    figure = draw_front(made)
    (axes,) = figure.axes
    line = next(line for line in axes.lines if line.get_label() == f"the front: {len(front)}")
    assert np.asarray(line.get_xydata()).tolist() == front
    assert line.get_drawstyle() == style
    assert axes.get_xlabel() == "code size"
    assert [text.get_text() for text in axes.texts] == [str(number) for number in made.numbers]


def test_a_front_needs_two_objectives() -> None:
    with pytest.raises(ConfigurationError, match="1: mse"):
        search_front(small_search())


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial("pruned"), trial("failed", reason="no number")],
        [trial("complete", math.inf)],
        [trial("running")],
    ],
)
def test_a_search_without_a_value_is_not_drawn(trials: list[optuna.trial.FrozenTrial]) -> None:
    made = record_of(new_study(trials))
    for data in (search_history, search_slices, parallel_coordinates):
        with pytest.raises(RunError, match="none of them such"):
            data(made)
    with pytest.raises(RunError, match="none of them such"):
        reported_values(made)
    with pytest.raises(RunError, match="it takes 10 complete trials"):
        importance_bars(made)


def test_one_trial_is_drawn() -> None:
    made = record_of(new_study([trial("complete", 0.1, reports=[0.1])]))
    for figure in (
        draw_history(search_history(made)),
        draw_slices(search_slices(made)),
        draw_parallel(parallel_coordinates(made)),
        draw_reported(reported_values(made)),
    ):
        assert png(figure).startswith(b"\x89PNG")
