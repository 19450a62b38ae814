"""How images that are decoded from new codes compare with real ones, in the features of a classifier.

T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models" (2019);
M. F. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models" (2020), for coverage.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from ...core.types import ImageArray, Int64Array, Pixels
from ...core.wording import counted
from ...inference.nearest import nearest
from ...inference.pca import fit_pca
from ...inference.sampling import CodeDistribution, around, draw, of_prior
from ..codes import flat
from ..frechet import COMPONENTS, frechet_distance
from .probe import Features
from .subject import Subject
from .tally import Tally
from .values import Row, Section

NEIGHBOURS: Final = 5  # of a real image, that say how far its surroundings reach
HIDDEN: Final = (128, 64)  # of the classifier; the last are the features
PASSES: Final = 30  # over the training images
FEWEST: Final = 20  # images
NEAR: Final = 0.05  # share of the evaluated images that are called near to a training image
TITLE: Final = "Samples"


def samples(subject: Subject, tally: Tally) -> Section:
    """Decoded random codes beside training images, both compared with the evaluated ones."""
    count = min(len(subject.evaluated), len(subject.learned))
    if not subject.decodes:
        return Section(title=TITLE, absent=("samples: a classifier decodes no codes",))
    if count < FEWEST:
        return Section(title=TITLE, absent=(f"samples: they take {FEWEST} images of each part",))
    space, words = feature_space(subject)
    distribution = _distribution(subject)
    drawn_from = distribution.mixture or distribution
    sets = {"run": drawn(subject, count), "pca": _by_pca(subject, count)}
    features = {name: space(one) for name, one in sets.items()}
    features["real"] = space(subject.images.pixels[subject.learned[:: len(subject.learned) // count][:count]])
    real, learned = space(subject.shown), space(subject.images.pixels[subject.learned])
    return Section(
        title=TITLE,
        rows=tuple(_rows(tally, features, real, learned)),
        notes=(
            f"{counted(count, 'code')} from {drawn_from.words}, decoded. For PCA they are drawn from a "
            "mixture of Gaussians fitted to its own numbers. Real images: as many of the training part.",
            f"Compared with {counted(len(real), 'evaluated image')} in {words}.",
            f"Precision: samples that lie nearer to an evaluated image than its {NEIGHBOURS}th neighbour; "
            "coverage: evaluated images with a sample that near; recall: evaluated images "
            "that near to a sample, by its own 5th neighbour.",
            "Memorisation: how far the nearest training image of each sample is, and how many samples are "
            f"nearer than {1 - NEAR:.0%} of evaluated images are. Many more than {NEAR:.0%} may be copies, "
            "or blurred.",
        ),
    )


def drawn(subject: Subject, count: int) -> ImageArray:
    """Decoded codes of the prior, or of what is fitted to codes of training images."""
    return subject.encoder.decode(draw(_distribution(subject), count, subject.seed).codes)


def _distribution(subject: Subject) -> CodeDistribution:
    prior = subject.encoder.model.prior
    return around(subject.learned_features["run"], "mixture") if prior is None else of_prior(prior)


def _by_pca(subject: Subject, count: int) -> ImageArray:
    codes = draw(around(subject.learned_features["pca"], "mixture"), count, subject.seed).codes
    images = subject.pca.inverse_transform(codes).reshape(count, *subject.images.shape)
    return np.asarray(np.clip(images, 0, 1), dtype=np.float32)


class _Hidden:
    """The last hidden values of a small classifier that learned from training images."""

    def __init__(self, subject: Subject) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        self._pixels = subject.features["pixels"]
        self._rule = MLPClassifier(HIDDEN, max_iter=PASSES, random_state=subject.seed)
        with warnings.catch_warnings():  # one that is not at its very end serves too
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._rule.fit(subject.learned_features["pixels"], subject.learned_labels)
        asked = subject.evaluated_features["pixels"]
        self.accuracy = float(self._rule.score(asked, subject.evaluated_labels))

    def __call__(self, images: Pixels | ImageArray) -> Features:
        values = self._pixels(images)
        for weights, bias in zip(self._rule.coefs_[:-1], self._rule.intercepts_[:-1], strict=True):
            values = np.maximum(values @ weights + bias, 0)
        return np.asarray(values, dtype=np.float32)


class _Components:
    """Principal components of the pixels of training images."""

    def __init__(self, subject: Subject) -> None:
        self._pca = fit_pca(flat(subject.images.pixels[subject.learned]), COMPONENTS)

    def __call__(self, images: Pixels | ImageArray) -> Features:
        return np.asarray(self._pca.transform(flat(images)), dtype=np.float32)


def feature_space(subject: Subject) -> tuple["_Hidden | _Components", str]:
    """What images are compared in, and what that is, in words."""
    if not subject.labelled:
        words = f"the first {COMPONENTS} principal components of their pixels: there are no labels"
        return _Components(subject), words
    space = _Hidden(subject)
    return space, (
        f"the {HIDDEN[-1]} features of a small classifier that was trained on the training part for this "
        f"(a perceptron of scikit-learn; {space.accuracy:.0%} of the evaluated images right)"
    )


@dataclass(frozen=True, eq=False)
class _Balls:
    """Features, and how far the surroundings of each reach: to its k-th neighbour among the others."""

    centres: Features
    reach: np.ndarray

    @classmethod
    def of(cls, features: Features) -> "_Balls":
        found = nearest(features, features, NEIGHBOURS, own=np.arange(len(features)))
        return cls(features, found.distances[:, -1])

    def hold(self, asked: Features) -> tuple[np.ndarray, np.ndarray]:
        """Whether each of `asked` lies in any of them, and whether each of them holds any of `asked`."""
        from sklearn.metrics import pairwise_distances_chunked

        inside, holding = [], np.zeros(len(self.centres), dtype=bool)
        for distances in pairwise_distances_chunked(asked, self.centres):
            within = distances <= self.reach
            inside.append(within.any(axis=1))
            holding |= within.any(axis=0)
        return np.concatenate(inside).astype(np.float64), holding.astype(np.float64)


def _rows(tally: Tally, features: dict[str, Features], real: Features, learned: Features) -> list[Row]:
    balls = _Balls.of(real)
    held = {name: balls.hold(one) for name, one in features.items()}
    covered = {name: one[1] for name, one in held.items()}
    recalled = {name: _Balls.of(one).hold(real)[0] for name, one in features.items()}
    count, every = len(features["run"]), np.arange(len(real))

    def distance(some: Features, rows: Int64Array) -> float:
        return frechet_distance(some[rows], real)

    distances = {name: partial(distance, one) for name, one in features.items()}
    to_training = {
        name: nearest(one, learned, 1).distances[:, 0].astype(np.float64)
        for name, one in (*((key, features[key]) for key in ("run", "pca")), ("real", real))
    }
    near = float(np.quantile(to_training["real"], NEAR))
    return [
        tally.statistic(
            "frechet",
            "Frechet distance to the evaluated images",
            distances,
            "lower",
            images=count,
            centred=True,
        ),
        tally.mean("precision", "precision", {name: one[0] for name, one in held.items()}, "higher"),
        tally.mean("recall", "recall", recalled, "higher", rows=every),
        tally.mean("coverage", "coverage", covered, "higher", rows=every),
        _unpaired(tally, "nearest_training", "distance to the nearest training image", to_training),
        _unpaired(
            tally,
            "memorised",
            "share of samples very near to a training image",
            {name: (one < near).astype(np.float64) for name, one in to_training.items()},
        ),
    ]


def _unpaired(tally: Tally, name: str, title: str, measured: dict[str, np.ndarray]) -> Row:
    """A row whose values are of different images: without differences."""
    values = {key: tally.point(one) for key, one in measured.items()}
    return Row(name=name, title=title, run=values.pop("run"), beside=values)
