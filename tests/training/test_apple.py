"""Apple GPUs have no 64-bit floats and draw no 64 bits at once: nothing asks them to."""

import numpy as np
import pytest
import torch

from apple import MPS, OnApple, apple
from latentspace.core.randomness import generator
from latentspace.data.batches import ResidentSet, passed_once
from latentspace.evaluation.likelihood import importance_weighted_loss, mean_code_loss, posterior_record
from latentspace.experiment.config import Experiment
from latentspace.inference.trained import encode_all
from latentspace.models.layers.dropout import Dropout
from latentspace.training.components import make_fabric, set_up
from latentspace.training.loop import learn, validation_noise

SMALL = {"code_size": 3, "conv1_channels": 4, "conv2_channels": 4}


@pytest.fixture
def mode(monkeypatch):
    with apple(monkeypatch) as mode:
        yield mode


def test_the_stand_in_refuses_what_apples_refuses(mode):
    there = torch.ones(3).to(MPS)
    assert isinstance(there, OnApple)
    assert there.device == MPS
    assert (there + 1).device == torch.zeros(2, device=MPS).device == MPS
    with pytest.raises(TypeError, match="float64"):
        there.double()
    with pytest.raises(TypeError, match="float64"):
        torch.zeros(3, dtype=torch.float64).to(MPS)
    with pytest.raises(TypeError, match="cpu"):
        there.numpy()
    with pytest.raises(RuntimeError, match="random_mps_"):
        torch.empty(3, dtype=torch.int64, device=MPS).random_(-(2**63), None)
    assert there.cpu().double().tolist() == [1, 1, 1]


@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
def test_dropout_keeps_its_share(mode, p):
    ones = torch.ones(40, 50, 20, 25).contiguous(memory_format=torch.channels_last).to(MPS).requires_grad_()
    dropped = Dropout(p)(ones, generator(0, "noise", device=MPS))
    assert dropped.device == MPS
    assert dropped.is_contiguous(memory_format=torch.channels_last)
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.002)
    assert dropped.max().item() == pytest.approx(1 / (1 - p))
    assert torch.equal(dropped, Dropout(p)(ones, generator(0, "noise", device=MPS)))
    dropped.sum().backward()
    assert torch.equal(ones.grad, dropped.detach())


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_every_kind_trains_there(mode, kind):
    model = {} if kind == "classifier" else SMALL
    plan = {"kind": kind, "model": model, "training": {"epochs": 2, "batch_size": 8}, "precision": "32"}
    experiment = Experiment.parse({**plan, "device": "cpu", "threads": 1}, "the plan")
    draw = np.random.default_rng(0)
    if kind == "classifier":
        network = experiment.build_classifier(3, 2)
        inputs = torch.from_numpy(draw.standard_normal((20, 3), dtype=np.float32))
        labels = torch.from_numpy(draw.integers(0, 2, 20)).to(MPS)
    else:
        network = experiment.build((1, 16, 16))
        inputs, labels = torch.from_numpy(draw.integers(0, 256, (20, 1, 16, 16), dtype=np.uint8)), None
    there = ResidentSet(inputs.to(MPS), labels)
    before = mode.operations
    records = list(learn(experiment, set_up(experiment, make_fabric(experiment), network, there, there)))
    assert mode.operations > before + 20
    assert len(records) == 2
    assert all(np.isfinite(value) for one in records for value in {**one.train, **one.validation}.values())


def test_a_variational_autoencoder_is_evaluated_there(mode):
    experiment = Experiment.parse({"kind": "vae", "model": SMALL, "device": "cpu"}, "the plan")
    model = experiment.build((1, 16, 16))
    pixels = np.random.default_rng(0).integers(0, 256, (20, 1, 16, 16), dtype=np.uint8)
    here, there = (passed_once(pixels, np.arange(20), one) for one in (torch.device("cpu"), MPS))
    before = mode.operations
    found = mean_code_loss(model, there, torch.Generator().manual_seed(0))
    bound = importance_weighted_loss(model, there, 4, validation_noise(0, MPS))
    record = posterior_record(model, there)
    assert mode.operations > before + 20
    assert found == pytest.approx(mean_code_loss(model, here, torch.Generator().manual_seed(0)))
    assert np.isfinite([bound, *record["kl_per_dimension"]]).all()


def test_images_are_encoded_there(mode):
    model = Experiment.parse({"model": SMALL}, "the plan").build((1, 16, 16))
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (20, 1, 16, 16), dtype=np.uint8))
    codes = encode_all(model, pixels, MPS)
    assert codes.device == MPS
    assert torch.equal(codes.cpu(), encode_all(model, pixels, torch.device("cpu")))
