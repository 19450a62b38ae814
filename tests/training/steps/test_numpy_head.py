"""The pass that is written out computes what autograd does."""

import math
from functools import partial

import pytest
import torch

from latentspace.core.errors import TrainingError
from latentspace.core.randomness import generator
from latentspace.data.batches import ResidentSet, order
from latentspace.experiment.config import Experiment
from latentspace.training import loop
from latentspace.training.components import Components, make_fabric, set_up
from latentspace.training.loop import EpochRecord, learn
from latentspace.training.steps import numpy_head as head
from latentspace.training.steps.autograd import by_autograd

IMAGES, CODE, CLASSES = 150, 6, 4


def plan_of(loss: str = "cross-entropy", **training: object) -> Experiment:
    values = {"epochs": 2, "batch_size": 32, "learning_rate": 0.01, **training}
    return Experiment(
        kind="classifier", objective={"loss": loss}, training=values, device="cpu", precision="32"
    )


def materials_of(plan: Experiment, codes: torch.Tensor | None = None) -> Components:
    draw = torch.Generator().manual_seed(3)
    labels = torch.randint(0, CLASSES, (IMAGES,), generator=draw)
    if codes is None:
        codes = torch.randn(IMAGES, CODE, generator=draw) + torch.nn.functional.one_hot(labels, CODE)
    return set_up(plan, make_fabric(plan), plan.build_classifier(CODE, CLASSES), ResidentSet(codes, labels))


def trained(plan: Experiment) -> tuple[list[EpochRecord], dict[str, torch.Tensor]]:
    components = materials_of(plan)
    return list(learn(plan, components)), components.learned.state_dict()


@pytest.mark.parametrize("loss", ["cross-entropy", "report"])
@pytest.mark.parametrize(
    "training",
    [
        {},
        {
            "optimizer": "rmsprop",
            "learning_rate": 1e-4,
        },  # its first step is 10 rates long, whatever the gradient
        {"clip_norm": 0.05},
        {"schedule": "one-cycle"},
    ],
)
def test_the_same_as_autograd(loss, training, monkeypatch):
    plan = plan_of(loss, **training)
    records, weights = trained(plan)
    monkeypatch.setattr(loop, "ManualBackward", lambda m, **_: partial(by_autograd, m))
    expected, as_autograd = trained(plan)
    for one, other in zip(records, expected, strict=True):
        assert list(one.train) == list(other.train)
        assert one.train == pytest.approx(other.train, rel=1e-5)
        assert one.learning_rate == other.learning_rate
    before = plan.build_classifier(CODE, CLASSES).state_dict()
    for name, value in weights.items():
        torch.testing.assert_close(value, as_autograd[name], rtol=1e-3, atol=1e-4)
        assert not torch.equal(value, before[name])


def test_it_is_the_one_that_is_used(monkeypatch):
    used = []
    monkeypatch.setattr(loop, "ManualBackward", lambda m, **_: used.append(1) or partial(by_autograd, m))
    trained(plan_of())
    assert used == [1]
    trained(plan_of().model_copy(update={"precision": "bf16"}))
    assert used == [1]


def test_how_many_steps_are_evaluated_together_changes_nothing(monkeypatch):
    """150 images in batches of 32: four whole ones and one of 22."""
    whole, weights = trained(plan_of())
    for kept in (1, 2 * 32 * CLASSES, 3 * 32 * CLASSES):
        monkeypatch.setattr(head, "KEPT", kept)
        records, again = trained(plan_of())
        assert [one.train for one in records] == [pytest.approx(one.train, rel=1e-6) for one in whole]
        assert all(torch.equal(again[name], value) for name, value in weights.items())


@pytest.mark.parametrize("step", range(5))
def test_a_loss_that_is_not_finite_names_its_first_step(step):
    plan = plan_of()
    image = order(IMAGES, generator(plan.seed, "order", 1))[32 * step]
    codes = torch.randn(IMAGES, CODE, generator=torch.Generator().manual_seed(0))
    codes[image] = math.nan
    components = materials_of(plan, codes)
    with pytest.raises(TrainingError, match=rf"cross_entropy = nan at step {step + 1} of 5 in epoch 1"):
        list(learn(plan, components))
    for name, value in plan.build_classifier(CODE, CLASSES).state_dict().items():
        assert torch.equal(components.learned.state_dict()[name], value)  # as before the epoch
