import math

import pytest
import torch
from torch import nn

from drawing import drawing
from latentspace.core.errors import DataError
from latentspace.core.randomness import generator
from latentspace.data.batches import Batch
from latentspace.objectives.classification import (
    classification,
    classification_through_softmax,
    column_terms,
    cross_entropy_gradient,
    report_cross_entropy_gradient,
)


def given(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """The parts, of a model that gives its inputs back."""
    loss = classification(nn.Identity(), Batch(logits, labels), drawing())
    return {name: value.item() for name, value in loss.parts.items()}


def test_by_hand():
    logits = torch.tensor([[math.log(1.0), math.log(3.0)], [0.0, 0.0], [math.log(4.0), 0.0]])
    parts = given(logits, torch.tensor([1, 0, 1]))
    assert parts["cross_entropy"] == pytest.approx(-(math.log(0.75) + math.log(0.5) + math.log(0.2)) / 3)
    assert parts["accuracy"] == pytest.approx(2 / 3)  # of equal logits the first counts


def test_the_reports_way_takes_probabilities_for_logits():
    """Probabilities 3/4 and 1/4: -3/4 + log(e^(3/4) + e^(1/4))."""
    parts = given(torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([0]))
    assert parts["report_cross_entropy"] == pytest.approx(-0.75 + math.log(math.exp(0.75) + math.exp(0.25)))


def test_the_floor_of_the_reports_loss_with_ten_classes():
    """All mass on the right class: log(e + 9) - 1 = 1.4612 nats, where cross-entropy would be 0."""
    sure = 1000 * torch.eye(10)
    parts = given(sure, torch.arange(10))
    assert parts["report_cross_entropy"] == pytest.approx(math.log(math.e + 9) - 1, abs=1e-6)
    assert round(parts["report_cross_entropy"], 4) == 1.4612
    assert parts["cross_entropy"] == 0
    wrong = given(sure, (torch.arange(10) + 1) % 10)
    assert wrong["report_cross_entropy"] == pytest.approx(math.log(math.e + 9), abs=1e-6)  # its ceiling


def test_each_minimises_its_own_term():
    batch = Batch(torch.randn(5, 3, generator=generator(0, "sample")), torch.tensor([0, 1, 2, 0, 1]))
    plain, reported = (
        one(nn.Identity(), batch, drawing()) for one in (classification, classification_through_softmax)
    )
    assert torch.equal(plain.total, plain.parts["cross_entropy"])
    assert torch.equal(reported.total, reported.parts["report_cross_entropy"])


def test_a_batch_without_labels_is_refused():
    with pytest.raises(DataError, match="a label for each image"):
        classification(nn.Identity(), Batch(torch.zeros(2, 3)), drawing())


@pytest.mark.parametrize(
    ("objective", "gradient"),
    [
        (classification, cross_entropy_gradient),
        (classification_through_softmax, report_cross_entropy_gradient),
    ],
)
def test_the_gradients_that_are_written_out(objective, gradient):
    logits = torch.randn(7, 4, generator=generator(0, "sample")).double().mul(3).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 3, 1, 0])
    targets = nn.functional.one_hot(labels).double()
    found = torch.from_numpy(gradient(logits.detach().t().numpy(), targets.t().numpy())).t()

    def total(of: torch.Tensor) -> torch.Tensor:
        return objective(nn.Identity(), Batch(of, labels), drawing()).total

    (expected,) = torch.autograd.grad(total(logits), logits)
    torch.testing.assert_close(found, expected.to(found), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("equal", [False, True])
def test_the_terms_of_columns(equal):
    logits = torch.randn(5, 4, generator=generator(0, "sample")).mul(3)
    labels = torch.tensor([0, 1, 2, 3, 0])
    if equal:
        logits[1, :2] = logits[2, 2:] = 9.0  # of equal logits the first counts: wrong, then right
    each = column_terms(logits.t().contiguous().numpy(), labels.numpy())
    for image in range(5):
        alone = given(logits[image : image + 1], labels[image : image + 1])
        assert {name: values[image] for name, values in each.items()} == pytest.approx(alone, rel=1e-5)
