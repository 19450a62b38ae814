"""A mixture of Gaussians fitted to codes: draws lie where the codes do, and not between their groups."""

import numpy as np
import pytest
import torch

from latentspace.inference.mixtures import CodeMixture, components_for, fitted_mixture, mixture_of
from latentspace.models.dense import DenseEncoder
from latentspace.models.priors import PRIORS


@pytest.fixture(scope="module")
def rings():
    """Four narrow groups of codes, in the corners of a square."""
    draw = np.random.default_rng(0)
    middles = np.array([[-5, -5], [-5, 5], [5, -5], [5, 5]], dtype=np.float32)
    return np.repeat(middles, 100, axis=0) + draw.normal(0, 0.3, (400, 2)).astype(np.float32)


def test_draws_lie_where_codes_are(rings):
    drawn = fitted_mixture(rings).draw(2000, seed=1)
    assert drawn.dtype == np.float32
    assert (np.abs(np.abs(drawn) - 5) < 2).all()
    corners = {tuple(one) for one in np.sign(drawn).tolist()}
    assert len(corners) == 4


def test_the_first_of_many_are_those_of_few(rings):
    mixture = fitted_mixture(rings)
    assert np.array_equal(mixture.draw(50, 3)[:7], mixture.draw(7, 3))
    assert not np.array_equal(mixture.draw(7, 3), mixture.draw(7, 4))


def test_draws_have_the_covariance_of_their_gaussian():
    factor = np.array([[[2.0, 0.0], [1.5, 0.5]]])
    drawn = CodeMixture(np.ones(1), np.array([[3.0, -1.0]]), factor).draw(40_000, 0)
    np.testing.assert_allclose(drawn.mean(axis=0), [3, -1], atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), factor[0] @ factor[0].T, atol=0.1)


@pytest.mark.parametrize(
    ("codes", "size", "expected"), [(3, 10, 1), (400, 10, 2), (8000, 10, 32), (10_000, 128, 3)]
)
def test_few_codes_have_few_gaussians(codes, size, expected):
    assert components_for(codes, size) == expected


@pytest.mark.parametrize("codes", [np.zeros((30, 3)), np.zeros((1, 3)), np.ones((2, 1))])
def test_codes_that_are_all_one_can_be_fitted(codes):
    drawn = fitted_mixture(codes.astype(np.float32)).draw(5, 0)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn, np.repeat(codes[:1], 5, axis=0), atol=1e-3)


@pytest.mark.parametrize("name", sorted(PRIORS))
def test_the_mixture_of_a_prior_draws_as_the_prior_does(name):
    """Means and covariances of many draws; of a flow's, about."""
    torch.manual_seed(0)
    prior = PRIORS[name].beside(DenseEncoder((1, 8, 8), [16], 2, variational=True), (1, 8, 8), 2)
    for weights in prior.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    drawn = mixture_of(prior).draw(40_000, seed=1)
    with torch.no_grad():
        expected = prior.sample(40_000, torch.Generator().manual_seed(2)).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), expected.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(expected.T), atol=0.1)
