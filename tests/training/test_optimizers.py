"""AdamW and Muon: each against a plain computation, and who moves which weight."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from latentspace.core.errors import ConfigurationError
from latentspace.data.batches import ResidentSet
from latentspace.experiment.config import Experiment
from latentspace.training.components import Components, make_fabric, set_up
from latentspace.training.loop import learn
from latentspace.training.muon import Muon, orthogonalised
from latentspace.training.optimizers import inner_matrices, optimizer_of
from latentspace.training.state import restore, state_of

CPU = torch.device("cpu")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(16, 6), nn.Linear(6, 3))


def plan(**training) -> Experiment:
    return Experiment(precision="32", training=training)


def draw_gradients(model: nn.Module, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    for one in model.parameters():
        one.grad = torch.randn(one.shape, generator=draw)


def test_a_weight_that_no_gradient_reaches_does_not_hinder_going_on():
    def components() -> Components:
        model = experiment.build((1, 8, 8))
        model.spare = nn.Parameter(torch.ones(2))
        images = ResidentSet(torch.arange(128, dtype=torch.uint8).view(2, 1, 8, 8))
        return set_up(experiment, make_fabric(experiment), model, images)

    experiment = Experiment(precision="32", device="cpu", training={"epochs": 2}, model={"neurons": 2})
    whole, first, second = components(), components(), components()
    records = list(learn(experiment, whole))
    next(learn(experiment, first))
    restore(second, state_of(first, 1, 0, 0.0), Path("state"))
    assert [one.train for one in learn(experiment, second, 2)] == [records[1].train]


def test_singular_values_come_near_1_whatever_the_shape():
    draw = torch.Generator().manual_seed(0)
    for rows, columns in ((8, 40), (40, 8), (16, 16)):
        given = torch.randn((3, rows, columns), generator=draw) * 7
        found = orthogonalised(given, steps=8)
        expected = [u @ v for u, _, v in (torch.linalg.svd(one, full_matrices=False) for one in given)]
        torch.testing.assert_close(found, torch.stack(expected), atol=2e-2, rtol=0)
        assert torch.linalg.svdvals(orthogonalised(given, 5)).sub(1).abs().median() < 0.15
        half = orthogonalised(given, 5, torch.bfloat16)
        assert half.dtype == given.dtype
        assert torch.linalg.svdvals(half).max() < 1.3


@pytest.mark.parametrize("least", [1, 1e-2, 1e-6], ids=["one size", "two decades", "six decades"])
def test_a_long_matrix_by_its_smaller_side_is_what_the_iteration_gives(least, monkeypatch):
    draw = torch.Generator().manual_seed(5)
    u, _, v = torch.linalg.svd(torch.randn((2, 24, 100), generator=draw), full_matrices=False)
    given = u * torch.logspace(0, np.log10(least), 24) @ v
    found = orthogonalised(given, 5)
    monkeypatch.setattr("latentspace.training.muon.WIDE", float("inf"))
    assert (
        torch.linalg.matrix_norm(found - orthogonalised(given, 5), 2).max() < 2e-2
    )  # the iteration itself ends 0.1 from 1


def test_a_gradient_of_zero_moves_nothing():
    assert orthogonalised(torch.zeros(2, 3, 4), 5).abs().max() == 0


def test_a_step_of_muon_is_pytorchs_own_where_that_serves():
    """On matrices, with the polynomial of torch.optim.Muon in the place of ours."""
    draw = torch.Generator().manual_seed(3)
    start = [torch.randn(shape, generator=draw) for shape in ((6, 4), (6, 4), (3, 9))]
    ours, theirs = ([nn.Parameter(one.clone()) for one in start] for _ in range(2))
    exact = Muon([{"params": ours, "orthogonal": True}], lr=0.1, weight_decay=0.2, steps=8)
    other = torch.optim.Muon(theirs, lr=0.1, weight_decay=0.2, ns_steps=40, ns_coefficients=(1.5, -0.5, 0.0))
    for _ in range(3):
        for one, two in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=draw)
            two.grad = one.grad.clone()
        exact.step()
        other.step()
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two, atol=2e-2, rtol=0)


def test_kernels_are_moved_as_flattened_matrices():
    draw = torch.Generator().manual_seed(3)
    weight = nn.Parameter(torch.randn((5, 2, 3, 3), generator=draw).to(memory_format=torch.channels_last))
    before = weight.detach().clone()
    weight.grad = torch.randn(weight.shape, generator=draw)
    Muon([{"params": [weight], "orthogonal": True}], lr=1.0, steps=8).step()
    u, _, v = torch.linalg.svd(weight.grad.flatten(1), full_matrices=False)
    torch.testing.assert_close((before - weight).detach().flatten(1), u @ v, atol=2e-2, rtol=0)


def test_a_tall_matrix_moves_further():
    weight = nn.Parameter(torch.zeros(12, 3))
    weight.grad = torch.randn((12, 3), generator=torch.Generator().manual_seed(0))
    Muon([{"params": [weight], "orthogonal": True}], lr=1.0, steps=8).step()
    assert torch.linalg.svdvals(weight.detach()).mean().item() == pytest.approx(math.sqrt(12 / 3), rel=0.02)


def test_the_other_weights_move_as_by_adamw():
    ours, theirs = network(), network()
    mine = optimizer_of(plan(optimizer="muon", learning_rate=0.01, weight_decay=0.1), ours, CPU)
    inner = {id(one) for one in inner_matrices(ours)}
    matrices = [one for one in theirs.parameters() if one.dim() > 1]
    vectors = [one for one in theirs.parameters() if one.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    other = torch.optim.AdamW(groups, lr=0.01)
    for step in range(3):
        draw_gradients(ours, step)
        draw_gradients(theirs, step)
        mine.step()
        other.step()
    moved = [id(one) in inner for one in ours.parameters()]
    assert 0 < sum(moved) < len(moved)
    for by_muon, one, two in zip(moved, ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-6) != by_muon


def test_inner_matrices_are_those_between_the_first_layer_and_the_decoders_last():
    model = nn.Module()
    model.encoder, model.decoder = network(), nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 7))
    model.prior = nn.Linear(3, 3)
    model.table = nn.Embedding(4, 3)
    model.inputs = nn.Parameter(torch.zeros(2, 3))
    own = dict(model.named_parameters())
    chosen = {id(one) for one in inner_matrices(model)}
    names = ["encoder.2", "encoder.3", "encoder.5", "encoder.6", "decoder.0", "prior"]
    assert [name for name, one in own.items() if id(one) in chosen] == [f"{one}.weight" for one in names]


def test_each_group_has_its_rate_and_vectors_are_not_pulled():
    given = plan(optimizer="muon", muon_learning_rate=0.5, learning_rate=0.25)
    optimizer = optimizer_of(given, network(), CPU)
    by_muon, *others = optimizer.param_groups
    assert (by_muon["initial_lr"], by_muon["orthogonal"]) == (0.5, True)
    assert [one["initial_lr"] for one in others] == [0.25, 0.25]
    assert [one["weight_decay"] for one in others] == [1e-5, 0]
    vectors = optimizer_of(plan(optimizer="adamw"), network(), CPU).param_groups[1]
    assert vectors["weight_decay"] == 0
    assert all(one.dim() == 1 for one in vectors["params"])


def test_muon_computes_in_bfloat16_on_a_gpu_that_trains_in_it():
    model, bf16 = network(), torch.bfloat16
    cases = [("32", "cpu", torch.float32), ("bf16", "cpu", torch.float32), ("bf16", "cuda", bf16)]
    for precision, device, dtype in cases:
        given = Experiment(precision=precision, training={"optimizer": "muon"})
        assert optimizer_of(given, model, torch.device(device)).param_groups[0]["dtype"] == dtype


@pytest.mark.parametrize(
    "wrong", [{"optimizer": "sgd"}, {"muon_learning_rate": 0}, {"muon_steps": 0}, {"ema": 1}, {"warmup": 1}]
)
def test_bad_settings(wrong):
    with pytest.raises(ConfigurationError):
        plan(**wrong)


def test_a_count_of_steps_that_was_kept_goes_on_where_the_weights_are():
    """Torch's `load_state_dict` leaves it on the CPU but for what it knows as a fused optimiser."""
    model = network()
    draw_gradients(model, 0)
    kept = optimizer_of(plan(optimizer="muon"), model, CPU)
    kept.step()
    elsewhere = optimizer_of(plan(optimizer="muon"), network().to("meta"), CPU)
    elsewhere.load_state_dict(kept.state_dict())
    there = [one for memory in elsewhere.state.values() for one in memory.values()]
    assert len(there) > 6
    assert {one.device.type for one in there} == {"meta"}
