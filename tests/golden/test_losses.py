"""Three epochs of each kind at a fixed seed, at the report's 28x28: a change of numerics shows here first.

The numbers were read off on x86-64 in float32; other processors sum in another order, hence the tolerance.
"""

from typing import Any

import numpy as np
import pytest

from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.training.train import train
from materials import make_images

# The report's own networks, but for the channels of the variational one, which are an eighth.
CHANGES: dict[str, dict[str, Any]] = {
    "ae": {"training": {"epochs": 3, "batch_size": 30}},
    "dae": {"training": {"epochs": 3, "batch_size": 30}},
    "vae": {
        "model": {"conv1_channels": 25, "conv2_channels": 50},
        "training": {"epochs": 3, "batch_size": 30},
    },
    "classifier": {"training": {"epochs": 3, "batch_size": 30, "learning_rate": 0.02}},
}
GOLDEN: dict[str, dict[str, list[float]]] = {
    "ae": {
        "train.loss": [0.130798, 0.0889443, 0.0793487],
        "train.mse": [0.130798, 0.0889443, 0.0793487],
        "validation.loss": [0.0835232, 0.0845714, 0.0725713],
        "validation.mse": [0.0835232, 0.0845714, 0.0725713],
    },
    "dae": {
        "train.loss": [0.189994, 0.0957184, 0.0985211],
        "train.mse_from_noisy": [0.189994, 0.0957184, 0.0985211],
        "validation.loss": [0.0956758, 0.0987949, 0.0984678],
        "validation.mse_from_noisy": [0.0956758, 0.0987949, 0.0984678],
        "validation.mse": [0.0960697, 0.0987801, 0.0984478],
    },
    "vae": {
        "train.loss": [608.613, 583.446, 531.82],
        "train.bce": [608.499, 581.317, 517.529],
        "train.kl": [0.114021, 2.1296, 14.2908],
        "train.elbo_loss": [608.613, 583.446, 531.82],
        "validation.loss": [589.53, 544.462, 481.32],
        "validation.bce": [588.599, 536.424, 436.752],
        "validation.kl": [0.930295, 8.03816, 44.5683],
        "validation.elbo_loss": [589.53, 544.462, 481.32],
    },
    "classifier": {
        "train.loss": [1.12755, 1.12289, 1.09707],
        "train.cross_entropy": [1.12755, 1.12289, 1.09707],
        "train.report_cross_entropy": [1.10452, 1.10338, 1.09758],
        "validation.loss": [1.09932, 1.10198, 1.0982],
        "validation.cross_entropy": [1.09932, 1.10198, 1.0982],
        "validation.report_cross_entropy": [1.0981, 1.09876, 1.09846],
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("golden")
    images = make_images(side=28)
    archive = place / "bars.npz"
    np.savez(archive, images=images.pixels, labels=np.array(images.class_names)[images.labels])
    made: dict[str, Run] = {}
    for kind, changes in CHANGES.items():
        base = {
            "kind": kind,
            "data": {"spec": str(archive)},
            "split": {"near_copies": "off"},  # the report knew of none
            "threads": 1,
            "precision": "32",
            **changes,
        }
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
