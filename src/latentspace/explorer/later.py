"""Columns that take a while: groups and anomalies, computed when the page first asks for them."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ..inference.anomalies import find_anomalies
from ..inference.clusters import COUNTS, find_clusters
from .subject import Category, Quantity, Subject

ANOMALY = "surprise in nats: how rare error, code and appearance are among the validation images"
CLUSTER = "groups by the codes, as `latentspace clusters` finds them"
FEWEST = 2 * COUNTS[0]  # images that groups are found among


WORDS: Final[Mapping[str, str]] = {"cluster": CLUSTER, "anomaly": ANOMALY}  # what each is


def later_columns(subject: Subject) -> Mapping[str, Callable[[], Category | Quantity]]:
    """By name what computes each: `cluster` as `latentspace clusters` gives it, `anomaly` as `anomalies`.

    Calls raise DataError or RunError where a column cannot be computed, as `find_clusters` and
    `find_anomalies` do.
    """
    if subject.autoencoder is None or subject.codes is None or len(subject.codes) < FEWEST:
        return {}
    found: dict[str, Callable[[], Category | Quantity]] = {"cluster": lambda: _cluster(subject)}
    run = subject.autoencoder.run
    if run is not None and not subject.decoded and len(run.split.part("validation")):
        found["anomaly"] = lambda: _anomaly(subject)
    return found


def _cluster(subject: Subject) -> Category:
    assert subject.codes is not None
    found = find_clusters(subject.codes)
    return Category("cluster", found.groups, tuple(str(one + 1) for one in range(found.count)))


def _anomaly(subject: Subject) -> Quantity:
    assert subject.autoencoder is not None
    own = subject.images if subject.own else None
    found = find_anomalies(subject.autoencoder, None if subject.own else subject.images, own=own)
    return Quantity("anomaly", found.score.astype(np.float32), ANOMALY)
