"""The error against noise, the accuracy against labels, the confusion matrix: what is drawn is the record."""

from itertools import pairwise

import numpy as np
import pytest

from latentspace.core.errors import DataError
from latentspace.evaluation.baselines import BaselineRecord, Fewer
from latentspace.evaluation.confusion import Confusion
from latentspace.evaluation.denoising import NOISY, DenoisingRecord
from latentspace.figures import (
    code_size_caption,
    code_size_plot,
    draw_confusion,
    draw_series,
    labels_caption,
    labels_plot,
    noise_caption,
    noise_plot,
)

NOISE = DenoisingRecord(
    levels=(0.0, 0.1, 0.5),
    errors={"it": (0.03, 0.04, 0.1), NOISY: (0.0, 0.01, 0.25)},
    filters=("none", "a", "a"),
    images=9,
    chosen_on=5,
)
LABELS = BaselineRecord(
    heads={"codes": 0.9},
    neighbours={"codes": 0.8},
    k={"codes": 3},
    chance=0.1,
    fewer=(
        Fewer(labels=10, accuracies={"codes": (0.2, 0.3, 0.7)}),
        Fewer(labels=5000, accuracies={"codes": (0.9,)}),
    ),
    steps=840,
    fewer_steps=300,
    evaluated=400,
)


def test_a_line_for_each_method_over_the_levels():
    plot = noise_plot(NOISE)
    assert [series.name for series in plot.series] == ["it", NOISY]
    (axes,) = draw_series(plot).axes
    drawn = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in axes.lines}
    assert drawn["it"] == [[0.0, 0.03], [0.1, 0.04], [0.5, 0.1]]
    assert [line.get_linestyle() for line in axes.lines] == ["-", ":"]


def test_the_noise_caption_names_the_filters_at_their_levels():
    text = noise_caption(NOISE, trained_at="noise").text
    assert "none at 0; a at 0.1, 0.5" in text
    assert "5 validation images" in text


def test_fewer_labels_have_a_mean_and_a_range():
    plot = labels_plot(LABELS)
    (series,) = plot.series
    assert plot.points.tolist() == [10, 5000]
    assert series.middle.tolist() == pytest.approx([0.4, 0.9])
    assert (series.lowest.tolist(), series.highest.tolist()) == ([0.2, 0.9], [0.7, 0.9])
    figure = draw_series(plot)
    figure.draw_without_rendering()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["10", "5,000"]
    text = labels_caption(LABELS).text
    assert "840 steps with all labels, about 300 with fewer" in text
    assert "3 times" in text


@pytest.mark.parametrize("sizes", [range(1, 17), [1, 2, 4, 9, 60, 900, 1000], [5]])
def test_numbers_under_a_log_scale_do_not_run_into_each_other(sizes):
    figure = draw_series(code_size_plot(sizes, [1 / size for size in sizes]))
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = [one.get_window_extent() for one in axes.get_xticklabels() if one.get_text()]
    assert axes.get_xticklabels()[-1].get_text() == f"{sizes[-1]:,}"
    assert len(boxes) > len(sizes) // 2
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_a_number_that_is_none_is_refused():
    with pytest.raises(DataError, match="finite"):
        noise_plot(NOISE.model_copy(update={"levels": (0.0,), "errors": {"it": (float("nan"),)}}))


def test_the_matrix_prints_its_counts_but_for_zeros():
    counts = np.array([[5, 0], [2, 3]])
    (axes,) = draw_confusion(Confusion(counts, ("A", "B"))).axes
    printed = {
        (int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts
    }
    assert printed == {(0, 0): "5", (1, 0): "2", (1, 1): "3"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B"]


@pytest.mark.parametrize("classes", [2, 20, 30, 62, 300])
def test_the_names_beside_the_matrix_do_not_lie_over_each_other(classes):
    names = tuple(f"class {number:03}" for number in range(classes))
    figure = draw_confusion(Confusion(np.eye(classes, dtype=np.int64), names))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for labels, side in ((axes.get_yticklabels(), "y"), (axes.get_xticklabels(), "x")):
        boxes = [label.get_window_extent() for label in labels]
        edges = sorted((getattr(box, f"{side}0"), getattr(box, f"{side}1")) for box in boxes)
        assert all(end <= start + 1 for (_, end), (start, _) in pairwise(edges))
        assert min(label.get_fontsize() for label in labels) >= 5
    assert axes.get_yticklabels()[0].get_text() == "class 000"
    assert len(axes.get_yticklabels()) >= min(classes, 30)


def test_the_numbers_that_are_enough_are_counted() -> None:
    assert "1 number of 8 comes within" in code_size_caption([1, 2, 8], [0.1, 0.1, 0.1], images=9).text
    assert "2 numbers of 8 come within" in code_size_caption([1, 2, 8], [0.2, 0.1, 0.1], images=9).text
