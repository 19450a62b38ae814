"""What torch does to a network: second derivatives, torch.func, torch.compile, export and traces."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from lightning_fabric.wrappers import is_wrapped
from torch import Tensor, nn
from torch.func import functional_call, grad, jacfwd, jacrev, vmap

from drawing import random_maps
from latentspace.core.randomness import generator
from latentspace.experiment.config import Experiment
from latentspace.models.autoencoder import Autoencoder
from latentspace.models.layers.conv import Conv2d, ConvTranspose2d
from latentspace.models.layers.dropout import Dropout
from latentspace.models.layers.im2col import Choice
from latentspace.models.layers.init import initialise
from latentspace.training.fabric import Fabric

WIDTHS = {"code_size": 3, "conv1_channels": 4, "conv2_channels": 5}
MODELS = {"ae": {**WIDTHS, "conv3_channels": 4, "neurons": 6}, "vae": {**WIDTHS, "dropout": 0.3}}
PARTS = [(kind, part) for kind in MODELS for part in ("encoder", "decoder")]

CHOICES = [Choice(*one) for one in product((False, True), repeat=3)]

every_choice = pytest.mark.parametrize("choice", CHOICES, ids=lambda one: "".join("-x"[use] for use in one))
with_and_without = pytest.mark.parametrize("relu", [False, True], ids=["plain", "relu"])
every_part = pytest.mark.parametrize(("kind", "part"), PARTS, ids=["-".join(one) for one in PARTS])


class Means(nn.Module):
    """Images -> the means of their posteriors: an encoder that returns a tensor, as export asks for."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, given: Tensor) -> Tensor:
        return self.encoder(given).mean


def layer(kind: type[Conv2d] | type[ConvTranspose2d], channels: int, relu: bool) -> nn.Module:
    """For what `maps_for` makes, in float64, with weights of its own."""
    more = {"output_padding": (0, 1)} if kind is ConvTranspose2d else {}
    made = kind(channels, 3 - channels, 3, stride=2, padding=(1, 0), relu=relu, **more).double()
    initialise(made, generator(3, "weights"))
    nn.init.constant_(made.bias, 0.1)  # part of the maps passes a ReLU
    return made


def maps_for(kind: type[Conv2d] | type[ConvTranspose2d], channels: int) -> Tensor:
    return random_maps(2, channels, (2, 1) if kind is ConvTranspose2d else (3, 4))


def autoencoder(kind: str) -> Autoencoder:
    plan = Experiment.parse({"kind": kind, "model": MODELS[kind], "device": "cpu"}, "the plan")
    return plan.build((1, 12, 13)).double().eval()


def part_of(kind: str, part: str) -> tuple[nn.Module, Callable[[int], Tensor]]:
    """A part of a network as images or codes -> tensor, and what it can be given."""
    network = autoencoder(kind)
    if part == "encoder":
        return Means(network.encoder), lambda count: random_maps(count, 1, (12, 13))
    return network.decoder, lambda count: random_maps(count, 3, (1, 1)).flatten(1)


def gradients(network: Callable[[Tensor], Tensor], given: Tensor, weights: list[Tensor]) -> list[Tensor]:
    given = given.clone().requires_grad_()
    return list(torch.autograd.grad(network(given).square().sum(), [given, *weights]))


both_layers = pytest.mark.parametrize("kind", [Conv2d, ConvTranspose2d])


