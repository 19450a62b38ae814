"""Figure 5: every point is drawn once, in its class's colour and marker, and what is left out is said."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from latentspace.core.errors import DataError
from latentspace.figures import code_map, codes_caption, draw_codes, save
from latentspace.figures.codes import spread
from latentspace.figures.style import class_style
from looking import legend

NAMES = tuple("ABCDEFGHIJ")


def points(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 2))


def drawn(figure: Figure) -> np.ndarray:
    return np.concatenate([np.asarray(part.get_offsets()) for part in figure.axes[0].collections])


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_codes_of_one_number_have_a_histogram_for_each_class() -> None:
    codes = np.stack([np.r_[np.zeros(20), np.full(10, 4.0)], np.zeros(30)], axis=1)
    labels = np.r_[np.zeros(20), np.ones(10)].astype(np.int64)
    made = code_map(codes, explained=(1.0, 0.0), labels=labels, class_names=("A", "B"), size=1)
    (axes,) = draw_codes(made).axes
    assert [one.get_text() for one in axes.get_yticklabels()] == ["A", "B"]
    assert [line.get_xdata()[0] for line in axes.lines] == [0, 4]
    assert axes.get_xlabel() == "the one number of the code"
    assert "A row is a class" in codes_caption(made, split="all images", dimensions=1).text
    bare = code_map(codes, explained=(1.0, 0.0), size=1)
    (axes,) = draw_codes(bare).axes
    assert axes.get_ylabel() == "codes"
    assert axes.get_ylim()[1] > 20
    assert draw_codes(code_map(codes, explained=None, size=1, method="t-SNE")).axes[0].get_ylabel() == "y"


def test_every_point_is_drawn_once() -> None:
    codes = points(200)
    labels = np.arange(200, dtype=np.int64) % 10
    figure = draw_codes(code_map(codes, explained=(0.3, 0.1), labels=labels, class_names=NAMES))
    np.testing.assert_allclose(np.sort(drawn(figure), axis=0), np.sort(codes, axis=0))
    assert figure.axes[0].get_aspect() == 1.0


def test_a_class_has_its_own_colour() -> None:
    labels = np.arange(60, dtype=np.int64) % 2
    codes = np.stack([labels * 10.0, np.arange(60.0)], axis=1)
    figure = draw_codes(code_map(codes, explained=None, labels=labels, class_names=("A", "B")))
    for part in figure.axes[0].collections:
        sides = set(np.asarray(part.get_offsets())[:, 0].tolist())
        assert len(sides) == 1
        colour = np.asarray(part.get_facecolor())[0, :3]
        assert (colour * 255).round().astype(int).tolist() == (
            [0x3F, 0x90, 0xDA] if sides == {0.0} else [0xFF, 0xA9, 0x0E]
        )


def test_the_styles_of_a_hundred_classes_differ() -> None:
    assert len({class_style(number) for number in range(100)}) == 100
    assert len({class_style(number)[0] for number in range(10)}) == 10
    assert len({class_style(number)[1] for number in range(10)}) == 10


def test_the_share_of_the_variance_is_stated() -> None:
    codes = code_map(points(30), explained=(0.321, 0.104))
    (axes,) = draw_codes(codes).axes
    assert axes.get_xlabel() == "first principal component (32.1% of the variance)"
    assert axes.get_ylabel() == "second principal component (10.4%)"
    assert axes.get_title(loc="left") == "30 codes; the two axes hold 42.5% of the variance"
    assert "hold 42.5% of the variance" in codes_caption(codes, split="all images", dimensions=10).text


def test_codes_of_two_dimensions_are_drawn_as_they_are() -> None:
    codes = code_map(points(30), explained=None)
    assert draw_codes(codes).axes[0].get_xlabel() == "first dimension of the code"
    assert codes_caption(codes, split="all images", dimensions=2).text == (
        "The codes of all images, 2 numbers each, drawn as they are."
    )


def test_the_names_stand_at_the_medians() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int64), 5)
    codes = np.array([[-3, 0], [-2, 1], [-1, 2], [0, 3], [50, 4]] * 2, dtype=np.float64)
    codes[5:] += 60
    made = code_map(codes, explained=None, labels=labels, class_names=("A", "B", "empty"))
    assert made.medians[:2].tolist() == [[-1, 2], [59, 62]]
    assert np.isnan(made.medians[2]).all()
    figure = draw_codes(made)
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places == {"A": (-1, 2), "B": (59, 62)}
    assert legend(figure) == ["A", "B", "empty"]


def test_names_that_would_cover_each_other_are_moved_apart() -> None:
    places = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0]])
    moved = spread(places, np.ones((3, 2)))
    np.testing.assert_allclose(moved, [[0.0, -0.5], [0.1, 0.5], [5.0, 0.0]])
    labels = np.arange(40, dtype=np.int64) % 4
    figure = draw_codes(code_map(points(40), explained=None, labels=labels, class_names=tuple("ABCD")))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)


def test_of_many_points_a_part_is_drawn_and_it_is_said() -> None:
    codes = points(5000)
    labels = np.zeros(5000, dtype=np.int64)
    made = code_map(codes, explained=(0.5, 0.25), labels=labels, class_names=("A",), most=1000)
    assert len(made.points) == 1000
    np.testing.assert_allclose(made.medians[0], np.median(codes, axis=0))
    assert {tuple(point) for point in made.points} <= {tuple(point) for point in codes}
    title = draw_codes(made).axes[0].get_title(loc="left").replace("\n", " ")
    assert title.startswith("1,000 of 5,000 codes, chosen at random;")
    assert codes_caption(made, split="all images", dimensions=10).text.endswith(
        "1,000 of 5,000 points are drawn."
    )


def test_without_labels_there_is_one_colour_and_no_legend() -> None:
    figure = draw_codes(code_map(points(40), explained=None))
    assert len({tuple(np.asarray(part.get_facecolor())[0]) for part in figure.axes[0].collections}) == 1
    assert figure.legends == []
    assert texts(figure) == []


def test_the_legend_of_many_classes_is_capped_and_says_so() -> None:
    names = tuple(f"_{number} $x" for number in range(36))
    labels = np.arange(360, dtype=np.int64) % 36
    figure = draw_codes(code_map(points(360), explained=None, labels=labels, class_names=names))
    assert legend(figure) == [*names[:20], "and 16 more classes"]
    assert texts(figure) == list(names[:20])
    assert len(drawn(figure)) == 360
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_one_point_alone_is_drawn(tmp_path: Path) -> None:
    labels = np.zeros(1, dtype=np.int64)
    figure = draw_codes(code_map(points(1), explained=None, labels=labels, class_names=("A",)))
    save(figure, tmp_path / "one.png")
    assert len(drawn(figure)) == 1


def test_codes_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(DataError, match="0 codes"):
        code_map(points(0), explained=None)
    with pytest.raises(DataError, match="1 of them not finite"):
        code_map(np.array([[0.0, np.nan], [0.0, 1.0]]), explained=None)
    with pytest.raises(DataError, match="one label for each code"):
        code_map(points(3), explained=None, labels=np.zeros(2, dtype=np.int64), class_names=("A",))
    with pytest.raises(DataError, match="one name for each class"):
        code_map(points(2), explained=None, labels=np.array([0, 1]), class_names=("A",))


def test_classes_that_have_no_code_take_no_place_among_the_named() -> None:
    names = tuple(map(str, range(62)))
    labels = 36 + np.arange(78, dtype=np.int64) % 26
    figure = draw_codes(code_map(points(78), explained=None, labels=labels, class_names=names))
    assert legend(figure) == [*names[36:56], "and 6 more classes"]
    assert texts(figure) == list(names[36:56])
