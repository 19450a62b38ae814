"""What codes are worth to a classifier: the same head on other inputs, nearest neighbours, fewer labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32
from sklearn.neighbors import NearestNeighbors

from ..data.batches import ResidentSet
from ..data.imageset import ImageSet
from ..data.sampling import balanced_sample, stratified_sample
from ..data.splits import Split
from ..devices import AUTO
from ..encoding import TrainedClassifier
from ..experiment import Experiment
from ..models.classifier import Classifier
from ..randomness import numpy_generator
from ..runs import Run
from ..training.materials import learned_from, make_fabric, required_labels, set_up
from ..training.train import learn
from ..types import Pixels, Whole
from .codes import FITTED_TO
from .pca import fit_pca
from .records import Record

LABELS = (10, 30, 100, 300, 1000)
DRAWS = 3
STEPS = 200  # of a training with fewer labels, at most: more change little, and there are many of them
NEIGHBOURS = (1, 3, 5, 10, 20)

Features: TypeAlias = Float32[np.ndarray, "_images features"]


@dataclass(frozen=True)
class Fewer:
    """Accuracies with `labels` labels, one for each draw of them; all labels are drawn once."""

    labels: int
    accuracies: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class BaselineRecord(Record):
    """Accuracies: shares of the test images.

    Args:
        heads: of the run's own head and plan on other inputs, by the name of the input.
        neighbours: of the rule of k nearest neighbours, by the name of the input.
        k: how many neighbours, chosen on validation images by rules fitted to training images, by the name
            of the input.
        chance: of always naming the class that has most training images.
        fewer: the heads again, with fewer labels.
        steps, fewer_steps: of the optimiser, with all labels and with fewer.
    """

    VERSION: ClassVar[int] = 2

    heads: dict[str, float]
    neighbours: dict[str, float]
    k: dict[str, int]
    chance: float
    fewer: tuple[Fewer, ...]
    steps: int
    fewer_steps: int


def baseline_record(
    run: Run,
    images: ImageSet,
    device: str = AUTO,
    counts: tuple[int, ...] = LABELS,
    draws: int = DRAWS,
    most_steps: int = STEPS,
    neighbours: tuple[int, ...] = NEIGHBOURS,
    fitted_to: int = FITTED_TO,
) -> BaselineRecord:
    """Train the run's head on codes, on PCA codes of the same size and on raw pixels; judge on test images.

    Every training has the run's own settings but for the inputs, the labels, the batch where there are
    fewer images than it holds, and the number of steps with fewer labels.
    """
    plan, parts, labels = run.experiment.on(device), run.split, required_labels(images)
    learned = learned_from(plan, parts)
    fitted = stratified_sample(learned, fitted_to, labels, numpy_generator(plan.seed, "sample"))
    every = inputs_of(TrainedClassifier.load(run, device).autoencoder.encode(images), images.pixels, fitted)
    steps = plan.training.epochs * -(-len(learned) // plan.training.batch_size)

    def judged(some: Sequence[Whole], most: int) -> Fewer:
        """Train on each choice of images, for so many steps."""
        accuracies = {
            name: tuple(_accuracy(plan, one, labels, chosen, parts.test, most) for chosen in some)
            for name, one in every.items()
        }
        return Fewer(len(some[0]), accuracies)

    fewer = [
        judged(
            [
                balanced_sample(learned, count, labels, numpy_generator(plan.seed, "sample", draw))
                for draw in range(draws)
            ],
            min(steps, most_steps),
        )
        for count in counts
        if count < len(learned)
    ]
    whole = judged([learned], steps)
    near = {name: _nearest(one, labels, parts, learned, neighbours) for name, one in every.items()}
    commonest = np.bincount(labels[learned]).argmax()
    return BaselineRecord(
        heads={name: rows[0] for name, rows in whole.accuracies.items()},
        neighbours={name: accuracy for name, (_, accuracy) in near.items()},
        k={name: k for name, (k, _) in near.items()},
        chance=float((labels[parts.test] == commonest).mean()),
        fewer=(*fewer, whole),
        steps=steps,
        fewer_steps=min(steps, most_steps),
    )


def inputs_of(codes: Features, pixels: Pixels, fitted: Whole) -> dict[str, Features]:
    """The inputs that are compared, by name; PCA is fitted to the images at `fitted`."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
    size = codes.shape[1]
    pca = fit_pca(flat[fitted], size)
    return {
        f"the encoder's {size} codes": codes,
        f"{size} principal components": pca.transform(flat).astype(np.float32),
        f"{flat.shape[1]} raw pixels": flat,
    }


def head_of(plan: Experiment, inputs: Features, labels: Whole, classes: int, steps: int) -> Classifier:
    """The plan's classifier trained on `inputs` for about `steps` steps, in whole epochs."""
    batch = min(plan.training.batch_size, len(inputs))
    epochs = max(1, round(steps / -(-len(inputs) // batch)))
    plan = plan.model_copy(
        update={"training": plan.training.model_copy(update={"epochs": epochs, "batch_size": batch})}
    )
    fabric = make_fabric(plan)
    head = plan.build_classifier(inputs.shape[1], classes)
    held = ResidentSet(torch.from_numpy(inputs).to(fabric.device), torch.from_numpy(labels).to(fabric.device))
    for _ in learn(plan, set_up(plan, fabric, head, held)):
        pass
    return head.cpu().eval()


@torch.no_grad()
def _accuracy(
    plan: Experiment, inputs: Features, labels: Whole, learned: Whole, judged: Whole, steps: int
) -> float:
    with torch.enable_grad():
        head = head_of(plan, inputs[learned], labels[learned], int(labels.max()) + 1, steps)
    answers = head(torch.from_numpy(inputs[judged])).argmax(dim=1).numpy()
    return _share(answers, labels[judged])


def _nearest(
    inputs: Features, labels: Whole, parts: Split, learned: Whole, numbers: Sequence[int]
) -> tuple[int, float]:
    """k, and the accuracy on the test images. k is chosen on validation images that its rules do not hold."""
    possible = [k for k in numbers if k <= len(parts.train)]
    answers = by_neighbours(inputs, labels, parts.train, parts.validation, possible)
    best = max(possible, key=lambda k: _share(answers[k], labels[parts.validation]))
    tested = by_neighbours(inputs, labels, learned, parts.test, [best])[best]
    return best, _share(tested, labels[parts.test])


def by_neighbours(
    inputs: Features, labels: Whole, known: Whole, asked: Whole, numbers: Sequence[int]
) -> dict[int, Whole]:
    """The commonest label among the k nearest of `known`, for each of `asked` and each k of `numbers`.

    All of them from one search for neighbours; of labels that are as common, the lowest.
    """
    rule = NearestNeighbors(n_neighbors=max(numbers)).fit(inputs[known])
    found = labels[known][rule.kneighbors(inputs[asked], return_distance=False)]
    votes = np.zeros((len(asked), int(labels.max()) + 1), dtype=np.int64)
    answers = {}
    for k, label in enumerate(found.T, start=1):
        votes[np.arange(len(asked)), label] += 1
        if k in numbers:
            answers[k] = votes.argmax(axis=1)
    return answers


def _share(answers: Whole, labels: Whole) -> float:
    return float((answers == labels).mean())
