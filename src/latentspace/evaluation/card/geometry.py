"""How codes lie: how many of their numbers are in use, how these depend on each other, what a map keeps."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import torch

from ...core.devices import exact
from ...core.randomness import numpy_generator
from ...core.types import Int64Array
from ...core.wording import counted
from ...data.batches import passed_once, told_of
from ...inference.maps import FEWEST, project
from ...models.posteriors import Gaussian
from ...models.priors import StandardNormal
from ..likelihood import ACTIVE, BATCH, divergence_by_dimension
from .probe import Features
from .subject import Subject
from .tally import Tally
from .values import LEVEL, Curve, Row, Value

MAPPED: Final = 800  # images whose map is evaluated
NEIGHBOURS: Final = 10
HALVES: Final = 10  # random halves that the spread of a map's measures is taken from
COLLAPSED: Final = 0.1  # share of the code's numbers in use, under which there is an alarm


def rows_of(subject: Subject, tally: Tally) -> list[Row]:
    """Measures of the codes that need no label."""
    features = {name: one for name, one in subject.evaluated_features.items() if name != "pixels"}
    prior = subject.encoder.model.prior is not None

    def each(statistic: Callable[[Features, Int64Array], float]) -> dict[str, Callable[[Int64Array], float]]:
        return {name: partial(statistic, one) for name, one in features.items()}

    used = partial(active_units, absolute=prior)
    rows = [tally.statistic("active_units", "numbers of the code in use", each(used), None, unit="numbers")]
    if subject.encoder.code_size > 1:
        correlation = each(total_correlation)
        rows += [
            tally.statistic("effective_rank", "effective rank", each(effective_rank), None, centred=True),
            tally.statistic(
                "total_correlation", "total correlation", correlation, None, unit="nats", centred=True
            ),
        ]
    return [*rows, *_maps(subject)]


def curves_of(subject: Subject, tally: Tally) -> list[Curve]:
    """What each number of the code says of its image, of a run with a prior (`divergence_by_dimension`)."""
    terms = _divergences(subject)
    if terms is None:
        return []
    order = np.argsort(-terms.mean(axis=0))
    points = tuple(map(float, range(1, len(order) + 1)))
    lines = {"run": [terms[:, one] for one in order]}
    standard = isinstance(subject.encoder.model.prior, StandardNormal)
    against = "the prior" if standard else "the Gaussian of all codes"
    title = f"divergence of each number of the code from {against}, in nats"
    return [
        tally.curve("kl_per_dimension", title, "numbers of the code, the largest first", points, lines, None)
    ]


def effective_rank(codes: Features, rows: Int64Array) -> float:
    """The exponential of the entropy of the normalised singular values: 1 to the code size.

    O. Roy and M. Vetterli, "The effective rank" (2007), of the centred codes.
    """
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(codes[rows].astype(np.float64), rowvar=False)))
    sizes = np.sqrt(np.clip(values, 0, None))
    if sizes.sum() == 0:
        return 0.0
    shares = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def total_correlation(codes: Features, rows: Int64Array) -> float:
    """Of a Gaussian with the codes' correlations: -1/2 log det of these, in nats; numbers that vary alone."""
    some = codes[rows].astype(np.float64)
    some = some[:, some.std(axis=0) > 0]
    if some.shape[1] < 2:
        return 0.0
    smoothed = np.corrcoef(some, rowvar=False) + 1e-9 * np.eye(some.shape[1])
    return float(max(0.0, -0.5 * np.linalg.slogdet(smoothed)[1]))


def active_units(codes: Features, rows: Int64Array, *, absolute: bool) -> float:
    """How many numbers of the code vary with the image.

    Args:
        absolute: a variance above 0.01, where there is a prior (Burda et al. 2016, section 5.2); else above
            0.01 times the mean variance.
    """
    variances = codes[rows].var(axis=0, dtype=np.float64)
    return float((variances > ACTIVE * (1.0 if absolute else float(variances.mean()))).sum())


