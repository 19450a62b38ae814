"""The contract of every prior: a density that integrates to one, and draws that follow it."""

import copy
from functools import partial

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from latentspace.core.randomness import generator
from latentspace.models.autoencoder import VariationalConfig
from latentspace.models.dense import DenseEncoder, DenseVariationalConfig
from latentspace.models.posteriors import Gaussian
from latentspace.models.priors import PRIORS, Flow, MixtureOfGaussians, StandardNormal, VampPrior
from latentspace.models.stacks.family import ResidualVariationalConfig

SIZE = 2


@pytest.fixture(params=sorted(PRIORS))
def prior(request):
    torch.manual_seed(0)
    encoder = DenseEncoder((1, 8, 8), [16], SIZE, variational=True)
    return PRIORS[request.param].beside(encoder, (1, 8, 8), SIZE)


@torch.no_grad()
def test_the_density_integrates_to_one(prior):
    steps = torch.linspace(-8, 8, 401)
    codes = torch.cartesian_prod(steps, steps)
    total = prior.log_prob(codes).exp().sum() * (steps[1] - steps[0]) ** 2
    assert float(total) == pytest.approx(1, abs=1e-3)


def test_draws_follow_the_density(prior):
    """The mean of log p over draws is minus the entropy, which the grid gives too."""
    with torch.no_grad():
        drawn = prior.log_prob(prior.sample(40_000, torch.Generator().manual_seed(1))).mean()
        steps = torch.linspace(-8, 8, 401)
        grid = prior.log_prob(torch.cartesian_prod(steps, steps))
        expected = (grid.exp() * grid).sum() * (steps[1] - steps[0]) ** 2
    assert float(drawn) == pytest.approx(float(expected), abs=0.03)


def test_a_seed_gives_the_same_draws(prior):
    one, other = (prior.sample(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)


def test_the_divergence_is_that_of_many_draws(prior):
    draw = torch.Generator().manual_seed(0)
    count = 50_000
    posterior = Gaussian(torch.full((count, SIZE), 0.7), torch.full((count, SIZE), -1.0))
    codes = posterior.sample(draw)
    with torch.no_grad():
        terms = prior.kl_terms(posterior, codes).sum(dim=1)
        weights = posterior.log_prob(codes) - prior.log_prob(codes)
    assert float(terms.mean()) == pytest.approx(float(weights.mean()), rel=0.02)


def test_one_standard_component_is_the_standard_normal():
    mixture, codes = MixtureOfGaussians(SIZE, components=1), torch.randn(20, SIZE)
    with torch.no_grad():
        mixture.means.zero_()
        mixture.log_variances.zero_()
    torch.testing.assert_close(mixture.log_prob(codes).detach(), StandardNormal(SIZE).log_prob(codes))


def test_a_flow_that_bends_still_integrates_to_one_and_draws_what_it_says():
    torch.manual_seed(1)
    flow = Flow(SIZE)
    with torch.no_grad():
        for coupling in flow.couplings:
            coupling.network[2].weight.normal_(std=0.12)
    steps = torch.linspace(-12, 12, 401)
    with torch.no_grad():
        grid = flow.log_prob(torch.cartesian_prod(steps, steps))
        area = (steps[1] - steps[0]) ** 2
        drawn = flow.log_prob(flow.sample(40_000, torch.Generator().manual_seed(1))).mean()
        bent = (grid - StandardNormal(SIZE).log_prob(torch.cartesian_prod(steps, steps))).abs().max()
    assert bent > 1
    assert float(grid.exp().sum() * area) == pytest.approx(1, abs=1e-3)
    assert float(drawn) == pytest.approx(float((grid.exp() * grid).sum() * area), abs=0.03)


def test_a_flow_of_a_single_number_is_a_density_too():
    flow = Flow(1)
    steps = torch.linspace(-8, 8, 401)[:, None]
    with torch.no_grad():
        total = flow.log_prob(steps).exp().sum() * (steps[1] - steps[0])
    assert float(total) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("prior", ["mixture", "flow", "vamp"])
@pytest.mark.parametrize(
    "network",
    [
        partial(ResidualVariationalConfig, width=8),
        partial(VariationalConfig, conv1_channels=4, conv2_channels=4),
        partial(DenseVariationalConfig, neurons=8),
    ],
)
def test_a_networks_prior_is_a_function_of_its_seed_and_learned(prior, network):
    config = network(prior=prior, code_size=3)
    one, other = (config.build((1, 8, 8), generator(5, "weights")) for _ in range(2))
    assert all(map(torch.equal, one.prior.parameters(), other.prior.parameters()))
    codes = 0.1 * torch.randn(20, 3)
    with torch.no_grad():
        near = one.prior.log_prob(codes) - StandardNormal(3).log_prob(codes)
    if prior == "flow":
        assert near.abs().max() < 0.5, "it does not begin about N(0, I)"
    passed = one(torch.rand(4, 1, 8, 8), torch.Generator().manual_seed(0))
    passed.latents[0].kl_terms().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in one.prior.parameters())


@pytest.mark.parametrize(
    "config",
    [
        VariationalConfig(prior="vamp", conv1_channels=4, conv2_channels=4, code_size=SIZE),
        ResidualVariationalConfig(prior="vamp", width=4, code_size=SIZE, corrections=2),
    ],
)
def test_a_vampprior_is_the_mean_of_the_posteriors_of_its_images(config):
    """Beside torch's own mixture of independent normals; a correction of codes is part of a posterior."""
    network = config.build((1, 8, 8), generator(5, "weights"))
    assert network.training, "dropout would be drawn"
    prior, codes = network.prior, torch.randn(20, SIZE)
    found = prior.log_prob(codes)
    assert network.encoder.training
    assert network.decoder.training
    with torch.no_grad():
        posterior = network.eval().encode(torch.sigmoid(prior.images))
        each = Independent(Normal(posterior.mean, torch.exp(0.5 * posterior.log_variance)), 1)
        expected = MixtureSameFamily(Categorical(torch.ones(len(prior.images))), each).log_prob(codes)
    torch.testing.assert_close(found.detach(), expected)


@pytest.mark.parametrize("corrections", [0, 1])
def test_a_vampprior_follows_the_encoder_of_a_copy_and_of_loaded_weights(corrections):
    config = ResidualVariationalConfig(prior="vamp", width=4, code_size=SIZE, corrections=corrections)
    one, other = (config.build((1, 8, 8), generator(seed, "weights")) for seed in (1, 2))
    names = list(one.state_dict())
    assert all(name.startswith(("encoder.", "decoder.", "correction.", "prior.")) for name in names)
    assert {name for name in names if name.startswith("prior.")} == {"prior.images", "prior.logits"}
    copied, codes = copy.deepcopy(other), torch.randn(6, SIZE)
    copied.load_state_dict(one.state_dict())
    with torch.no_grad():
        assert torch.equal(copied.prior.log_prob(codes), one.prior.log_prob(codes))
        assert not torch.equal(other.prior.log_prob(codes), one.prior.log_prob(codes))
    assert isinstance(copied.prior, VampPrior)
