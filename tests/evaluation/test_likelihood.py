"""Bounds on log p(x): against a linear Gaussian model, of which log p(x) is known, and by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from drawing import bce_per_image
from latentspace.core.randomness import generator
from latentspace.data.batches import ResidentSet
from latentspace.evaluation.likelihood import (
    divergence_by_dimension,
    importance_weighted_bound,
    importance_weighted_loss,
    mean_code_loss,
    posterior_record,
)
from latentspace.models.autoencoder import Autoencoder, AutoencoderConfig, VariationalConfig
from latentspace.models.posteriors import Gaussian
from latentspace.models.priors import StandardNormal


def divergence_of(posterior: Gaussian) -> Tensor:
    return StandardNormal(3).kl_terms(posterior, posterior.mean).sum(dim=1)


class LinearGaussian:
    """z ~ N(0, I), x | z ~ N(W z + b, s^2 I): so x ~ N(b, W W^T + s^2 I), and z | x is Gaussian as well."""

    def __init__(self, weight: Tensor, std: float = 0.5) -> None:
        self.weight = weight
        self.std = std
        self.bias = torch.tensor([0.3, -0.2, 0.0, 1.0, 0.5], dtype=torch.float64)
        identity = torch.eye(2, dtype=torch.float64)
        self.precision = identity + weight.T @ weight / std**2
        covariance = weight @ weight.T + std**2 * torch.eye(5, dtype=torch.float64)
        self.evidence = MultivariateNormal(self.bias, covariance)

    def posterior(self, x: Tensor) -> MultivariateNormal:
        mean = torch.linalg.solve(self.precision, self.weight.T @ (x - self.bias) / self.std**2)
        return MultivariateNormal(mean, precision_matrix=self.precision)

    def guess(self, x: Tensor, count: int) -> Gaussian:
        """The best posterior without correlations: the true mean, and 1 / precision of each dimension."""
        mean = self.posterior(x).mean.expand(count, 2)
        return Gaussian(mean, -self.precision.diagonal().log().expand(count, 2))

    def log_likelihood(self, x: Tensor, codes: Tensor) -> Tensor:
        means = codes @ self.weight.T + self.bias
        return Independent(Normal(means, self.std), 1).log_prob(x)

    def bounds(self, x: Tensor, samples: int, repeats: int, seed: int = 0) -> Tensor:
        return importance_weighted_bound(
            lambda codes: self.log_likelihood(x, codes),
            self.guess(x, repeats),
            samples,
            generator(seed, "noise"),
            StandardNormal(2).log_prob,
        )


X = torch.tensor([1.2, -0.7, 0.4, 0.1, 2.0], dtype=torch.float64)
CROSSED = torch.tensor([[1.0, 0.8], [0.2, 0.5], [-0.6, 0.3], [0.4, 0.9], [0.1, -0.7]], dtype=torch.float64)
# Columns at right angles: the true posterior has no correlations, so `guess` is exact.
STRAIGHT = torch.tensor([[1.0, 0.0], [0.5, 0.0], [0.0, 0.7], [0.0, -0.4], [0.0, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize("samples", [1, 5])
def test_with_the_true_posterior_the_bound_is_log_p_of_x_whatever_is_drawn(samples):
    model = LinearGaussian(STRAIGHT)
    expected = model.evidence.log_prob(X).expand(50)
    torch.testing.assert_close(model.bounds(X, samples, 50), expected, rtol=1e-10, atol=1e-10)


def test_one_sample_gives_the_elbo():
    """In expectation log p(x) - KL(q || p(z | x)), which has a closed form here."""
    model = LinearGaussian(CROSSED)
    guess = model.guess(X, 1)
    q = MultivariateNormal(guess.mean[0], torch.diag(guess.log_variance[0].exp()))
    elbo = model.evidence.log_prob(X) - kl_divergence(q, model.posterior(X))
    bounds = model.bounds(X, 1, 100_000)
    assert bounds.mean().item() == pytest.approx(elbo.item(), abs=4 * bounds.std().item() / 100_000**0.5)


def test_the_bound_is_never_below_the_elbo_and_tightens_to_log_p_of_x():
    model = LinearGaussian(CROSSED)
    known = model.evidence.log_prob(X).item()
    means = [model.bounds(X, samples, 40_000).mean().item() for samples in (1, 2, 8, 64)]
    error = model.bounds(X, 1, 40_000).std().item() / 40_000**0.5
    assert known - means[0] > 10 * error, "the guess must be wrong enough for the test to say something"
    assert means == sorted(means)
    assert known - means[2] < 0.25 * (known - means[0])
    assert means[3] == pytest.approx(known, abs=4 * error)
    assert means[3] < known + 4 * error


def test_another_prior_can_stand_in_its_place():
    model = LinearGaussian(STRAIGHT)
    wide = Independent(Normal(torch.zeros(2, dtype=torch.float64), 3.0), 1)
    bounds = importance_weighted_bound(
        lambda codes: model.log_likelihood(X, codes),
        model.guess(X, 2000),
        300,
        generator(0, "noise"),
        wide.log_prob,
    )
    covariance = 9 * STRAIGHT @ STRAIGHT.T + 0.25 * torch.eye(5, dtype=torch.float64)
    known = MultivariateNormal(model.bias, covariance).log_prob(X).item()
    assert bounds.mean().item() == pytest.approx(known, abs=0.02)


def network() -> Autoencoder:
    """Its posteriors are made narrow and far apart, so that every term counts."""
    config = VariationalConfig(code_size=3, conv1_channels=4, conv2_channels=4)
    model = config.build((1, 16, 16), generator(0, "weights"))
    nn.init.constant_(model.encoder.logvar.bias, -2)
    with torch.no_grad():
        model.encoder.mu.weight.mul_(20)
        model.decoder.head[0].weight.mul_(5)
    return model.eval()


@pytest.fixture
def pixels() -> Tensor:
    return torch.randint(0, 256, (7, 1, 16, 16), generator=generator(0, "sample")).to(torch.uint8)


def test_one_sample_of_a_network_is_the_sampled_negative_elbo(pixels):
    model = network()
    posterior = model.encode(pixels / 255)
    codes = posterior.sample(generator(4, "noise"))
    q = Normal(posterior.mean, torch.exp(0.5 * posterior.log_variance))
    divergence = (q.log_prob(codes) - Normal(0.0, 1.0).log_prob(codes)).sum(dim=1)
    by_hand = (bce_per_image(model.decoder(codes), pixels / 255) + divergence).mean().item()
    assert importance_weighted_loss(model, ResidentSet(pixels), 1, generator(4, "noise")) == pytest.approx(
        by_hand, rel=1e-6
    )


def test_more_samples_lower_the_loss_of_a_network(pixels):
    model = network()

    def loss(samples: int) -> float:
        """Over 8 sets of draws."""
        found = [
            importance_weighted_loss(model, ResidentSet(pixels), samples, generator(n, "noise"))
            for n in range(8)
        ]
        return sum(found) / len(found)

    one, four, many = loss(1), loss(4), loss(32)
    assert one > four > many


def test_the_mean_code_loss_is_bce_of_the_decoded_mean_and_kl(pixels):
    model = network().train()  # it must be put into evaluation mode by the function itself
    found = mean_code_loss(model, ResidentSet(pixels), torch.Generator().manual_seed(0))
    posterior = model.eval().encode(pixels / 255)
    bce = bce_per_image(model.decoder(posterior.mean), pixels / 255)
    assert found == pytest.approx((bce + divergence_of(posterior)).mean().item(), rel=1e-6)


def test_losses_are_means_over_images_whatever_the_batches(monkeypatch, pixels):
    whole = mean_code_loss(network(), ResidentSet(pixels), torch.Generator().manual_seed(0))
    monkeypatch.setattr("latentspace.evaluation.likelihood.BATCH", 3)
    assert mean_code_loss(network(), ResidentSet(pixels), torch.Generator().manual_seed(0)) == pytest.approx(
        whole, rel=1e-6
    )


def test_the_record_of_a_posterior(pixels):
    """A dimension that ignores its image is inactive; its divergence is that of its constant Gaussian."""
    model = network()
    with torch.no_grad():
        model.encoder.mu.weight[1] = 0
        model.encoder.mu.bias[1] = 0.5
        model.encoder.logvar.weight[1] = 0
        model.encoder.logvar.bias[1] = -1
    record = posterior_record(model, ResidentSet(pixels))
    divergences = record["kl_per_dimension"]
    assert divergences[1] == pytest.approx(0.5 * (0.25 + math.exp(-1) - 1 + 1), rel=1e-5)
    expected = divergence_of(model.encode(pixels / 255)).mean().item()
    assert sum(divergences) == pytest.approx(expected, rel=1e-5)
    variances = model.encode(pixels / 255).mean.var(dim=0, unbiased=False)
    assert record["active_units"] == int((variances > 0.01).sum()) == 2


@pytest.mark.parametrize("prior", ["standard-normal", "flow"])
def test_the_divergence_of_a_dimension_for_each_image_and_for_all(prior, pixels):
    """With another prior: from the Gaussian with the moments of all draws of the posteriors."""
    model = VariationalConfig(prior=prior, conv1_channels=4, conv2_channels=4, code_size=3).build(
        (1, 16, 16), generator(0, "weights")
    )
    posteriors = model.eval().encode(pixels / 255)
    each = divergence_by_dimension(model.prior, posteriors)
    assert each.shape == (len(pixels), 3)
    assert posterior_record(model, ResidentSet(pixels))["kl_per_dimension"] == pytest.approx(
        each.mean(dim=0).tolist(), rel=1e-3
    )
    if prior == "flow":
        own = Normal(posteriors.mean, torch.exp(0.5 * posteriors.log_variance))
        draws = own.sample((4000,)).flatten(0, 1)
        expected = kl_divergence(own, Normal(draws.mean(dim=0), draws.std(dim=0)))
        torch.testing.assert_close(each, expected, atol=0.02, rtol=0.05)


def test_a_plain_autoencoder_has_no_likelihood(pixels):
    model = AutoencoderConfig().build((1, 16, 16), generator(0, "weights"))
    with pytest.raises(TypeError, match="needs a prior"):
        mean_code_loss(model, ResidentSet(pixels), torch.Generator().manual_seed(0))