def collapse(subject: Subject) -> tuple[str, ...]:
    """A sentence where few numbers of the code are in use, or none."""
    found, size = subject.evaluated_features["run"], subject.encoder.code_size
    every = np.arange(len(found))
    used = active_units(found, every, absolute=subject.encoder.model.prior is not None)
    if found.std(axis=0).max() == 0:
        return ("All images have one code: the network ignores them.",)
    if used <= COLLAPSED * size:
        return (f"The codes have collapsed: {used:.0f} of {counted(size, 'number')} are in use.",)
    rank = effective_rank(found, every)
    if size >= 1 / COLLAPSED and rank <= COLLAPSED * size:
        return (f"The codes have collapsed: their effective rank is {rank:.1f} of {size}.",)
    return ()


@torch.no_grad()
@exact()
def _divergences(subject: Subject) -> np.ndarray | None:
    """Of each evaluated image and each number of its code, in nats; None where there is none of each."""
    model, device = subject.encoder.model, subject.encoder.device
    if model.prior is None:
        return None
    found: list[Gaussian] = []
    for batch in told_of(
        passed_once(subject.evaluated_set.pixels, subject.evaluated, device), BATCH, "posteriors"
    ):
        posterior = model.encode(batch.inputs)
        if not isinstance(posterior, Gaussian):
            return None
        found.append(posterior)
    means = torch.cat([one.mean.cpu().double() for one in found])
    log_variances = torch.cat([one.log_variance.cpu().double() for one in found])
    return divergence_by_dimension(model.prior, Gaussian(means, log_variances)).numpy()


def _maps(subject: Subject) -> list[Row]:
    """What a map in the plane keeps of the neighbourhoods of the codes, beside other features on theirs.

    A map by PCA of codes of one or two numbers is these codes: there is nothing to measure.
    """
    if len(subject.evaluated) < 4 * NEIGHBOURS + 2:  # more than twice the neighbours in each half
        return []
    chosen = np.sort(numpy_generator(subject.seed, "figure").permutation(len(subject.evaluated))[:MAPPED])
    rows: list[Row] = []
    some = {name: one[chosen] for name, one in subject.evaluated_features.items()}
    spaces = {"pca": some, "tsne": {name: some[name] for name in ("run", "pixels")}}
    if subject.encoder.code_size <= 2:
        del spaces["pca"]
    for method, features in spaces.items():
        if method == "tsne" and len(chosen) < FEWEST:
            continue
        maps = {name: project(one, method, subject.seed).points for name, one in features.items()}
        rows += _kept(subject, features, maps, method)
    return rows


def _kept(
    subject: Subject, features: Mapping[str, Features], maps: Mapping[str, np.ndarray], method: str
) -> list[Row]:
    from sklearn.manifold import trustworthiness

    rows = []
    words = {"pca": "map by PCA", "tsne": "map by t-SNE"}[method]
    for measure in ("trustworthiness", "continuity"):
        found = {}
        for name, points in maps.items():
            ways = (features[name], points) if measure == "trustworthiness" else (points, features[name])

            def kept(some: Int64Array, ways: tuple[np.ndarray, np.ndarray] = ways) -> float:
                return float(trustworthiness(ways[0][some], ways[1][some], n_neighbors=NEIGHBOURS))

            found[name] = _by_halves(kept, len(points), subject.seed)
        rows.append(
            Row(
                name=f"{measure}_{method}",
                title=f"{measure} of a {words}",
                better="higher",
                run=found.pop("run"),
                beside=found,
            )
        )
    return rows


def _by_halves(statistic: Callable[[Int64Array], float], images: int, seed: int) -> Value:
    """A value whose deviation is that among random halves (the delete-half jackknife).

    A measure of neighbours cannot be resampled: an image that is held twice is its own nearest.
    J. Shao and C. F. J. Wu, "A general theory for jackknife variance estimation" (1989).
    """
    from scipy.stats import norm

    draw = numpy_generator(seed, "sample")
    halves = [statistic(draw.permutation(images)[: images // 2]) for _ in range(HALVES)]
    value, deviation = statistic(np.arange(images)), float(np.std(halves, ddof=1))
    reach = float(norm.ppf((1 + LEVEL) / 2)) * deviation
    return Value(value=value, low=value - reach, high=value + reach, deviation=deviation)
