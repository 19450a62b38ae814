"""On an NVIDIA GPU: the same bits after a resume, the CPU's numbers, every command. Skipped elsewhere."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import latentspace
from latentspace import ConvAutoencoder, LatentClassifier, VariationalAutoencoder
from latentspace.data.sources import load_images
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.training.train import train
from materials import make_images
from runner import call
from studies import must_go_on_to_the_same_bits, small, trained

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")

SAMPLED = {"elbo_loss", "bce", "kl", "iwae_loss"}  # by noise that each device draws for itself
WIDTH = {"width": 8, "code_size": 4}


def residual(kind: str, archive: Path, model: dict, **training) -> Experiment:
    values = {
        "kind": kind,
        "preset": "default",
        "data": {"spec": str(archive)},
        "model": {**WIDTH, **model},
        "training": {"epochs": 3, "batch_size": 36, "augment": "affine", **training},
    }
    return Experiment.parse(values, "a test's plan")


@pytest.fixture(scope="module")
def plans(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Experiment]:
    encoder = trained("vae", archive, tmp_path_factory.mktemp("encoder") / "vae")
    of_codes = {"encoder": str(encoder.path)}
    return {
        "report-ae": small("ae", archive),
        "report-dae": small("dae", archive),
        "report-vae": small("vae", archive),
        "classifier": small("classifier", changes=of_codes),
        "frozen-encoder": small(
            "classifier", changes={**of_codes, "objective": {"method": "frozen-encoder"}}
        ),
        "ae": residual("ae", archive, {"linear_path": "on"}),
        "ordered": residual("ae", archive, {"ordered": True, "upsampling": "nearest"}, ema=0.9),
        "batch-norm": residual("dae", archive, {"norm": "batch"}, optimizer="adamw"),
        "corrected": residual("ae", archive, {"corrections": 2}),
        "corrected-flow": residual("vae", archive, {"prior": "flow", "corrections": 1}),
        "flow": residual("vae", archive, {"prior": "flow"}),
        "vamp": residual("vae", archive, {"prior": "vamp"}),
        "mixture": residual("vae", archive, {"prior": "mixture"}),
    }


NAMES = (
    *("report-ae", "report-dae", "report-vae", "classifier", "frozen-encoder"),
    *("corrected", "corrected-flow"),
    *("ae", "ordered", "batch-norm", "flow", "vamp", "mixture"),
)
EVALUATED = ("ae", "corrected", "batch-norm", "flow", "classifier")


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_training_ends_as_one_that_never_stopped(plans, tmp_path, name, precision):
    plan = plans[name].on("cuda").model_copy(update={"precision": precision})
    must_go_on_to_the_same_bits(plan, train(plan, tmp_path / "whole"), tmp_path / "broken")


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_the_cpu_learns(plans, tmp_path, name):
    """Within what other noise does: a GPU draws its own."""
    plan = plans[name].model_copy(update={"precision": "32"})
    found = [train(plan.on(device), tmp_path / device).metrics for device in ("cpu", "cuda")]
    score = plan.task.score
    here, there = ([one["validation"][score] for one in metrics] for metrics in found)
    assert there == pytest.approx(here, rel=0.02 if name in ("ae", "report-ae", "corrected") else 0.15)


@pytest.fixture(scope="module")
def runs(plans: dict[str, Experiment], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("runs")
    return {name: train(plans[name].on("cuda"), place / name) for name in EVALUATED}


@pytest.mark.parametrize("name", EVALUATED[:-1])
def test_codes_and_pictures_are_those_of_the_cpu(runs, name):
    run = runs[name]
    images = load_images(run.experiment.data).pixels
    on_cpu, on_gpu = (latentspace.load(run.path, device) for device in ("cpu", "cuda"))
    codes = on_cpu.encode(images)
    np.testing.assert_allclose(on_gpu.encode(images), codes, rtol=1e-3, atol=1e-4 * np.abs(codes).max())
    np.testing.assert_allclose(on_gpu.decode(codes), on_cpu.decode(codes), atol=1e-4)


@pytest.mark.parametrize("name", EVALUATED)
def test_it_is_evaluated_as_on_the_cpu(runs, name):
    one, other = (latentspace.evaluate(runs[name].path, device=device).metrics for device in ("cpu", "cuda"))
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, float) and key.removesuffix("_before_refinement") not in SAMPLED:
            assert other[key] == pytest.approx(value, rel=0.02), key


@pytest.mark.parametrize(
    "words",
    [
        "evaluate RUN --card --out OUT/card.html",
        "report RUN",
        "encode RUN DATA --out OUT/codes.parquet",
        "encode RUN DATA --refine 3 --out OUT/codes.npz",
        "neighbours RUN DATA --out OUT/neighbours",
        "anomalies RUN DATA --out OUT/anomalies",
        "clusters RUN DATA --count 3 --out OUT/clusters",
        "reconstruct RUN DATA --out OUT/made",
        "generate RUN --out OUT/drawn.png",
        "map RUN DATA --out OUT/map.csv",
        "continue RUN --epochs 1 --out OUT/more",
        "export RUN --to onnx --out OUT/onnx",
        "explore RUN --export OUT/page.html",
        "doctor DATA --run RUN --out OUT/doctor.html",
        "search ae --data DATA --trials 2 --epochs 1 --out OUT/study",
        "train ae --data DATA --epochs 1 --out OUT/new",
    ],
)
def test_every_command_computes_there(runs, archive, tmp_path, words):
    for name, place in {"RUN": runs["ae"].path, "DATA": archive, "OUT": tmp_path}.items():
        words = re.sub(rf"\b{name}\b", str(place), words)
    arguments = words.split()
    device = [] if arguments[0] == "export" else ["--device", "cuda"]
    code, _, said = call([*arguments, *device])
    assert code == 0, said


def test_estimators_compute_there(archive):
    images = make_images(64)
    for kind in (ConvAutoencoder, VariationalAutoencoder):
        one = kind(epochs=2, device="cuda", random_state=0).fit(images.pixels)
        assert one.transform(images.pixels).shape[0] == 64
        again = kind(epochs=2, device="cuda", random_state=0).fit(images.pixels)
        assert (one.transform(images.pixels) == again.transform(images.pixels)).all()
    LatentClassifier(epochs=2, device="cuda").fit(images.pixels, images.labels).predict(images.pixels)
