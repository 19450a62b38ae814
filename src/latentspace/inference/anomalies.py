"""How unlike the images that a run learned from others are: by reconstruction, code, appearance, all three.

Every score is set beside those of the run's own validation images.
"""

import logging
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from jaxtyping import Float32

from ..core.errors import ConfigurationError, RunError
from ..core.progress import told
from ..core.types import CodeArray, Hashes, Int64Array, Pixels
from ..core.wording import counted, option
from ..data.given import Given
from ..data.imageset import ImageSet
from ..runs.directory import Run
from .appearance import Appearance, statistics
from .computing import Columns, Computed, Encoded, here
from .encoding import Computing
from .given_images import image_set
from .kept_refined import refined_kept
from .nearest import nearest
from .run_images import own_or_other, require_own
from .trained import TrainedAutoencoder

logger = logging.getLogger(__name__)

By = Literal["combined", "error", "distance", "appearance"]
SINGLE: Final = ("error", "distance", "appearance")  # the scores that `combined` is of
NEIGHBOUR: Final = 5  # the distance is that to the fifth nearest code
FLOOR: Final = 0.01  # of an image's variance, in pixels of 0..1: the square of a tenth of the range
REFERENCE: Final = 50_000  # images of the run that are compared with, at most
RATE: Final = 0.01  # of false alarms
TAIL: Final = 0.1  # the share of the validation images that the tail of a score is fitted to
_AT_ONCE: Final = 8_192  # images between two steps of the progress bar

Scores = Float32[np.ndarray, " _images"]


@dataclass(frozen=True, eq=False)
class Anomalies:
    """The scores of some images, each higher where the image is more unusual.

    Args:
        images: those that have scores.
        mse: the mean squared error a pixel of their reconstructions.
        error: the mse as a share of the image's own variance (plus `FLOOR`).
        distance: of the code to the fifth nearest of those that were learned from.
        appearance: the Mahalanobis distance of its plain statistics to those learned from; see `statistics`.
        combined: of all three; see `find_anomalies`.
        percentiles: by the name of a score, the share of the validation images below it, in percent.
        by: the score that ranks them.
        order: their rows, the most unusual first, exact copies beside each other.
        ranks: of these, from 1; exact copies have one rank.
        threshold: of that score; over it lies at most a share of `false_alarms` of images like the
            validation images.
    """

    images: ImageSet
    mse: Scores
    error: Scores
    distance: Scores
    appearance: Scores
    combined: Scores
    percentiles: dict[str, Scores]
    by: By
    order: Int64Array
    ranks: Int64Array
    false_alarms: float
    threshold: float

    @property
    def score(self) -> Scores:
        """The score that ranks them."""
        scores: Scores = getattr(self, self.by)
        return scores

    @property
    def flagged(self) -> np.ndarray:
        """Which images lie over the threshold."""
        over: np.ndarray = self.score > self.threshold
        return over

    def columns(self) -> dict[str, Any]:
        """The columns of a table, the most unusual image first."""
        rows, images = self.order, self.images
        found: dict[str, Any] = {"rank": self.ranks, "name": list(images.names_of(rows))}
        if images.labels is not None:
            found["label"] = images.label_names(rows)
        found["mse"] = self.mse[rows]
        for name in get_args(By):
            found[name] = getattr(self, name)[rows]
            found[f"{name}_percentile"] = self.percentiles[name][rows]
        found["flagged"] = self.flagged[rows]
        return found


@dataclass(frozen=True, eq=False)
class _Measured:
    """The scores that need no other images than those learned from."""

    mse: Scores
    error: Scores
    distance: Scores
    appearance: Scores


