"""The report's section 5.1, counted by hand; dropout; the Gaussian posterior."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from latentspace.core.randomness import generator
from latentspace.models.autoencoder import VariationalConfig
from latentspace.models.encoders import VariationalEncoder
from latentspace.models.layers.conv import ConvTranspose2d, Unflatten
from latentspace.models.layers.dropout import Dropout
from latentspace.models.layers.init import initialise
from latentspace.models.posteriors import Gaussian
from latentspace.models.priors import StandardNormal


def test_the_reports_sizes_layer_by_layer():
    """28 -> 14 -> 7 and back; 3,174,821 weights."""
    model = VariationalConfig().build((1, 28, 28), generator(0, "weights"))
    assert [stage.small for stage in model.encoder.stages] == [(14, 14), (7, 7)]
    convolutions = (200 * 1 * 16 + 200) + (400 * 200 * 16 + 400)
    mu_and_logvar = 2 * (400 * 7 * 7 * 10 + 10)
    back = (10 * 400 * 7 * 7 + 400 * 7 * 7) + (400 * 200 * 16 + 200) + (200 * 1 * 16 + 1)
    assert convolutions + mu_and_logvar + back == 3_174_821
    assert sum(one.numel() for one in model.parameters()) == 3_174_821
    for layer in (model.encoder.conv1, model.encoder.conv2):
        assert (layer.kernel, layer.stride, layer.padding, layer.relu) == (4, 2, (1, 1), True)


def test_the_decoder_is_one_linear_layer_two_transposed_convolutions_and_a_relu_between():
    model = VariationalConfig().build((1, 28, 28), generator(0, "weights"))
    layers = [one for one in model.decoder.modules() if not list(one.children())]
    assert [type(one) for one in layers] == [nn.Linear, Unflatten, ConvTranspose2d, ConvTranspose2d]
    assert [one.relu for one in layers[2:]] == [True, False]


def test_dropout_of_03_after_each_convolution_of_the_encoder(monkeypatch):
    """What enters each of the two is a ReLU's output, of the sizes 14 and 7."""
    model = VariationalConfig(conv1_channels=8, conv2_channels=6).build((1, 28, 28), generator(0, "weights"))
    seen = []
    kept = Dropout.forward

    def watched(self, activations, generator):
        seen.append((self.p, tuple(activations.shape[1:]), bool((activations >= 0).all())))
        return kept(self, activations, generator)

    monkeypatch.setattr(Dropout, "forward", watched)
    model.train()(torch.rand(2, 1, 28, 28), generator(0, "noise"))
    assert seen == [(0.3, (8, 14, 14), True), (0.3, (6, 7, 7), True)]


def test_dropout_moves_the_codes_in_training_and_not_in_evaluation():
    encoder = VariationalEncoder((1, 16, 16), (8, 8), 0.3, 4)
    initialise(encoder, generator(0, "weights"))
    images = torch.rand(3, 1, 16, 16)
    noise = generator(0, "noise")
    assert not torch.equal(encoder(images, noise).mean, encoder(images, noise).mean)
    encoder.eval()
    assert torch.equal(encoder(images).mean, encoder(images).mean)


class TestDropout:
    """The law of torch.nn.Dropout: a share p is zero, the rest is scaled so that the mean stays."""

    def test_shares_scale_and_mean(self):
        ones = torch.ones(1000, 1000)
        dropped = Dropout(0.3)(ones, generator(0, "noise"))
        assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.7])
        assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.003)
        assert dropped.mean().item() == pytest.approx(1, abs=0.004)

    def test_torch_has_the_same_law(self):
        torch.manual_seed(0)
        theirs = nn.functional.dropout(torch.ones(1000, 1000), 0.3)
        ours = Dropout(0.3)(torch.ones(1000, 1000), generator(0, "noise"))
        assert ours.unique().tolist() == pytest.approx(theirs.unique().tolist())
        assert ours.mean().item() == pytest.approx(theirs.mean().item(), abs=0.006)
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.01)

    def test_the_gradient_is_that_of_what_was_kept(self):
        given = torch.ones(100, requires_grad=True)
        dropped = Dropout(0.5)(given, generator(0, "noise"))
        dropped.sum().backward()
        assert torch.equal(given.grad, dropped.detach())

    def test_off_in_evaluation_and_at_p_0(self):
        given = torch.rand(10)
        assert Dropout(0.5).eval()(given, None) is given
        assert Dropout(0.0)(given, None) is given

    def test_without_a_generator_it_does_not_draw_from_torchs(self):
        with pytest.raises(TypeError, match="generator"):
            Dropout(0.5)(torch.rand(10), None)


class TestGaussian:
    mean = torch.tensor([[0.0, 1.0, -2.0], [0.5, 0.0, 3.0]])
    log_variance = torch.tensor([[0.0, -1.0, 0.5], [2.0, 0.0, -3.0]])

    @property
    def posterior(self) -> Gaussian:
        return Gaussian(self.mean, self.log_variance)

    @property
    def theirs(self) -> Normal:
        return Normal(self.mean, torch.exp(0.5 * self.log_variance))

    def divergences(self) -> torch.Tensor:
        return StandardNormal(3).kl_terms(self.posterior, self.mean)

    def test_kl_by_hand(self):
        """One dimension of mean 1 and variance e^-1: (1 + e^-1 - 1 + 1) / 2."""
        assert self.divergences()[0, 0] == 0
        assert self.divergences()[0, 1].item() == pytest.approx((1 + math.exp(-1)) / 2)

    def test_kl_against_torch(self):
        theirs = kl_divergence(self.theirs, Normal(torch.zeros(2, 3), torch.ones(2, 3)))
        torch.testing.assert_close(self.divergences(), theirs)

    def test_densities_against_torch(self):
        codes = torch.tensor([[0.3, -1.0, 2.0], [5.0, 0.0, 3.1]])
        torch.testing.assert_close(
            self.posterior.log_prob(codes), Independent(self.theirs, 1).log_prob(codes)
        )
        prior = Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
        torch.testing.assert_close(StandardNormal(2).log_prob(codes), prior.log_prob(codes))

    def test_samples_follow_it_and_carry_gradients(self):
        mean = self.mean[:1].repeat(200_000, 1).requires_grad_()
        log_variance = self.log_variance[:1].repeat(200_000, 1).requires_grad_()
        codes = Gaussian(mean, log_variance).sample(generator(0, "noise"))
        torch.testing.assert_close(codes.mean(dim=0), self.mean[0], atol=0.01, rtol=0)
        torch.testing.assert_close(codes.var(dim=0), self.log_variance[0].exp(), atol=0, rtol=0.01)
        codes.sum().backward()
        assert torch.equal(mean.grad, torch.ones_like(mean))
        expected = 0.5 * (codes - mean).detach()  # d/d logvar of exp(logvar / 2) e
        torch.testing.assert_close(log_variance.grad, expected, atol=1e-6, rtol=1e-4)

    def test_without_a_generator_it_does_not_draw_from_torchs(self):
        with pytest.raises(TypeError, match="generator"):
            self.posterior.sample(None)
