"""A loss that grows without bound ends the training, though it is still a number."""

import pytest
import torch

from latentspace.core.errors import TrainingError
from latentspace.objectives.loss import Loss
from latentspace.training.epoch import Losses


def lost(*steps: tuple[float, float]) -> Losses:
    losses = Losses(len(steps))
    for bce, kl in steps:
        parts = {"bce": torch.tensor(bce), "kl": torch.tensor(kl)}
        losses.add(Loss(torch.tensor(bce + kl), parts))
    return losses


def test_the_term_that_grew_most_is_named():
    with pytest.raises(TrainingError, match=r"1,000 times") as error:
        lost((500.0, 0.1), (900.0, 10.0), (1e3, 6e8)).mean_over_images(30, 10, 1)
    assert "kl = 6e+08 at step 3 of 3 in epoch 1, 0.1 in the first" in error.value.found


def test_what_grows_less_or_falls_is_kept():
    means = lost((500.0, 0.1), (5e4, 10.0), (100.0, 20.0)).mean_over_images(30, 10, 1)
    assert means["kl"] == pytest.approx(10.03, abs=0.01)
    assert lost((1e-6, 0.0), (0.9, 0.0)).mean_over_images(20, 10, 1)["bce"] == pytest.approx(0.45, abs=1e-3)


def test_validation_is_measured_whatever_it_is():
    assert lost((1.0, 0.0), (1e6, 0.0)).mean_over_images(20, 10, None)["bce"] > 1e5
