"""Measures of codes that need no decoder: classification, clusters, and the numbers themselves."""

from functools import partial
from typing import Final

import numpy as np

from ...core.progress import told
from ...core.randomness import derive, numpy_generator
from ...core.types import Int64Array
from ...core.wording import counted
from ...data.sampling import balanced_sample
from ...inference.clusters import spectral_groups
from ..baselines import DRAWS, LABELS, by_neighbours
from ..clustering import GroupAgreement
from .geometry import collapse, curves_of, rows_of
from .probe import Features, Probe
from .subject import Subject
from .tally import Tally
from .values import Curve, Row, Section

NEIGHBOURS: Final = 10
TITLE: Final = "Codes"
AGREEMENTS: Final = {
    "nmi": "clusters and labels: normalised mutual information",
    "ari": "clusters and labels: adjusted Rand index",
    "accuracy_of_groups": "clusters and labels: accuracy after matching",
}


def codes(subject: Subject, tally: Tally) -> Section:
    """How far codes tell classes apart, and how they lie."""
    rows: list[Row] = []
    curves: list[Curve] = []
    absent: tuple[str, ...] = ()
    if subject.labelled:
        rows += [_neighbours(subject, tally), _probe(subject, tally), *_groups(subject, tally)]
        curves += _few_labels(subject, tally)
    else:
        absent = (
            "nearest neighbours, linear probe, few labels, clusters and classes: no labels of two classes",
        )
    return Section(
        title=TITLE,
        rows=(*rows, *rows_of(subject, tally)),
        curves=(*curves, *curves_of(subject, tally)),
        alarms=collapse(subject),
        absent=absent,
        notes=_how(subject),
    )


def _how(subject: Subject) -> tuple[str, ...]:
    labelled = (
        f"The most frequent label of the {NEIGHBOURS} nearest of "
        f"{counted(len(subject.learned), 'training image')}; a linear probe is logistic regression on "
        f"standardised numbers; with few labels the mean of {DRAWS} draws, spread over the classes.",
        "Clusters by spectral clustering, as many as classes (Damle, Minden and Ying 2019); matched to "
        "classes by the assignment that agrees most.",
    )
    return (
        *(labelled if subject.labelled else ()),
        *subject.how,
        "Total correlation is that of a Gaussian with the codes' correlations. Effective rank: Roy and "
        "Vetterli 2007. Trustworthiness and continuity: Venna and Kaski 2001, at 10 neighbours; 1 is best.",
    )


def _chance(subject: Subject) -> np.ndarray:
    """Whether each evaluated image has the most frequent label."""
    most_frequent = np.bincount(subject.learned_labels).argmax()
    return np.asarray(subject.evaluated_labels == most_frequent, dtype=np.float64)


def _right(answers: Int64Array, subject: Subject) -> np.ndarray:
    return np.asarray(answers == subject.evaluated_labels, dtype=np.float64)


def neighbours_say(subject: Subject, known: Features, asked: Features) -> Int64Array:
    """The most frequent label among the training images that are nearest to each of `asked`."""
    labels = np.concatenate([subject.learned_labels, np.zeros(len(asked), dtype=np.int64)])
    places = np.arange(len(labels))
    k = min(NEIGHBOURS, len(known))
    rows = np.concatenate([known, asked])
    return by_neighbours(rows, labels, places[: len(known)], places[len(known) :], [k])[k]


def _neighbours(subject: Subject, tally: Tally) -> Row:
    right = {
        name: _right(neighbours_say(subject, subject.learned_features[name], asked), subject)
        for name, asked in subject.evaluated_features.items()
    }
    title = f"accuracy of the {NEIGHBOURS} nearest neighbours"
    measured = {**right, "chance": _chance(subject)}
    return tally.mean("knn_accuracy", title, measured, "higher", rows=np.arange(len(subject.evaluated)))


def _probe(subject: Subject, tally: Tally) -> Row:
    right = {
        name: _right(subject.probes[name].says(asked), subject)
        for name, asked in subject.evaluated_features.items()
    }
    measured = {**right, "chance": _chance(subject)}
    title, every = "accuracy of a linear probe", np.arange(len(subject.evaluated))
    return tally.mean("probe_accuracy", title, measured, "higher", rows=every)


def _few_labels(subject: Subject, tally: Tally) -> list[Curve]:
    """The accuracy of probes that learn from a few labels."""
    counts = [one for one in LABELS if one < len(subject.learned)]
    if not counts:
        return []
    every = np.arange(len(subject.learned))
    labels = subject.learned_labels
    found: dict[str, list[np.ndarray]] = {name: [] for name in subject.evaluated_features}
    for count in told(counts, "numbers of labels tried"):
        draws = [
            balanced_sample(every, count, labels, numpy_generator(subject.seed, "sample", draw))
            for draw in range(DRAWS)
        ]
        for name, asked in subject.evaluated_features.items():
            known = subject.learned_features[name]
            right = [_right(Probe(known[some], labels[some]).says(asked), subject) for some in draws]
            found[name].append(np.mean(right, axis=0))
    title = "accuracy of a linear probe"
    points = tuple(map(float, counts))
    across = "labels that were learned from"
    return [tally.curve("few_labels", title, across, points, found, "higher", logarithmic=True)]


def _groups(subject: Subject, tally: Tally) -> list[Row]:
    """How well as many clusters as classes agree with the classes."""
    labels = subject.evaluated_labels
    count = len(np.unique(labels))
    if len(labels) < 2 * count or count < 2:
        return []
    seed = derive(subject.seed, "sample") % 2**32
    groups = {
        name: spectral_groups(features, count, seed)
        for name, features in told(list(subject.evaluated_features.items()), "sets of clusters found")
    }
    statistics = {name: partial(_agreement, one, labels) for name, one in groups.items()}
    return tally.several(AGREEMENTS, statistics, "higher")


def _agreement(groups: Int64Array, labels: Int64Array, rows: Int64Array) -> tuple[float, ...]:
    found = GroupAgreement.of(groups[rows], labels[rows])
    return found.nmi, found.ari, found.accuracy
