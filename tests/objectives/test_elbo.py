"""The two terms against torch.distributions, and what beta, warm-up and free bits do to them."""

import math

import pytest
import torch
from torch import distributions
from torch.distributions import Normal, kl_divergence

from drawing import bce_per_image, drawing
from latentspace.core.randomness import generator
from latentspace.models.autoencoder import Autoencoder, VariationalConfig
from latentspace.models.priors import StandardNormal
from latentspace.objectives.elbo import ElboConfig, elbo, warmed_up
from latentspace.objectives.importance import importance_weighted


@pytest.fixture
def model() -> Autoencoder:
    config = VariationalConfig(code_size=3, conv1_channels=4, conv2_channels=4)
    return config.build((1, 16, 16), generator(0, "weights")).eval()


def test_bce_of_black_and_white_pixels_is_bernoullis_log_probability():
    logits = torch.randn(4, 3, 5, 6, generator=generator(0, "sample")) * 4
    images = (torch.rand(4, 3, 5, 6, generator=generator(1, "sample")) > 0.5).float()
    expected = -distributions.Bernoulli(logits=logits).log_prob(images).flatten(1).sum(dim=1)
    torch.testing.assert_close(bce_per_image(logits, images), expected)


def test_bce_of_grey_pixels_by_hand():
    """-x log s - (1 - x) log (1 - s), where s = 1/2 gives log 2 whatever x is."""
    images = torch.full((1, 1, 2, 3), 0.25)
    assert bce_per_image(torch.zeros(1, 1, 2, 3), images).item() == pytest.approx(6 * math.log(2))
    logits = torch.full((1, 1, 2, 3), math.log(3))  # s = 3/4
    by_hand = -6 * (0.25 * math.log(0.75) + 0.75 * math.log(0.25))
    assert bce_per_image(logits, images).item() == pytest.approx(by_hand, rel=1e-6)


def test_bce_stays_finite_where_a_sigmoid_would_not():
    logits = torch.full((1, 1, 1, 1), -200.0)
    assert bce_per_image(logits, torch.ones(1, 1, 1, 1)).item() == pytest.approx(200)


@pytest.mark.parametrize("objective", [elbo(), importance_weighted(2)])
def test_what_the_network_adds_itself_is_minimised_too(model, batch, objective):
    class Committed(torch.nn.Module):
        def forward(self, *given):
            passed = model(*given)
            return passed._replace(terms={"commitment": torch.arange(len(passed.logits)) * 1.0})

    plain, loss = (objective(one, batch, drawing(3)) for one in (model, Committed()))
    mean = loss.parts["commitment"].item()
    assert mean in (2.5, 5.5)  # of six images, or of two codes each
    assert loss.total.item() == pytest.approx(plain.total.item() + mean)
    assert loss.parts.keys() == {*plain.parts, "commitment"}


def test_the_loss_is_the_mean_of_both_terms_over_the_images(model, batch):
    loss = elbo()(model, batch, drawing(3))
    posterior = model.encode(batch.inputs)
    codes = posterior.sample(generator(3, "noise"))
    theirs = Normal(posterior.mean, torch.exp(0.5 * posterior.log_variance))
    kl = kl_divergence(theirs, Normal(torch.zeros(6, 3), torch.ones(6, 3))).sum(dim=1).mean()
    bce = bce_per_image(model.decoder(codes), batch.inputs).mean()
    torch.testing.assert_close(loss.parts["kl"], kl)
    torch.testing.assert_close(loss.parts["bce"], bce)
    torch.testing.assert_close(loss.parts["elbo_loss"], bce + kl)
    torch.testing.assert_close(loss.total, bce + kl)


