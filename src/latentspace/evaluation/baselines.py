"""What codes are worth to a classifier: the same head on other inputs, nearest neighbours, fewer labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from ..core.devices import AUTO
from ..core.progress import told, unheard
from ..core.randomness import numpy_generator
from ..core.record import Record
from ..core.types import Int64Array, Pixels
from ..core.wording import counted
from ..data.batches import ResidentSet
from ..data.imageset import ImageSet
from ..data.sampling import HELD, affordable, balanced_sample, stratified_sample
from ..experiment.config import Experiment
from ..inference.nearest import nearest
from ..inference.pca import fit_pca
from ..inference.trained import TrainedClassifier
from ..runs.directory import Run
from ..training.components import learned_from, make_fabric, required_labels, set_up
from ..training.loop import learn
from .cache import Measurement
from .codes import FITTED_TO, flat

LABELS = (10, 30, 100, 300, 1000)
DRAWS = 3
STEPS = 200  # of a training with fewer labels, at most: more change little, and there are many of them
NEIGHBOURS = (1, 3, 5, 10, 20)
COMPARED = 20_000  # images that are learned from, at most; half as many are evaluated

Features: TypeAlias = Float32[np.ndarray, "_images features"]


class Fewer(Record):
    """Accuracies with `labels` labels, one for each draw of them; all labels are drawn once."""

    labels: int
    accuracies: dict[str, tuple[float, ...]]


class BaselineRecord(Measurement):
    """Accuracies: shares of the test images.

    Args:
        heads: of the run's own head and plan on other inputs, by the name of the input.
        neighbours: of the rule of k nearest neighbours, by the name of the input.
        k: how many neighbours, chosen on validation images by rules fitted to training images, by the name
            of the input.
        chance: of always naming the class that has most training images.
        fewer: the heads again, with fewer labels.
        steps, fewer_steps: of the optimiser, with all labels and with fewer.
        evaluated: how many test images were evaluated.
    """

    VERSION: ClassVar[int] = 4

    heads: dict[str, float]
    neighbours: dict[str, float]
    k: dict[str, int]
    chance: float
    fewer: tuple[Fewer, ...]
    steps: int
    fewer_steps: int
    evaluated: int


@dataclass(frozen=True)
class Compared:
    """The images that the inputs are compared on: all where they are few, else a sample of each part.

    Args:
        images: their indices in the set, ascending. The parts, and `fitted`, which PCA is fitted to, are
            places in it.
    """

    images: Int64Array
    labels: Int64Array
    train: Int64Array
    learned: Int64Array
    validation: Int64Array
    test: Int64Array
    fitted: Int64Array

    @classmethod
    def of(cls, run: Run, images: ImageSet, most: int, fitted_to: int) -> "Compared":
        plan, parts, labels = run.experiment, run.split, required_labels(images)

        def some(part: Int64Array, most: int, values: int = HELD) -> Int64Array:
            draw, count = numpy_generator(plan.seed, "sample"), affordable(most, images.shape, values)
            return stratified_sample(part, count, labels, draw)

        learned = some(learned_from(plan, parts), most)
        chosen = {
            "train": np.intersect1d(learned, parts.train),
            "learned": learned,
            "validation": some(parts.validation, most // 2, HELD // 2),
            "test": some(parts.test, most // 2, HELD // 2),
            "fitted": some(learned, fitted_to),
        }
        every = np.unique(np.concatenate(list(chosen.values())))
        places = {name: np.searchsorted(every, part) for name, part in chosen.items()}
        return cls(images=every, labels=labels[every], **places)


def baseline_record(
    run: Run,
    images: ImageSet,
    device: str = AUTO,
    counts: tuple[int, ...] = LABELS,
    draws: int = DRAWS,
    fitted_to: int = FITTED_TO,
    most: int = COMPARED,
) -> BaselineRecord:
    """The run's head trained on codes, on PCA codes of the same size and on raw pixels, by test accuracy.

    Every training has the run's own settings but for the inputs, the labels, the batch where there are
    fewer images than it holds, and the number of steps with fewer labels.

    Args:
        device: what computes, as `--device` names it.
        counts, draws: of labels, where they are fewer, and how often they are drawn.
        fitted_to: images that PCA is fitted to, at most.
        most: images that are learned from, at most; half as many are evaluated. Fewer large ones.
    """
    plan = run.experiment.on(device)
    on = Compared.of(run, images, most, fitted_to)
    codes = TrainedClassifier.load(run, device).autoencoder.encode(images, chosen=on.images)
    every = inputs_of(codes, images.pixels[on.images], on.fitted)
    steps = plan.training.epochs * -(-len(on.learned) // plan.training.batch_size)
    fewer_steps = min(steps, STEPS)

    some = [
        (
            balanced_sample(on.learned, count, on.labels, numpy_generator(plan.seed, "sample", draw)),
            fewer_steps,
        )
        for count in counts
        if count < len(on.learned)
        for draw in range(draws)
    ]
    heads = [(name, *choice) for choice in (*some, (on.learned, steps)) for name in every]
    found: dict[int, dict[str, list[float]]] = {}
    for name, learned, at_most in told(heads, "heads trained"):
        accuracy = _accuracy(plan, every[name], on, learned, len(images.class_names), at_most)
        found.setdefault(len(learned), {}).setdefault(name, []).append(accuracy)
    fewer = [
        Fewer(labels=labels, accuracies={name: tuple(row) for name, row in rows.items()})
        for labels, rows in found.items()
    ]
    near = {name: _nearest(one, on) for name, one in every.items()}
    most_frequent = np.bincount(on.labels[on.learned]).argmax()
    return BaselineRecord(
        heads={name: rows[0] for name, rows in fewer[-1].accuracies.items()},
        neighbours={name: accuracy for name, (_, accuracy) in near.items()},
        k={name: k for name, (k, _) in near.items()},
        chance=float((on.labels[on.test] == most_frequent).mean()),
        fewer=tuple(fewer),
        steps=steps,
        fewer_steps=fewer_steps,
        evaluated=len(on.test),
    )


def inputs_of(codes: Features, pixels: Pixels, fitted: Int64Array) -> dict[str, Features]:
    """The inputs that are compared, by name; PCA is fitted to the images at `fitted`."""
    rows, size = flat(pixels), codes.shape[1]
    pca = fit_pca(rows[fitted], size)
    return {
        f"the encoder's {counted(size, 'code')}": codes,
        f"{size} principal components": pca.transform(rows).astype(np.float32),
        f"{rows.shape[1]} raw pixels": rows,
    }


def head_of(plan: Experiment, inputs: Features, labels: Int64Array, classes: int, steps: int) -> nn.Module:
    """The plan's classifier trained on `inputs` for about `steps` steps, in whole epochs."""
    batch = min(plan.training.batch_size, len(inputs))
    epochs = max(1, round(steps / -(-len(inputs) // batch)))
    plan = plan.model_copy(
        update={"training": plan.training.model_copy(update={"epochs": epochs, "batch_size": batch})}
    )
    fabric = make_fabric(plan)
    head = plan.build_classifier(inputs.shape[1], classes)
    held = ResidentSet(torch.from_numpy(inputs).to(fabric.device), torch.from_numpy(labels).to(fabric.device))
    with unheard():
        for _ in learn(plan, set_up(plan, fabric, head, held)):
            pass
    return head.cpu().eval()


@torch.no_grad()
def _accuracy(
    plan: Experiment, inputs: Features, on: Compared, learned: Int64Array, classes: int, steps: int
) -> float:
    with torch.enable_grad():
        head = head_of(plan, inputs[learned], on.labels[learned], classes, steps)
    answers = head(torch.from_numpy(inputs[on.test])).argmax(dim=1).numpy()
    return _share(answers, on.labels[on.test])


def _nearest(inputs: Features, on: Compared) -> tuple[int, float]:
    """k, and the accuracy on the test images. k is chosen on validation images that its rules do not hold."""
    possible = [k for k in NEIGHBOURS if k <= len(on.train)]
    answers = by_neighbours(inputs, on.labels, on.train, on.validation, possible)
    best = max(possible, key=lambda k: _share(answers[k], on.labels[on.validation]))
    tested = by_neighbours(inputs, on.labels, on.learned, on.test, [best])[best]
    return best, _share(tested, on.labels[on.test])


def by_neighbours(
    inputs: Features, labels: Int64Array, known: Int64Array, asked: Int64Array, numbers: Sequence[int]
) -> dict[int, Int64Array]:
    """The most frequent label among the k nearest of `known`, for each of `asked` and each k of `numbers`.

    All from one search for neighbours, some images at a time; of labels that are as common, the lowest.
    """
    found = labels[known][nearest(inputs[asked], inputs[known], max(numbers)).rows]
    votes = np.zeros((len(asked), int(labels.max()) + 1), dtype=np.int64)
    answers = {}
    for k, label in enumerate(found.T, start=1):
        votes[np.arange(len(asked)), label] += 1
        if k in numbers:
            answers[k] = votes.argmax(axis=1)
    return answers


def _share(answers: Int64Array, labels: Int64Array) -> float:
    return float((answers == labels).mean())