@both_layers
@every_choice
@with_and_without
def test_second_derivatives_of_a_layer(kind, choice, relu):
    channels = 2 if relu else 1
    ours = layer(kind, channels, relu)
    given = maps_for(kind, channels).requires_grad_()

    def called(given: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return functional_call(ours, {"weight": weight, "bias": bias}, (given, choice))

    arguments = (given, ours.weight, ours.bias)
    assert torch.autograd.gradcheck(called, arguments)
    assert torch.autograd.gradgradcheck(called, arguments, fast_mode=True)  # along random directions


@both_layers
def test_a_gradient_to_be_differentiated_is_the_same(kind):
    """And without a graph it is that of the chosen kernels, for what needs one alone."""
    ours = layer(kind, 2, relu=True)
    given = maps_for(kind, 2).requires_grad_()
    for choice in (Choice(), Choice(gather=True, scatter=True, correlate=True)):
        maps = ours(given, choice)
        upstream = torch.ones_like(maps)
        wanted = [given, ours.weight, ours.bias]
        plain = torch.autograd.grad(maps, wanted, upstream, retain_graph=True)
        graphed = torch.autograd.grad(maps, wanted, upstream, create_graph=True)
        torch.testing.assert_close(graphed, plain)
        assert not any(one.requires_grad for one in plain)
        assert all(one.requires_grad for one in graphed[:2])
    ours.requires_grad_(False)
    (alone,) = torch.autograd.grad(ours(given).sum(), given)
    torch.testing.assert_close(alone, plain[0])


@both_layers
@with_and_without
def test_many_gradients_at_once(kind, relu):
    """A batch of gradients goes back in one pass, by either of torch's ways."""
    ours, given = layer(kind, 2, relu), maps_for(kind, 2)
    one_by_one = torch.autograd.functional.jacobian(ours, given)
    torch.testing.assert_close(torch.autograd.functional.jacobian(ours, given, vectorize=True), one_by_one)
    assert one_by_one.abs().sum() > 0
    given.requires_grad_()
    maps = ours(given)
    upstream = torch.eye(maps.numel(), dtype=torch.float64).view(-1, *maps.shape)
    (rows,) = vmap(lambda one: torch.autograd.grad(maps, given, one, retain_graph=True))(upstream)
    torch.testing.assert_close(rows.view_as(one_by_one), one_by_one)


@every_part
def test_vmap_is_a_loop(kind, part):
    network, make = part_of(kind, part)
    given = make(4)
    expected = torch.stack([network(one[None])[0] for one in given])
    torch.testing.assert_close(vmap(lambda one: network(one[None])[0])(given), expected)
    scales = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    weights = {
        name: torch.stack([scale * one for scale in scales]) for name, one in network.named_parameters()
    }
    found = vmap(lambda one: functional_call(network, one, given))(weights)  # networks side by side
    for number, maps in enumerate(found):
        alone = {name: one[number] for name, one in weights.items()}
        torch.testing.assert_close(maps, functional_call(network, alone, given))


@every_part
def test_gradients_of_each_sample_are_those_of_a_loop(kind, part):
    network, make = part_of(kind, part)
    weights, given = dict(network.named_parameters()), make(3)

    def loss(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        return functional_call(network, weights, (one[None],)).square().sum()

    found = vmap(grad(loss), in_dims=(None, 0))(weights, given)
    for number, one in enumerate(given):
        expected = torch.autograd.grad(loss(weights, one), list(weights.values()), allow_unused=True)
        for name, value in zip(weights, expected, strict=True):
            torch.testing.assert_close(
                found[name][number], torch.zeros_like(weights[name]) if value is None else value
            )


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # jacfwd's own
@pytest.mark.parametrize("kind", MODELS)
def test_jacobians_forward_and_backward(kind):
    network, make = part_of(kind, "decoder")
    codes = make(2)
    backward = jacrev(network)(codes)
    torch.testing.assert_close(jacfwd(network)(codes), backward)
    torch.testing.assert_close(torch.autograd.functional.jacobian(network, codes), backward)


@pytest.mark.usefixtures("unchecked")
@every_part
def test_compiled_it_computes_the_same(kind, part):
    network, make = part_of(kind, part)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    given, weights = make(3), [one for name, one in network.named_parameters() if "logvar" not in name]
    torch.testing.assert_close(compiled(given), network(given))
    torch.testing.assert_close(gradients(compiled, given, weights), gradients(network, given, weights))


@pytest.mark.usefixtures("unchecked")
@every_part
def test_exported_it_computes_the_same(kind, part):
    network, make = part_of(kind, part)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(network, (make(3),), dynamic_shapes=({0: batch},))
    given = make(5)
    torch.testing.assert_close(exported.module()(given), network(given))
    names = [str(node.target) for node in exported.graph.nodes if node.op == "call_function"]
    assert any("conv" in name for name in names)
    assert not any("as_strided" in name for name in names)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.filterwarnings("ignore:.torch.jit.trace.* is deprecated:DeprecationWarning")
@every_part
def test_traced_it_computes_the_same(kind, part):
    network, make = part_of(kind, part)
    traced = torch.jit.trace(network, make(3))
    torch.testing.assert_close(traced(make(5)), network(make(5)))
    assert "PythonOp" not in str(traced.inlined_graph)


def test_second_derivatives_of_dropout():
    given = random_maps(2, 3, (4, 5)).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda one: Dropout(0.3)(one, generator(0, "noise")), (given,))
    vector = random_maps(1, 1, (1, 6)).flatten()

    def dropped(one: Tensor) -> Tensor:
        return Dropout(0.5)(one, generator(0, "noise"))

    one_by_one = torch.autograd.functional.jacobian(dropped, vector)
    torch.testing.assert_close(
        torch.autograd.functional.jacobian(dropped, vector, vectorize=True), one_by_one
    )
    assert set(one_by_one.flatten().tolist()) == {0.0, 2.0}


def share_and_scale(dropped: Tensor, p: float) -> None:
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.01)
    assert dropped.max().item() == pytest.approx(1 / (1 - p))


def test_dropout_of_each_sample_keeps_its_share():
    draw, ones = generator(0, "noise"), torch.ones(40, 2000)
    dropped = vmap(lambda one: Dropout(0.3)(one, draw), randomness="different")(ones)
    share_and_scale(dropped, 0.3)
    assert not torch.equal(dropped[0], dropped[1])


@pytest.mark.usefixtures("unchecked")
def test_dropout_is_compiled_around_its_draws():
    """torch.compile breaks off where draws begin (`rows_drawn`), and says so where it may not."""
    dropout, ones = Dropout(0.3), torch.ones(40, 2000)
    share_and_scale(torch.compile(dropout, backend="eager")(ones, generator(0, "noise")), 0.3)
    torch.compiler.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match=r"generator=generator|`ContextVar`"):
        torch.compile(dropout, backend="eager", fullgraph=True)(ones, generator(0, "noise"))


def test_fabric_knows_a_compiled_module():
    """It compiles the network anew, though it is imported without the compiler."""
    compiled = torch.compile(nn.Linear(2, 2), backend="eager")
    module = Fabric(accelerator="cpu", devices=1).setup_module(compiled)
    assert isinstance(module.module, nn.Linear)
    assert isinstance(module._forward_module, torch._dynamo.OptimizedModule)
    assert is_wrapped(module)