def test_the_importance_weighted_bound_is_its_formula_and_encodes_an_image_once(model, batch):
    """Equation 8 of Burda et al. by torch's own densities, of codes that are drawn image by image."""
    seen = []
    model.encoder.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    loss = importance_weighted(4)(model, batch, drawing(3))
    assert seen == [6]
    posterior = model.encode(batch.inputs)
    noise = torch.randn(6, 4, 3, generator=generator(3, "noise"))
    bounds, single = [], []
    for image, mean, log_variance, draws in zip(
        batch.inputs, posterior.mean, posterior.log_variance, noise, strict=True
    ):
        theirs = Normal(mean, torch.exp(0.5 * log_variance))
        codes = mean + theirs.stddev * draws
        log_likelihood = -bce_per_image(model.decoder(codes), image.expand(4, -1, -1, -1))
        log_ratio = Normal(0, 1).log_prob(codes).sum(dim=1) - theirs.log_prob(codes).sum(dim=1)
        weights = (log_likelihood + log_ratio).double()
        bounds.append(torch.log(torch.exp(weights - weights.max()).mean()) + weights.max())
        single.append(weights.mean())
    torch.testing.assert_close(
        loss.parts["iwae_loss"].double(), -torch.stack(bounds).mean(), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(
        loss.parts["elbo_loss"].double(), -torch.stack(single).mean(), rtol=1e-6, atol=0
    )
    assert loss.parts["iwae_loss"] < loss.parts["elbo_loss"]


def test_beta_weighs_the_divergence_and_leaves_what_is_reported(model, batch):
    plain, weighted = (elbo(beta)(model, batch, drawing()) for beta in (1.0, 4.0))
    torch.testing.assert_close(weighted.total, plain.total + 3 * plain.parts["kl"])
    assert all(torch.equal(weighted.parts[name], plain.parts[name]) for name in plain.parts)


def test_free_bits_lift_each_dimension_to_the_floor_and_no_further(model, batch):
    posterior = model.encode(batch.inputs)
    dimensions = StandardNormal(3).kl_terms(posterior, posterior.mean).mean(dim=0)
    floor = dimensions.sort().values[1].item()  # one dimension lies under it, one at it, one over it
    plain, freed = (elbo(1.0, free_bits=bits)(model, batch, drawing()) for bits in (0.0, floor))
    lifted = floor - dimensions.min()
    assert lifted > 0
    torch.testing.assert_close(freed.total, plain.total + lifted)
    assert torch.equal(freed.parts["elbo_loss"], plain.parts["elbo_loss"])


def test_a_dimension_under_the_floor_is_not_pressed(model, batch):
    """With a floor over all of them the divergence has no gradient: only the pixels' term is left."""
    parameters = [model.encoder.logvar.bias]
    freed = elbo(1.0, free_bits=1e3)(model, batch, drawing())
    bce = elbo(0.0)(model, batch, drawing())
    ours, pixels = (torch.autograd.grad(one.total, parameters)[0] for one in (freed, bce))
    torch.testing.assert_close(ours, pixels)


def test_free_bits_of_a_prior_without_a_closed_form_are_those_of_all_dimensions(batch):
    config = VariationalConfig(code_size=3, conv1_channels=4, conv2_channels=4, prior="flow")
    model = config.build((1, 16, 16), generator(0, "weights")).eval()
    plain = elbo(1.0)(model, batch, drawing())
    kl = plain.parts["kl"].item()
    over, under = (elbo(1.0, free_bits=share * kl / 3)(model, batch, drawing()) for share in (0.9, 1.5))
    torch.testing.assert_close(over.total, plain.total)
    torch.testing.assert_close(under.total, plain.total + 0.5 * kl)


def test_warm_up_rises_in_equal_steps_and_stays():
    assert [warmed_up(2.0, 4, epoch) for epoch in (1, 2, 3, 4, 5, 100)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert warmed_up(0.7, 0, 1) == 0.7


def test_the_plan_warms_up_in_training_and_validates_by_the_plain_elbo(model, batch):
    plan = ElboConfig(beta=2.0, warm_up=4, free_bits=0.5)
    for epoch, beta in ((1, 0.5), (4, 2.0), (9, 2.0)):
        ours = plan.training(model, batch, drawing(epoch=epoch))
        expected = elbo(beta, free_bits=0.5)(model, batch, drawing())
        assert torch.equal(ours.total, expected.total)
    evaluated = plan.validation(model, batch, drawing())
    assert torch.equal(evaluated.total, evaluated.parts["elbo_loss"])
