"""The logic around a captured step, on the CPU: its capture repeats the step instead of its kernels."""

import copy
from collections.abc import Callable

import pytest
import torch

from latentspace.data.batches import ResidentSet
from latentspace.errors import DeviceError
from latentspace.experiment import Experiment
from latentspace.objectives.loss import Loss
from latentspace.training import train
from latentspace.training.graph import WARM, Captured
from latentspace.training.loop import EpochRecord, Materials
from latentspace.training.materials import make_fabric, set_up

IMAGES = 53  # in batches of 8: six whole ones and one of five


def plan_of(kind: str, **settings: object) -> Experiment:
    small = {"conv1_channels": 4, "conv2_channels": 4}
    model = {**small, "dropout": 0.3} if kind == "vae" else {**small, "conv3_channels": 4, "neurons": 8}
    training = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01, **settings.pop("training", {})}
    return Experiment(
        kind=kind, model=model, training=training, device="cpu", precision="32", threads=1, **settings
    )


def materials_of(plan: Experiment) -> Materials:
    draw = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (IMAGES, 1, 16, 16), generator=draw, dtype=torch.uint8)
    return set_up(plan, make_fabric(plan), plan.build((1, 16, 16)), ResidentSet(pixels))


class Repeater:
    """Captures as a graph does: nothing has happened after it, and a replay reads and writes fixed places."""

    def __init__(self, m: Materials) -> None:
        self.m, self.captures, self.replays = m, 0, 0

    def __call__(self, step: Callable[[], Loss], noise: torch.Generator) -> tuple[Callable[[], None], Loss]:
        self.captures += 1
        weights = copy.deepcopy(self.m.learned.state_dict())
        memory = copy.deepcopy(dict(self.m.optimizer.state))
        drawn = noise.get_state()
        static = step()
        self.m.learned.load_state_dict(weights)
        for one, kept in zip(self.m.optimizer.state.values(), memory.values(), strict=True):
            for name, value in kept.items():
                one[name].copy_(value)
        noise.set_state(drawn)
        places = {"loss": static.total.detach(), **static.parts}

        def replay() -> None:
            self.replays += 1
            again = step()
            for name, value in {"loss": again.total.detach(), **again.parts}.items():
                places[name].copy_(value)

        return replay, Loss(places["loss"], {name: places[name] for name in static.parts})


def trained(plan: Experiment, m: Materials) -> tuple[list[EpochRecord], dict[str, torch.Tensor]]:
    return list(train.learn(plan, m)), m.learned.state_dict()


@pytest.mark.parametrize(
    ("kind", "settings", "captures"),
    [
        ("ae", {}, 1),
        ("ae", {"training": {"schedule": "cosine", "clip_norm": 0.01}}, 1),
        ("dae", {}, 1),
        ("dae", {"objective": {"noise": "masking", "strength": 0.2}}, 1),
        ("vae", {}, 1),
        ("vae", {"objective": {"beta": 2.0, "warm_up": 2}}, 2),  # another weight, another graph
    ],
)
def test_replays_are_the_steps_of_autograd(kind, settings, captures, monkeypatch):
    plan = plan_of(kind, **copy.deepcopy(settings))
    expected, as_autograd = trained(plan, materials_of(plan))
    m = materials_of(plan)
    repeater = Repeater(m)
    monkeypatch.setattr(train, "_pass_for", lambda experiment, materials: Captured(materials, repeater))
    records, weights = trained(plan, m)
    assert (repeater.captures, repeater.replays) == (captures, 3 * 6 - WARM)
    for one, other in zip(records, expected, strict=True):
        assert one.train == pytest.approx(other.train, rel=1e-5)
    for name, value in weights.items():
        torch.testing.assert_close(value, as_autograd[name], rtol=1e-4, atol=1e-6)


def test_where_it_is_asked_for_it_is_used(monkeypatch):
    used = []
    monkeypatch.setattr(train, "Captured", lambda m: used.append(m) or (lambda epoch: {"mse": 0.0}))
    plan = plan_of("ae")
    asked = plan.model_copy(update={"training": plan.training.model_copy(update={"graph": True})})
    m = materials_of(plan)
    list(train.learn(plan, m))
    assert used == []
    list(train.learn(asked, m))
    assert used == [m]


def test_a_graph_on_the_cpu_is_refused():
    with pytest.raises(DeviceError, match=r"training.graph = true on cpu"):
        make_fabric(plan_of("ae", training={"graph": True}))