def find_anomalies(
    trained: TrainedAutoencoder,
    images: Given | None = None,
    *,
    own: ImageSet | None = None,
    by: By = "combined",
    false_alarms: float | None = None,
    computed: Computed = here,
) -> Anomalies:
    """Score and rank images by how unlike those they are that a run learned from.

    `combined` is Fisher's statistic, the sum of -log p of the error, the distance and the appearance. p is
    the share of the validation images that score as high; beyond nine in ten of them a Pareto tail (Hill,
    1975) goes on.
    The threshold is a conformal one (Vovk and others, 2005): the k-th highest score of n validation images,
    where k is the whole part of false_alarms (n + 1).

    Args:
        images: what is ranked, as `TrainedAutoencoder.encode` takes it; None: the run's own images.
        own: the run's own images, where they have been read already, or Python alone has them.
        by: the score that ranks.
        false_alarms: the share of usual images that may lie over the threshold; None: 0.01, or the lowest
            that so many validation images allow.
        computed: what computes the codes of what is ranked.

    Raises:
        RunError: the run's own images are not at hand, or it kept none for validation.
        ConfigurationError: an unknown score, or a rate for which there are too few validation images.
        DataError: images of another shape than the run's.
    """
    run = _run_of(trained)
    known, rate, place = check(run, by, false_alarms)
    if own is None:
        own = own_or_other(run, None)[0]
    else:
        own = image_set(trained, own)
        require_own(run, own)
    asked = own if images is None else image_set(trained, images)
    learned = _sample(np.flatnonzero(np.isin(own.image_hashes, run.learned_from)))
    with refined_kept(trained):
        reference = _Reference(trained, own, learned, computed)
        usual, found = (reference.measured(*one) for one in ((own, known), (asked, np.arange(len(asked)))))
    scores = {name: (getattr(usual, name), getattr(found, name)) for name in SINGLE}
    scores["combined"] = _combined(usual, usual), _combined(found, usual)
    against, score = scores[by]
    order, ranks = ranked(score, asked.image_hashes)
    return Anomalies(
        images=asked,
        mse=found.mse,
        error=found.error,
        distance=found.distance,
        appearance=found.appearance,
        combined=scores["combined"][1],
        percentiles={name: _percentiles(*pair) for name, pair in scores.items()},
        by=by,
        order=order,
        ranks=ranks,
        false_alarms=rate,
        threshold=float(np.sort(against)[-place]),
    )


def ranked(score: Scores, hashes: Hashes) -> tuple[Int64Array, Int64Array]:
    """Rows, the highest score first, and their ranks from 1; images with equal hashes have one rank."""
    order = np.argsort(-score, kind="stable")
    _, first, which = np.unique(hashes[order], return_index=True, return_inverse=True)
    place = first[which]  # where the first of its copies stands
    _, ranks = np.unique(np.sort(place), return_inverse=True)
    return order[np.argsort(place, kind="stable")], ranks.astype(np.int64) + 1


def _run_of(trained: TrainedAutoencoder) -> Run:
    if trained.run is None:
        raise RunError(
            "anomalies are found by comparison with the images of a run",
            found="a network without its run",
            do="open the run: latentspace.load(RUN)",
        )
    return trained.run


def check(run: Run, by: str, false_alarms: float | None) -> tuple[Int64Array, float, int]:
    """The validation images, the rate, and which score is the threshold, counted from the highest.

    Raises:
        RunError, ConfigurationError: as `find_anomalies`, before an image is read.
    """
    if by not in get_args(By):
        raise ConfigurationError(
            f"anomalies are ranked by one of: {', '.join(get_args(By))}", found=repr(by), do="name one"
        )
    known = run.split.part("validation")
    if not len(known):
        raise RunError(
            "anomalies are found by comparison with validation images",
            found="none in the run's split",
            do="train with some",
        )
    if run.experiment.training.fit != "train":
        logger.warning("the run has learned from its validation images: its percentiles are too high")
    known = _sample(known)
    least = 1 / (len(known) + 1)
    rate = max(RATE, least) if false_alarms is None else false_alarms
    if not least <= rate < 1:
        raise ConfigurationError(
            f"with {counted(len(known), 'validation image')}, false alarms have a rate from {least:.2g} to 1",
            found=str(rate),
            do=f"write for example {option('false_alarms', max(RATE, float(np.ceil(least * 100) / 100)))}",
        )
    return known, rate, int(rate * (len(known) + 1) + 1e-9)


