"""Refinement: the step of a linear decoder is exact, no code becomes worse, and training has none of it."""

import math
import threading
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from latentspace.core.randomness import generator
from latentspace.experiment.config import Experiment
from latentspace.models.autoencoder import Autoencoder, EncoderDecoderConfig, unrefined
from latentspace.models.likelihoods import Bernoulli, Gaussian, Likelihood, MeanSquared
from latentspace.models.posteriors import Dirac
from latentspace.models.priors import Flow, MixtureOfGaussians, StandardNormal
from latentspace.models.refinement import refined
from latentspace.models.remembered import refined_once
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig

SHAPE = (1, 8, 9)
SIZE = 3


class Squares(Likelihood):
    """Half of the squared error of the logits themselves: what is minimised is then a parabola."""

    name = "squares"

    def log_prob(self, logits, images):
        return -0.5 * (logits - images).square().flatten(1).sum(dim=1)

    def curvature(self, logits):
        return torch.ones_like(logits)


def decoder() -> nn.Module:
    """A bent one, whose images differ much by their code."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(SIZE, 24), nn.SiLU(), nn.Linear(24, math.prod(SHAPE)), nn.Unflatten(1, SHAPE)
    )
    with torch.no_grad():
        for one in network.parameters():
            one.mul_(3)
    return network


def given(count: int = 7) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A decoder, codes, and images of codes nearby."""
    network = decoder()
    codes = torch.randn(count, SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        images = torch.sigmoid(network(codes + 0.4))
    return network, codes, images


def value(codes, images, network, likelihood, prior):
    with torch.no_grad():
        found = -likelihood.log_prob(network(codes), images)
        return found if prior is None else found - prior.log_prob(codes)


@pytest.mark.parametrize("size", [1, 2, SIZE])
@pytest.mark.parametrize("with_prior", [False, True])
def test_one_step_is_the_solution_where_logits_are_linear_in_the_code(size, with_prior):
    """Ridge regression of each image on the decoder's weights, by NumPy's own solver in float64."""
    torch.manual_seed(0)
    linear, prior = nn.Linear(size, math.prod(SHAPE)), StandardNormal(size) if with_prior else None
    images, aside = torch.rand(50, *SHAPE), 0.3 * torch.randn(50, size)  # within a step's reach
    weight, bias = (one.detach().double().numpy() for one in (linear.weight, linear.bias))
    product = weight.T @ weight + (0 if prior is None else torch.eye(size).numpy())
    best = torch.linalg.solve(
        torch.from_numpy(product), torch.from_numpy(((images.flatten(1).double().numpy()) - bias) @ weight).T
    ).T
    codes, network = best.float() + aside, nn.Sequential(linear, nn.Unflatten(1, SHAPE))
    found = refined(codes, images, network, Squares(), prior, 1)
    torch.testing.assert_close(found, best.float(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), MeanSquared()], ids=lambda one: one.name)
@pytest.mark.parametrize("prior", [None, StandardNormal(SIZE), MixtureOfGaussians(SIZE), Flow(SIZE)])
def test_no_code_becomes_worse_and_all_together_better(likelihood, prior):
    network, codes, images = given()
    before = value(codes, images, network, likelihood, prior)
    for steps in (1, 3):
        after = value(
            refined(codes, images, network, likelihood, prior, steps), images, network, likelihood, prior
        )
        assert (after <= before + 1e-5 * before.abs()).all()
        assert after.mean() < before.mean()
        before = after


@pytest.mark.parametrize("steps", [1, 4])
def test_a_code_that_gains_without_end_stays_near(steps):
    """Of a decoder that saturates, whose best code for a white image lies at infinity."""
    codes = torch.tensor([[5.0], [0.1]])
    network = nn.Sequential(nn.Softsign(), nn.Linear(1, 64, bias=False), nn.Unflatten(1, (1, 8, 8)))
    nn.init.constant_(network[1].weight, 2.0)
    images = torch.full((2, 1, 8, 8), 1.0)
    found = refined(codes, images, network, MeanSquared(), None, steps)
    start, end = (value(one, images, network, MeanSquared(), None) for one in (codes, found))
    assert (end < start).all()
    assert ((found - codes).norm(dim=1) <= torch.tensor([5.0, 1.0]) * (1 + 1e-5)).all()


def test_codes_of_images_that_the_decoder_can_draw_are_found():
    network, codes, images = given()
    found = refined(codes, images, network, MeanSquared(), None, 20)
    start, end = (value(one, images, network, MeanSquared(), None).mean() for one in (codes, found))
    assert end < 0.01 * start


