"""Three epochs of each kind at a fixed seed: a change of numerics shows here first.

The numbers were read off on x86-64 in float32; other processors sum in another order, hence the tolerance.
"""

from pathlib import Path
from typing import Any

import pytest

from latentspace.experiment import Experiment, Kind
from latentspace.runs import Run
from latentspace.training.train import train

# The report's own networks, but for the channels of the variational one, which are an eighth.
CHANGES: dict[Kind, dict[str, Any]] = {
    "ae": {"training": {"epochs": 3, "batch_size": 30}},
    "dae": {"training": {"epochs": 3, "batch_size": 30}},
    "vae": {
        "model": {"conv1_channels": 25, "conv2_channels": 50},
        "training": {"epochs": 3, "batch_size": 30},
    },
    "classifier": {"training": {"epochs": 3, "batch_size": 30, "learning_rate": 0.02}},
}
GOLDEN: dict[Kind, dict[str, list[float]]] = {
    "ae": {
        "train.loss": [0.201197, 0.153041, 0.144006],
        "train.mse": [0.201197, 0.153041, 0.144006],
        "validation.loss": [0.16662, 0.152385, 0.132142],
        "validation.mse": [0.16662, 0.152385, 0.132142],
    },
    "dae": {
        "train.loss": [0.153803, 0.135766, 0.133773],
        "train.mse_from_noisy": [0.153803, 0.135766, 0.133773],
        "validation.loss": [0.142359, 0.138721, 0.125264],
        "validation.mse_from_noisy": [0.142359, 0.138721, 0.125264],
        "validation.mse": [0.142368, 0.138572, 0.125263],
    },
    "vae": {
        "train.loss": [167.273, 164.298, 161.825],
        "train.bce": [167.249, 164.212, 161.591],
        "train.kl": [0.024048, 0.0859991, 0.233502],
        "train.elbo_loss": [167.273, 164.298, 161.825],
        "validation.loss": [164.701, 162.026, 159.192],
        "validation.bce": [164.652, 161.872, 158.765],
        "validation.kl": [0.0488986, 0.153478, 0.427516],
        "validation.elbo_loss": [164.701, 162.026, 159.192],
    },
    "classifier": {
        "train.loss": [1.09601, 1.04328, 0.909559],
        "train.cross_entropy": [1.09601, 1.04328, 0.909559],
        "train.report_cross_entropy": [1.09755, 1.07928, 1.03041],
        "validation.loss": [1.05844, 0.954369, 0.712794],
        "validation.cross_entropy": [1.05844, 0.954369, 0.712794],
        "validation.report_cross_entropy": [1.0849, 1.04747, 0.949363],
    },
}


@pytest.fixture(scope="module")
def runs(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("golden")
    made: dict[str, Run] = {}
    for kind, changes in CHANGES.items():
        base = {"kind": kind, "data": {"spec": str(archive)}, "threads": 1, "precision": "32", **changes}
        if kind == "classifier":
            base["encoder"] = str(place / "vae")
        made[kind] = train(Experiment.parse(base, "the golden plan"), place / kind)
    return made


def flat(run: Run) -> dict[str, list[float]]:
    """`train.mse`: its value after each epoch. Accuracy is left out: one image is too large a step."""
    return {
        f"{part}.{name}": [record[part][name] for record in run.metrics]
        for part in ("train", "validation")
        for name in run.metrics[0][part]
        if name != "accuracy"
    }


@pytest.mark.parametrize("kind", CHANGES)
def test_the_losses(runs, kind):
    found = flat(runs[kind])
    assert found.keys() == GOLDEN[kind].keys()
    for name, values in GOLDEN[kind].items():
        assert found[name] == pytest.approx(values, rel=1e-3), name
