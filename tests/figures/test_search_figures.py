"""The figures of a search show the trials' own numbers; what cannot be shown well is left out and said."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from latentspace.errors import ConfigurationError, RunError
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
from latentspace.figures.values import objective_label, thinned, value_axis
from latentspace.ranges import Choices, Range
from latentspace.search.reading import record_of
from latentspace.search.record import Importances, StudyRecord, TrialRecord
from searches import MIDDLE, SPACE, new_study, search_like, trial


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def small() -> StudyRecord:
    return record_of(
        new_study(
            [
                trial("complete", 0.04, reports=[0.06, 0.05, 0.04], params={"model.code_size": 2}),
                trial("pruned", reports=[0.09, 0.08]),
                trial("failed", reason="no number"),
                trial("complete", 0.03, reports=[0.07, math.nan, 0.03], params={"model.code_size": 10}),
                trial("complete", math.inf),
                trial("complete", 0.05, params={"training.learning_rate": 0.1, "model.neurons": 128}),
                trial("lost", reports=[0.2]),
            ],
            published=0,
        )
    )


def many(count: int) -> StudyRecord:
    """Trials of fifty reports each, without Optuna: two of three pruned."""
    draws = np.random.default_rng(0)
    trials = []
    for number in range(count):
        params = {**MIDDLE, "model.code_size": int(draws.integers(2, 11)), "training.batch_size": 300}
        reports = tuple((epoch, float(0.2 / epoch + draws.random() / 10 + 0.02)) for epoch in range(1, 51))
        whole = number % 3 == 0
        trials.append(
            TrialRecord(
                number,
                "complete" if whole else "pruned",
                params,
                (reports[-1][1],) if whole else (),
                reports if whole else reports[:6],
            )
        )
    return replace(record_of(new_study([trial("complete", 0.1)])), trials=tuple(trials))


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def dots(figure: Figure, panel: int = 0) -> list[list[float]]:
    return [
        point
        for one in figure.axes[panel].collections
        if isinstance(one, PathCollection)
        for point in np.asarray(one.get_offsets()).tolist()
    ]


def test_the_history_is_the_trials() -> None:
    history = search_history(small())
    assert history.complete.numbers.tolist() == [0, 3, 5]
    assert history.complete.values.tolist() == [0.04, 0.03, 0.05]
    assert history.pruned.numbers.tolist() == [1]
    assert history.pruned.values.tolist() == [0.08]
    assert history.best.numbers.tolist() == [0, 3, 6]
    assert history.best.values.tolist() == [0.04, 0.03, 0.03]
    assert history.failed.tolist() == [2, 6]
    assert history.published == (0, 0.04)
    assert history.axis.title == "validation mean squared error a pixel"
    figure = draw_history(history)
    assert sorted(dots(figure)) == [[0, 0.04], [1, 0.08], [3, 0.03], [5, 0.05]]
    assert legend(figure) == [
        "pruned, at its last value: 1",
        "complete: 3",
        "best so far: 0.03",
        "failed or lost: 2",
        "the report's best parameters",
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
    assert objective_label("mse") == "validation mean squared error a pixel"
    assert objective_label("code_size") == "code size"


def test_bars_are_the_importances() -> None:
    shares = {"training.learning_rate": 0.75, "model.code_size": 0.25}
    made = replace(small(), importances=(Importances("mse", shares, 40), Importances("x", {}, 0, "no")))
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
    (panel,) = importance_bars(replace(small(), importances=(Importances("mse", shares, 40),)))
    assert len(panel.names) == 16
    assert panel.names[-1] == "5 others"
    assert sum(panel.shares) == pytest.approx(1)


def test_slices_show_every_setting_over_its_range() -> None:
    slices = search_slices(small())
    panels = {panel.name: panel for panel in slices.panels}
    assert list(panels) == ["code size", "batch size", "optimizer", "learning rate", "neurons"]
    size = panels["code size"]
    assert size.places.tolist() == [2, 10, 5]
    assert size.values.tolist() == [0.04, 0.03, 0.05]
    assert size.numbers.tolist() == [0, 3, 5]
    assert (size.low, size.high, size.log, size.winner) == (2, 10, False, (10, 0.03))
    assert panels["learning rate"].log
    neurons = panels["neurons"]
    assert neurons.choices == ("32", "64", "128")
    assert neurons.places.tolist() == [1, 1, 2]
    assert neurons.winner == (1, 0.03)
    figure = draw_slices(slices)
    assert len(figure.axes) == 5
    low, high = figure.axes[0].get_xlim()
    assert low < 2 < 10 < high
    drawn = dots(figure, 0)
    assert drawn == [[2, 0.04], [10, 0.03], [5, 0.05]]
    assert figure.axes[3].get_xscale() == "log"
    assert [label.get_text() for label in figure.axes[4].get_xticklabels()] == ["32", "64", "128"]


def test_the_most_important_setting_comes_first_and_the_last_are_left_out() -> None:
    made = replace(
        small(), importances=(Importances("mse", {"model.neurons": 0.6, "model.code_size": 0.4}, 30),)
    )
    assert [panel.name for panel in search_slices(made).panels[:2]] == ["neurons", "code size"]
    wide = {f"model.s{number:02}": Range(low=0, high=1) for number in range(15)}
    slices = search_slices(replace(small(), searched=wide))
    assert len(slices.panels) == 12
    assert slices.left_out == ("s12", "s13", "s14")
    draw_slices(slices)


def test_parallel_lines_pass_through_the_settings() -> None:
    parallel = parallel_coordinates(small())
    names = [coordinate.name for coordinate in parallel.coordinates]
    assert names == ["code size", "batch size", "optimizer", "learning rate", "neurons", "mse"]
    assert parallel.lines.shape == (3, 6)
    assert parallel.lines[:, 0].tolist() == [0.375, 0.0, 1.0]  # the worst first
    assert parallel.lines[0, 3] == pytest.approx(1.0)
    assert np.abs(parallel.lines[:, 4] - [1.0, 0.5, 0.5]).max() < 0.026
    assert (np.diff(parallel.lines[:, 5]) < 0).all()
    assert dict(parallel.coordinates[0].ticks)[0.0] == "2"
    assert [text for _, text in parallel.coordinates[3].ticks] == ["0.0001", "0.001", "0.01", "0.1"]
    assert [text for _, text in parallel.coordinates[4].ticks] == ["32", "64", "128"]
    figure = draw_parallel(parallel)
    (lines,) = [one for one in figure.axes[0].collections if isinstance(one, LineCollection)]
    assert len(lines.get_segments()) == 3


def test_reported_values_tell_pruned_trials_apart() -> None:
    reported = reported_values(small())
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
        search_front(small())


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


def test_categories_alone_are_drawn() -> None:
    space = {"training.optimizer": SPACE["training.optimizer"]}
    made = record_of(new_study([trial("complete", 0.1 + 0.01 * n, space=space) for n in range(3)]))
    assert made.searched == {"training.optimizer": Choices(choices=("adam", "rmsprop"))}
    assert search_slices(made).panels[0].places.tolist() == [0, 0, 0]
    assert png(draw_slices(search_slices(made))).startswith(b"\x89PNG")
    assert png(draw_parallel(parallel_coordinates(made))).startswith(b"\x89PNG")


def test_equal_searches_give_equal_figures() -> None:
    one, other = (record_of(new_study(search_like(12))) for _ in range(2))
    assert png(draw_slices(search_slices(one))) == png(draw_slices(search_slices(other)))


def test_thousands_of_trials_are_drawn_thinly_and_soon() -> None:
    made = many(6000)
    began = time.process_time()
    parallel, reported = parallel_coordinates(made), reported_values(made)
    assert (len(parallel.lines), parallel.trials) == (400, 2000)
    assert (len(reported.complete), reported.complete_trials) == (250, 2000)
    assert (len(reported.pruned), reported.pruned_trials) == (250, 4000)
    best = made.best
    assert best is not None
    assert reported.best is not None
    assert reported.best[-1, 1] == best.values[0]
    for figure in (
        draw_history(search_history(made)),
        draw_slices(search_slices(made)),
        draw_parallel(parallel),
        draw_reported(reported),
    ):
        png(figure)
    assert time.process_time() - began < 20


def test_thinning_keeps_both_ends() -> None:
    trials = many(30).trials
    assert thinned(trials, 30) is trials
    kept = thinned(trials, 4)
    assert [one.number for one in kept] == [0, 10, 19, 29]
