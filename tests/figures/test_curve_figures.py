"""Curves: the numbers of the records are on the axes, and the best epoch is the best."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from latentspace.core.errors import ConfigurationError, RunError
from latentspace.figures import Curve, Term, curves_caption, draw_curves, loss_curves
from looking import legend

MSE = Term("mse", "mean squared error per pixel")
ELBO, BCE = Term("elbo_loss", "negative ELBO"), Term("bce", "cross-entropy of the pixels")
KL = Term("kl", "divergence from the prior", better=None)
ACCURACY = Term("accuracy", "accuracy", better="higher")


def records(
    train: Sequence[float | None], validation: Sequence[float | None] | None = None, name: str = "mse"
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, value in enumerate(train):
        made.append({"epoch": number + 1, "train": {"loss": value, name: value}, "seconds": 2.0})
        if validation is not None:
            made[-1]["validation"] = {name: validation[number]}
    return made


def lines(figure: Figure, panel: int = 0) -> dict[str, np.ndarray]:
    """The curves on a panel by their line style: points x (epoch, value)."""
    return {
        str(line.get_linestyle()): np.asarray(line.get_xydata())
        for line in figure.axes[panel].lines
        if line.get_linestyle() in {"-", "--"}
    }


def validation_of(curves: Any, panel: int = 0) -> Curve:
    curve = curves.panels[panel].curve("validation")
    assert isinstance(curve, Curve)
    return curve


def test_the_curves_are_the_records() -> None:
    curves = loss_curves(records([0.3, 0.2, 0.1], [0.4, 0.25, 0.3]), [MSE])
    assert curves.best == (2, 0.25)
    assert curves.validated
    figure = draw_curves(curves)
    drawn = lines(figure)
    assert drawn["--"].tolist() == [[1, 0.3], [2, 0.2], [3, 0.1]]
    assert drawn["-"].tolist() == [[1, 0.4], [2, 0.25], [3, 0.3]]
    assert figure.axes[0].get_title(loc="left") == "mean squared error per pixel"
    assert figure.axes[0].get_xlabel() == "epoch"
    assert figure.axes[0].get_yscale() == "linear"


def test_the_legend_says_what_each_curve_is_measured_on() -> None:
    figure = draw_curves(loss_curves(records([0.3, 0.2], [0.4, 0.25]), [MSE]))
    assert legend(figure) == [
        "training: mean over the epoch, as it was trained on",
        "validation: the whole split, after the epoch",
        "best validation: epoch 2, 0.25",
    ]


def test_without_validation_there_is_one_curve_and_no_best_epoch() -> None:
    curves = loss_curves(records([0.3, 0.2]), [MSE])
    assert curves.best is None
    assert not curves.validated
    figure = draw_curves(curves)
    assert list(lines(figure)) == ["--"]
    assert legend(figure) == ["training: mean over the epoch, as it was trained on"]
    assert "there is no second curve" in curves_caption(curves, model="the autoencoder").text


def test_the_caption_says_what_the_curves_are() -> None:
    curves = loss_curves(records([0.3], [0.2]), [MSE])
    caption = curves_caption(curves, model="the autoencoder")
    assert caption.title == "The training of the autoencoder"
    assert "The second curve is of the validation part" in caption.text
    assert "report" not in caption.text
    assert "refinement" not in caption.text
    assert "without refinement" in curves_caption(curves, model="the autoencoder", refined=True).text


def test_a_single_epoch_shows_as_marks_over_a_whole_number() -> None:
    figure = draw_curves(loss_curves(records([0.3], [0.2]), [MSE]))
    markers = {str(line.get_linestyle()): line.get_marker() for line in figure.axes[0].lines}
    assert markers["-"] == "s"
    assert markers["--"] == "o"
    assert figure.axes[0].get_xticks().tolist() == [1]


def test_of_equal_epochs_the_first_is_the_best_and_accuracy_is_better_higher() -> None:
    assert loss_curves(records([1, 1, 1], [0.5, 0.2, 0.2]), [MSE]).best == (2, 0.2)
    curves = loss_curves(records([1, 1, 1], [0.5, 0.9, 0.8], "accuracy"), [ACCURACY])
    assert curves.best == (2, 0.9)


def test_values_that_were_not_finite_are_gaps() -> None:
    curves = loss_curves(records([0.3, None, 0.1], [None, 0.2, float("nan")]), [MSE])
    assert curves.best == (2, 0.2)
    assert np.isnan(validation_of(curves).values).tolist() == [True, False, True]
    assert loss_curves(records([0.3], [None]), [MSE]).best is None
    draw_curves(curves)


def test_epochs_that_were_not_validated_are_left_out() -> None:
    made = records([0.3, 0.2, 0.1, 0.05])
    made[1]["validation"] = {"mse": 0.25}
    made[2]["validation"] = None
    made[3]["validation"] = {"mse": 0.15}
    assert validation_of(loss_curves(made, [MSE])).epochs.tolist() == [2, 4]


def test_several_terms_stand_under_each_other_with_the_first_ones_best_epoch() -> None:
    made = [
        {
            "epoch": epoch,
            "train": {"elbo_loss": 200.0 - epoch, "bce": 180.0 - epoch, "kl": 20.0},
            "validation": {"elbo_loss": 200.0 + abs(epoch - 3), "bce": 180.0 - epoch, "kl": 20.0 + epoch},
        }
        for epoch in range(1, 6)
    ]
    curves = loss_curves(made, [ELBO, BCE, KL])
    assert curves.best == (3, 200.0)
    figure = draw_curves(curves)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "negative ELBO",
        "cross-entropy of the pixels",
        "divergence from the prior",
    ]
    assert lines(figure, 2)["-"][:, 1].tolist() == [21, 22, 23, 24, 25]
    for axes, value in zip(figure.axes, (200.0, 177.0, 23.0), strict=True):
        (ring,) = [line for line in axes.lines if line.get_fillstyle() == "none"]
        assert np.asarray(ring.get_xydata()).tolist() == [[3, value]]


def test_a_term_with_no_better_side_has_no_best_epoch() -> None:
    assert loss_curves(records([3, 2], [3, 2], "kl"), [KL]).best is None


def test_curves_of_nothing_are_refused() -> None:
    with pytest.raises(RunError, match="0 epochs, measuring nothing"):
        loss_curves([], [MSE])
    with pytest.raises(RunError, match="2 epochs, measuring loss, mse"):
        loss_curves(records([0.3, 0.2]), [ACCURACY])
    with pytest.raises(ConfigurationError, match="at least one term"):
        loss_curves(records([0.3]), [])