def test_an_images_code_does_not_depend_on_the_others(monkeypatch):
    network, codes, images = given()
    together = refined(codes, images, network, Bernoulli(), StandardNormal(SIZE), 3)
    alone = refined(codes[3:4], images[3:4], network, Bernoulli(), StandardNormal(SIZE), 3)
    torch.testing.assert_close(together[3:4], alone, atol=1e-4, rtol=1e-4)
    monkeypatch.setattr("latentspace.models.refinement.AT_ONCE", 2 * images[0].numel())
    parts = refined(codes, images, network, Bernoulli(), StandardNormal(SIZE), 3)
    fine = codes.double(), images.double(), network.double(), Bernoulli(), StandardNormal(SIZE).double()
    finely = refined(*fine, 3)
    assert finely.dtype == torch.float64
    torch.testing.assert_close(finely.float(), parts, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(together, parts, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_the_unit_of_a_code_does_not_matter(unit):
    network, codes, images = given()
    usual = refined(codes, images, network, MeanSquared(), None, 2)
    other = refined(codes * unit, images, lambda one: network(one / unit), MeanSquared(), None, 2)
    before, first, second = (
        value(one, images, network, MeanSquared(), None) for one in (codes, usual, other / unit)
    )
    assert (before - second).mean() > 0.9 * (before - first).mean()


def test_what_cannot_be_improved_stays():
    network, codes, images = given()
    with torch.no_grad():
        images = network(codes)  # of logits: each code is already the best of its image
    assert torch.equal(refined(codes, images, network, Squares(), None, 2), codes)
    nowhere = refined(codes, images, lambda one: network(one) * torch.nan, Squares(), None, 2)
    assert torch.equal(nowhere, codes)
    constant = refined(codes, images, lambda one: network(0 * one), Squares(), None, 2)
    assert torch.equal(constant, codes)


@pytest.mark.parametrize("config", [ResidualConfig, ResidualVariationalConfig])
def test_images_are_encoded_with_it_but_not_in_training(config):
    def built(refine: int) -> Autoencoder:
        made = config(code_size=SIZE, width=4, corrections=1, refine=refine)
        return made.build(SHAPE, generator(0, "weights"))

    plain, network, images = built(0), built(2), torch.rand(4, *SHAPE)
    assert plain.state_dict().keys() == network.state_dict().keys()
    with torch.no_grad():
        first = plain.eval().encode(images)
        assert torch.equal(network.train().encode(images).mean, plain.train().encode(images).mean)
        found = network.eval().encode(images)
        assert not torch.equal(found.mean, first.mean)
        assert torch.equal(
            found.mean,
            refined(first.mean, images, network.decoder, network.likelihood, network.prior, 2),
        )
        assert torch.equal(plain.eval().encode(images, refine=2).mean, found.mean)
        assert torch.equal(network.encode(images, refine=0).mean, first.mean)
        with unrefined(nn.ModuleList([network])):
            assert torch.equal(network.encode(images).mean, first.mean)
        assert torch.equal(network.encode(images).mean, found.mean)
    if config is ResidualVariationalConfig:
        assert torch.equal(found.log_variance, first.log_variance)


def test_a_gradient_passes_to_the_encoder_and_none_is_left_in_the_decoder():
    network = ResidualConfig(code_size=SIZE, width=4, refine=1).build(SHAPE, generator(0, "weights")).eval()
    network.encode(torch.rand(4, *SHAPE)).mean.square().sum().backward()
    assert all(one.grad is not None for one in network.encoder.parameters())
    assert all(one.grad is None for one in network.decoder.parameters())


def test_an_image_is_refined_once_by_one_network_while_that_is_asked_for(monkeypatch):
    """By its content alone: in any order, beside others, twice among them; and anew with other weights."""
    monkeypatch.setattr("latentspace.models.autoencoder.refined", counted := Mock(side_effect=refined))
    monkeypatch.setattr("latentspace.models.remembered.MOST", 6)
    config = ResidualVariationalConfig(code_size=SIZE, width=4, refine=1)
    network, same = (config.build(SHAPE, generator(0, "weights")).eval() for _ in range(2))
    images = given(6)[2].detach()

    def rows() -> list[int]:
        found = [len(one.args[0]) for one in counted.call_args_list]
        counted.reset_mock()
        return found

    with torch.no_grad():
        plain = network.encode(images)
        network.encode(images)
        assert rows() == [6, 6]
        with refined_once(), refined_once():
            first = network.encode(images[[0, 2, 0]])
            again = same.encode(images[[5, 2, 1, 0]])
            assert rows() == [2, 2]
            assert torch.equal(first.mean[[1, 0]], again.mean[[1, 3]])
            torch.testing.assert_close(again.mean, plain.mean[[5, 2, 1, 0]])
            torch.testing.assert_close(again.log_variance, plain.log_variance[[5, 2, 1, 0]])
            network.encode(images, refine=2)  # other codes: those of one step are forgotten, which leaves six
            network.encode(images)
            assert rows() == [6, 6]
            next(same.decoder.parameters()).add_(0.1)
            assert not torch.equal(same.encode(images).mean, plain.mean)
            assert rows() == [6]
        network.encode(images)
        assert rows() == [6]


class Where(nn.Module):
    """An outside decoder that notes which threads call it."""

    def __init__(self) -> None:
        super().__init__()
        self.within, self.threads = decoder(), set()

    def forward(self, codes):
        self.threads.add(threading.get_ident())
        return self.within(codes)


class OutsideConfig(EncoderDecoderConfig):
    """A network that says nothing of threads."""

    name: str = "outside"

    def build(self, shape, generator):
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), SIZE), ToDirac())
        return Autoencoder(encoder, Where(), MeanSquared())


class DivisibleConfig(OutsideConfig):
    """A network that threads may call at once."""

    @property
    def divisible(self):
        return True


class ToDirac(nn.Module):
    def forward(self, codes):
        return Dirac(codes)


@pytest.mark.parametrize("config", [OutsideConfig, DivisibleConfig])
def test_threads_refine_a_batch_only_where_the_network_says_that_they_may(config, monkeypatch):
    monkeypatch.setattr("latentspace.models.refinement.AT_ONCE", 4 * math.prod(SHAPE))
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    network = Experiment().model_copy(update={"model": config()}).build(SHAPE).eval()
    _, codes, images = given(40)
    network.refined(codes.__getitem__, images, 1)
    alone = network.decoder.threads == {threading.get_ident()}
    assert alone == (config is OutsideConfig)
