"""Plans of each kind that train in a fraction of a second."""

from pathlib import Path
from typing import Any

from latentspace.core.config import merged
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.training.train import resume, start, train

CONVOLUTIONAL = {
    "code_size": 3, "conv1_channels": 8, "conv2_channels": 8, "conv3_channels": 16, "neurons": 32,
}  # fmt: skip
MODELS: dict[str, dict[str, int]] = {
    "ae": CONVOLUTIONAL,
    "dae": CONVOLUTIONAL,
    "vae": {"code_size": 3, "conv1_channels": 8, "conv2_channels": 12},
    "classifier": {"linear1_neurons": 12, "linear2_neurons": 12, "linear3_neurons": 8},
}


def small(kind: str, spec: Path | None = None, changes: dict[str, Any] | None = None) -> Experiment:
    """A plan of that kind; `changes` are laid over it, nested as in config.json."""
    base: dict[str, Any] = {
        "kind": kind,
        "model": MODELS[kind],
        "training": {"epochs": 3, "batch_size": 25},
        "split": {"near_copies": "off"},  # images made for tests are alike
        "threads": 1,
    }
    if spec is not None:
        base["data"] = {"spec": str(spec)}
    return Experiment.parse(merged(base, changes or {}), "the test's plan")


def trained(kind: str, spec: Path, out: Path, changes: dict[str, Any] | None = None) -> Run:
    return train(small(kind, spec, changes), out)


def must_go_on_to_the_same_bits(plan: Experiment, whole: Run, place: Path) -> None:
    """A training of the plan that is interrupted after its first epoch ends as `whole`, which was not."""
    records = start(plan, place).records()
    next(records)
    records.close()
    for _ in resume(place).records():
        pass
    assert Run(place).weights_hash == whole.weights_hash


def timeless(run: Run) -> list[dict[str, Any]]:
    """What its epochs recorded that is the same when they are trained again."""
    clocks = ("seconds", "images_per_second")
    return [{key: value for key, value in one.items() if key not in clocks} for one in run.metrics]
