"""Slices and parallel coordinates: every setting over its range; and thousands of trials, drawn thinly."""

import time
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from latentspace.experiment.search_space import Choices, Range
from latentspace.figures import (
    draw_history,
    draw_parallel,
    draw_reported,
    draw_slices,
    parallel_coordinates,
    png,
    reported_values,
    search_history,
    search_slices,
)
from latentspace.figures.search.values import thinned
from latentspace.search.load import record_of
from latentspace.search.results import Importances
from looking import dots
from searches import SPACE, many_trials, new_study, search_like, small_search, trial


def test_slices_show_every_setting_over_its_range() -> None:
    slices = search_slices(small_search())
    panels = {panel.name: panel for panel in slices.panels}
    assert list(panels) == ["code size", "batch size", "optimizer", "learning rate", "neurons"]
    size = panels["code size"]
    assert size.places.tolist() == [2, 10, 5]
    assert size.values.tolist() == [0.04, 0.03, 0.05]
    assert size.numbers.tolist() == [0, 3, 5]
    assert (size.low, size.high, size.log, size.best) == (2, 10, False, (10, 0.03))
    assert panels["learning rate"].log
    neurons = panels["neurons"]
    assert neurons.choices == ("32", "64", "128")
    assert neurons.places.tolist() == [1, 1, 2]
    assert neurons.best == (1, 0.03)
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
        small_search(), importances=(Importances("mse", {"model.neurons": 0.6, "model.code_size": 0.4}, 30),)
    )
    assert [panel.name for panel in search_slices(made).panels[:2]] == ["neurons", "code size"]
    wide = {f"model.s{number:02}": Range(low=0, high=1) for number in range(15)}
    slices = search_slices(replace(small_search(), searched=wide))
    assert len(slices.panels) == 12
    assert slices.left_out == ("s12", "s13", "s14")
    draw_slices(slices)


def test_parallel_lines_pass_through_the_settings() -> None:
    parallel = parallel_coordinates(small_search())
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
    made = many_trials(3000)
    began = time.process_time()
    parallel, reported = parallel_coordinates(made), reported_values(made)
    assert (len(parallel.lines), parallel.trials) == (400, 1000)
    assert (len(reported.complete), reported.complete_trials) == (250, 1000)
    assert (len(reported.pruned), reported.pruned_trials) == (250, 2000)
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
    trials = many_trials(30).trials
    assert thinned(trials, 30) is trials
    kept = thinned(trials, 4)
    assert [one.number for one in kept] == [0, 10, 19, 29]
