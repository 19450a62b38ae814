"""A mixture of Gaussians fitted to codes: what new codes of a network without a prior are drawn from."""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float

from ..core.randomness import numpy_generator
from ..core.types import CodeArray, Int64Array
from ..core.wording import counted
from ..models.priors import Prior

COMPONENTS: Final = 32  # at most
CODES_A_VALUE: Final = 20  # codes that a component has for each number of a code, at least
FITTED_TO: Final = 20_000  # codes, at most
SMOOTHING: Final = 1e-3  # of the codes' mean variance, is added to each variance


@dataclass(frozen=True, eq=False)
class CodeMixture:
    """Gaussians with full covariances.

    Args:
        weights: how probable each is, adding up to one.
        means: components x code.
        factors: the lower Cholesky factors of their covariances, components x code x code.
    """

    weights: Float[np.ndarray, " components"]
    means: Float[np.ndarray, "components code"]
    factors: Float[np.ndarray, "components code code"]

    @property
    def words(self) -> str:
        """What it is, for a person."""
        count = counted(len(self.weights), "Gaussian")
        return f"a mixture of {count} fitted to the codes of the training images"

    def draw(self, count: int, seed: int) -> CodeArray:
        """`count` codes; a seed gives the same codes, and the first of many are those of few."""
        chances = numpy_generator(seed, "component").random(count)
        chosen = np.searchsorted(np.cumsum(self.weights)[:-1], chances, side="right")
        noise = numpy_generator(seed, "sample").standard_normal((count, self.means.shape[1]))
        codes = self.means[chosen] + np.einsum("nij,nj->ni", self.factors[chosen], noise)
        return np.asarray(codes, dtype=np.float32)


@torch.no_grad()
def mixture_of(prior: Prior) -> CodeMixture:
    """A network's prior; of one that is no mixture of Gaussians, one that is fitted to draws of it."""
    found = prior.gaussians()
    if found is None:
        draws = prior.sample(FITTED_TO, torch.Generator(prior.device).manual_seed(0))
        return fitted_mixture(draws.cpu().numpy())
    weights, means, deviations = (
        one.cpu().double().numpy()
        for one in (torch.softmax(found.logits, dim=0), found.means, torch.exp(0.5 * found.log_variances))
    )
    return CodeMixture(weights, means, deviations[:, :, None] * np.eye(means.shape[1]))


def components_for(codes: int, code_size: int) -> int:
    """How many Gaussians so many codes can tell apart."""
    return max(1, min(COMPONENTS, codes // (CODES_A_VALUE * code_size)))


def rows_fitted_to(codes: int) -> Int64Array:
    """Which of so many codes a mixture is fitted to: a seeded sample, where there are too many."""
    if codes <= FITTED_TO:
        return np.arange(codes)
    return np.sort(numpy_generator(0, "sample").choice(codes, FITTED_TO, replace=False))


def fitted_mixture(codes: CodeArray) -> CodeMixture:
    """The mixture that EM finds from k-means (scikit-learn's `GaussianMixture`, seed 0)."""
    from sklearn.exceptions import ConvergenceWarning  # here, as the explorer's page would wait for it
    from sklearn.mixture import GaussianMixture

    codes = codes[rows_fitted_to(len(codes))]
    rows = np.repeat(codes, 2, axis=0) if len(codes) == 1 else codes
    rows = rows.astype(np.float64)
    smoothing = SMOOTHING * float(rows.var(axis=0).mean()) + 1e-12
    found = GaussianMixture(components_for(*rows.shape), reg_covar=smoothing, random_state=0, max_iter=200)
    with warnings.catch_warnings():  # a fit that is not at its very end serves too
        warnings.simplefilter("ignore", ConvergenceWarning)
        found.fit(rows)
    return CodeMixture(found.weights_, found.means_, np.linalg.cholesky(found.covariances_))
