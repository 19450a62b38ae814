"""What the report published: its figures, its results, its parameters, and what is said of them."""

import math
from collections.abc import Mapping
from typing import Any

from ...core.wording import counted
from ...experiment.config import Experiment
from ...inference.trained import encoder_of
from ...report.beside import PublishedFigure as Figure
from ...runs.directory import Run

IMAGES = 18_724

_WATCHED = "The report drew its test set as the second curve."
_DRAWN = "The report does not say what distribution it drew from."


FIGURES: Mapping[str, Mapping[str, Figure]] = {
    "ae": {
        "losses": Figure("2", _WATCHED),
        "reconstructions": Figure("3"),
        "decodes": Figure("4", _DRAWN),
        "codes": Figure("5", "The report does not state which share of the variance its own map holds."),
    },
    "dae": {
        "losses": Figure("6", _WATCHED),
        "denoised": Figure("7"),
        "decodes": Figure("8", _DRAWN),
    },
    "classifier": {"losses": Figure("9")},
    "vae": {
        "losses": Figure("10", _WATCHED),
        "reconstructions": Figure("11"),
        "decodes": Figure("12", _DRAWN),
        "plane": Figure("13", "The report names neither its dimensions nor their range."),
    },
}
SAMPLES = Figure("1")

# Paragraphs of a section, after what holds of any images.
REMARKS: Mapping[str, tuple[str, ...]] = {
    "ae": (),
    "dae": (
        "The report gives one test loss and does not say whether its test images were noisy. It added noise "
        "in its training step alone, so the error from clean images is the one to set beside it.",
    ),
    "classifier": (
        "The report ends its network in a Softmax and takes the cross-entropy of what that puts out.",
    ),
    "vae": ("The report's test loss decodes the mean code.",),
}

# What it says of its images and its results, by the rows of our tables.
DATA: Mapping[str, str] = {
    "source": "notMNIST (small)",
    "images": f"{IMAGES:,}",
    "size": "28x28, grey",
    "classes": "A to J",
    "split": "11,234, 3,745 and 3,745",
    "test images": "3,745",
}
RESULTS: Mapping[tuple[str, str], str] = {
    ("ae", "mse"): "0.0272",
    ("dae", "mse"): "0.0283",
    ("classifier", "accuracy"): "0.8958",
    ("classifier", "report_cross_entropy"): "1.5658",
    ("vae", "mean_code_loss"): "183.59",
}

# The rows of its tables of parameters, and where each setting is in config.json.
_CONVOLUTIONAL = (
    ("encoded space dimension", "model.code_size"),
    ("batch size", "training.batch_size"),
    ("optimizer", "training.optimizer"),
    ("learning rate", "training.learning_rate"),
    ("conv1 channels", "model.conv1_channels"),
    ("conv2 channels", "model.conv2_channels"),
    ("conv3 channels", "model.conv3_channels"),
    ("fully connected neurons", "model.neurons"),
)
PARAMETERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ae": _CONVOLUTIONAL,
    "dae": _CONVOLUTIONAL,
    "classifier": (
        ("batch size", "training.batch_size"),
        ("learning rate", "training.learning_rate"),
        ("linear layer 1 neurons", "model.linear1_neurons"),
        ("linear layer 2 neurons", "model.linear2_neurons"),
        ("linear layer 3 neurons", "model.linear3_neurons"),
        ("optimizer", "training.optimizer"),
    ),
    "vae": (
        ("encoded space dimension", "model.code_size"),
        ("batch size", "training.batch_size"),
        ("learning rate", "training.learning_rate"),
        ("conv1 channels", "model.conv1_channels"),
        ("conv2 channels", "model.conv2_channels"),
        ("optimizer", "training.optimizer"),
    ),
}

_DECAY = "It names no weight decay: ours is our choice."

# Where its winners lie in the ranges that it searched (sections 2.1, 3.1 and 4.1).
EDGES: Mapping[str, str] = {
    "ae": (
        "The report's winner lies on the edge of its ranges in four places: code size 10 of 2 to 10, and 128 "
        "of 32, 64 and 128 for conv2, conv3 and the neurons. A wider search might have gone further. "
        f"{_DECAY}"
    ),
    "dae": (
        "The report's winner lies on the edge of its ranges in three places: code size 10 of 2 to 10, and "
        f"128 of 32, 64 and 128 for conv3 and the neurons. {_DECAY}"
    ),
    "classifier": (
        "No setting of the report's winner lies on the edge of its range, though the 17 neurons of the "
        f"third layer are next to the smallest allowed, 16. {_DECAY}"
    ),
    "vae": f"The report did not search for these; it fixed them. {_DECAY}",
}


class Published:
    """The report, as a page asks it: a `report.beside.Beside`."""

    name = "the report"

    def covers(self, kind: str, comparable: bool) -> bool:
        return comparable and kind in FIGURES

    def figure(self, kind: str, shown: str) -> Figure | None:
        return SAMPLES if shown == "samples" else FIGURES.get(kind, {}).get(shown)

    def result(self, kind: str, metric: str) -> str | None:
        return RESULTS.get((kind, metric))

    def data(self, row: str) -> str | None:
        return DATA.get(row)

    def parameters(self, kind: str) -> tuple[tuple[str, str], ...]:
        return PARAMETERS[kind]

    def plan(self, kind: str) -> Mapping[str, Any]:
        """Its settings; those that it does not name are our defaults."""
        return Experiment.parse({"kind": kind, "preset": "report"}, "the report's plan").model_dump()

    def note(self, kind: str) -> str:
        return EDGES[kind]

    def remarks(self, kind: str) -> tuple[str, ...]:
        return REMARKS[kind]

    def notices(self, run: Run) -> tuple[str, ...]:
        if run.data.comparable:
            return ()
        return (
            f"These images are {run.data.source}. They are not known to be the report's notMNIST, so no "
            "figure here can be compared with the report's.",
        )

    def obstacles(self, run: Run) -> tuple[str, ...]:
        """Why a figure of this run cannot stand beside its own; none if only split and protocol differ."""
        if not run.data.comparable:
            return ("the images are not known to be the report's",)
        plan, report = (
            run.experiment,
            Experiment.parse({"kind": run.experiment.kind, "preset": "report"}, "the report's plan"),
        )
        found = []
        if run.data.images != IMAGES:
            found.append(f"{counted(run.data.images)}, not {IMAGES:,}")
        if len(run.metrics) != report.training.epochs:
            found.append(f"{counted(len(run.metrics), 'epoch')}, not {report.training.epochs}")
        if plan.model != report.model:
            found.append("a network of another size")
        if plan.encoder is not None:
            beneath = self.obstacles(encoder_of(plan, run.encoder_hash, beside=run.path))
            found += [f"its encoder: {reason}" for reason in beneath if reason not in found]
        return tuple(found)

    def verdict(self, run: Run, *more: str) -> str:
        """Whether a number may be compared with its own; `more` are reasons why it may not."""
        found = (*self.obstacles(run), *more)
        return f"no: {', '.join(found)}" if found else "nearly: another split, and no look at the test images"


REPORT = Published()


def least_softmax_loss(classes: int) -> float:
    """The smallest loss through a Softmax over so many classes, in nats: log(e + classes - 1) - 1."""
    return math.log(math.e + classes - 1) - 1
