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
        "train.loss": [167.867, 164.854, 162.079],
        "train.bce": [167.837, 164.738, 161.7],
        "train.kl": [0.0291694, 0.115357, 0.378522],
        "train.elbo_loss": [167.867, 164.854, 162.079],
        "validation.loss": [165.139, 162.208, 159.265],
        "validation.bce": [165.078, 161.964, 158.556],
        "validation.kl": [0.0611579, 0.244051, 0.70909],
        "validation.elbo_loss": [165.139, 162.208, 159.265],
    },
    "classifier": {
        "train.loss": [1.10103, 1.10198, 1.081],
        "train.cross_entropy": [1.10103, 1.10198, 1.081],
        "train.report_cross_entropy": [1.0992, 1.09954, 1.09264],
        "validation.loss": [1.09338, 1.08606, 1.07132],
        "validation.cross_entropy": [1.09338, 1.08606, 1.07132],
        "validation.report_cross_entropy": [1.09684, 1.0943, 1.08903],
    },
}


@pytest.fixture(scope="module")
def runs(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("golden")
    made: dict[str, Run] = {}
    for kind, changes in CHANGES.items():
        base = {"kind": kind, "data": {"spec": str(archive)}, "threads": 1, **changes}
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