def _sample(rows: Int64Array) -> Int64Array:
    """At most `REFERENCE` of them, in their order."""
    if len(rows) <= REFERENCE:
        return rows.astype(np.int64)
    return np.sort(np.random.default_rng(0).permutation(rows)[:REFERENCE]).astype(np.int64)


class _Reference:
    """The codes and the statistics of the images that a run has learned from."""

    def __init__(
        self, trained: TrainedAutoencoder, own: ImageSet, learned: Int64Array, computed: Computed
    ) -> None:
        self._computing = Computing(trained, "32", errors=True)
        self._computed = computed
        self.codes: CodeArray = trained.encode(own, chosen=learned)
        hashes = own.image_hashes[learned]
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]
        parts = [
            statistics(own.pixels[learned[at : at + _AT_ONCE]]) for at in range(0, len(learned), _AT_ONCE)
        ]
        self._appearance = Appearance(np.concatenate(parts))

    def measured(self, images: ImageSet, rows: Int64Array) -> _Measured:
        parts = {start: rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)}
        found: dict[int, tuple[Scores, ...]] = {}
        with closing(self._computed(Encoded(self._computing, images.pixels), parts)) as pieces:
            for start, columns in told(pieces, "parts of images measured", len(parts)):
                found[start] = self._part(images, parts[start], columns)
        return _Measured(*(np.concatenate(one) for one in zip(*(found[one] for one in parts), strict=True)))

    def _part(self, images: ImageSet, rows: Int64Array, found: Columns) -> tuple[Scores, ...]:
        codes, mse, pixels = found["codes"], found["errors"], images.pixels[rows]
        places = self._places(images.image_hashes[rows])
        near = nearest(codes, self.codes, NEIGHBOUR, own=places)
        appearance = self._appearance.distances(statistics(pixels), places)
        return mse, relative_error(mse, pixels), near.distances[:, -1], appearance

    def _places(self, hashes: np.ndarray) -> Int64Array:
        """For each image its own place among the codes, or -1."""
        place = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        places: Int64Array = np.where(self._hashes[place] == hashes, self._order[place], -1).astype(np.int64)
        return places


def relative_error(mse: Scores, pixels: Pixels) -> Scores:
    """The mean squared error a pixel as a share of each image's own variance (plus `FLOOR`)."""
    variance = pixels.reshape(len(pixels), -1).var(axis=1, dtype=np.float32) / 255**2
    error: Scores = (mse / (variance + np.float32(FLOOR))).astype(np.float32)
    return error


def _combined(found: _Measured, usual: _Measured) -> Scores:
    parts = [surprise(getattr(found, name), getattr(usual, name)) for name in SINGLE]
    combined: Scores = np.sum(parts, axis=0).astype(np.float32)
    return combined


def surprise(found: Scores, usual: Scores) -> np.ndarray:
    """-log of the share of `usual` scores that are as high, with a Pareto tail."""
    known, score = (np.log(np.maximum(one.astype(np.float64), 1e-12)) for one in (usual, found))
    known = np.sort(known)
    above = len(known) - np.searchsorted(known, score, "left")
    start = np.quantile(known, 1 - TAIL)
    excess = known[known > start] - start
    scale = max(float(excess.mean()) if len(excess) else 0.0, 1e-3)
    tail = -np.log(TAIL) + np.maximum(score - start, 0) / scale
    rare: np.ndarray = np.where(score > start, tail, -np.log((above + 1) / (len(known) + 1)))
    return rare


def _percentiles(usual: Scores, found: Scores) -> Scores:
    below = np.searchsorted(np.sort(usual), found, "left")
    return (100 * below / len(usual)).astype(np.float32)
