"""Our layers compute what torch's compute: outputs and gradients, in float64, whichever kernels do it."""

from functools import partial
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from drawing import random_maps
from latentspace.core.randomness import generator
from latentspace.models.layers.conv import Conv2d, ConvTranspose2d, Flatten, Unflatten
from latentspace.models.layers.dropout import Dropout
from latentspace.models.layers.im2col import Choice, Geometry, choose

CHOICES = [Choice(*one) for one in product((False, True), repeat=3)]
# The report's layers, and then what it has not: a stride of 1 and 3, sides that leave a rest, wide padding,
# padding of one side alone.
CASES = [  # inputs, outputs, kernel, stride, padding, (height, width)
    (1, 4, 3, 2, (1, 1), (28, 28)),
    (4, 6, 3, 2, (1, 1), (14, 14)),
    (4, 6, 3, 2, (0, 0), (7, 7)),
    (1, 4, 4, 2, (1, 1), (28, 28)),
    (4, 6, 4, 2, (1, 1), (14, 14)),
    (3, 2, 3, 2, (1, 1), (17, 22)),
    (2, 3, 3, 1, (1, 1), (6, 5)),
    (2, 3, 2, 3, (0, 0), (9, 8)),
    (1, 1, 3, 2, (2, 2), (5, 6)),
    (4, 6, 3, 2, (1, 0), (8, 7)),
    (1, 3, 4, 2, (0, 1), (9, 8)),
]

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_choice = pytest.mark.parametrize(
    "choice", CHOICES, ids=lambda one: "-".join(name for name in one._fields if getattr(one, name)) or "none"
)
with_and_without = pytest.mark.parametrize("relu", [False, True], ids=["plain", "relu"])


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    ours.load_state_dict(theirs.state_dict())


def compare(ours: nn.Module, theirs: nn.Module, given: Tensor, choice: Choice, relu: bool) -> None:
    """Outputs, and the gradients of input, weight and bias, from the same upstream gradient."""
    one, other = given.clone().requires_grad_(), given.clone().requires_grad_()
    found = ours(one, choice)
    expected = torch.relu(theirs(other)) if relu else theirs(other)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn(expected.shape, dtype=torch.float64, generator=generator(2, "sample"))
    found.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)
    assert ours.weight.grad.is_contiguous()


@every_case
@every_choice
@with_and_without
def test_a_convolution(case, choice, relu):
    inputs, outputs, kernel, stride, padding, sides = case
    theirs = nn.Conv2d(inputs, outputs, kernel, stride, padding).double()
    ours = Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, relu=relu).double()
    same_weights(ours, theirs)
    compare(ours, theirs, random_maps(3, inputs, sides), choice, relu)


@every_case
@every_choice
@with_and_without
def test_a_transposed_convolution(case, choice, relu):
    """From the small side to the large one, with the output padding that gives the large side back."""
    inputs, outputs, kernel, stride, padding, sides = case
    geometry = Geometry.of_large(kernel, stride, padding, sides)
    theirs = nn.ConvTranspose2d(outputs, inputs, kernel, stride, padding, geometry.output_padding).double()
    ours = ConvTranspose2d(
        outputs,
        inputs,
        kernel,
        stride=stride,
        padding=padding,
        output_padding=geometry.output_padding,
        relu=relu,
    ).double()
    same_weights(ours, theirs)
    assert theirs(random_maps(1, outputs, geometry.small)).shape[2:] == sides
    compare(ours, theirs, random_maps(3, outputs, geometry.small), choice, relu)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(*[st.integers(1, 5)] * 2),
    st.integers(2, 5),
    st.integers(1, 3),
    st.tuples(*[st.integers(5, 12)] * 2),
    st.sampled_from(CHOICES),
    st.data(),
)
def test_any_geometry(channels, kernel, stride, sides, choice, data):
    padding = data.draw(st.tuples(*[st.integers(0, kernel - 1)] * 2))
    theirs = nn.Conv2d(*channels, kernel, stride, padding).double()
    ours = Conv2d(*channels, kernel, stride=stride, padding=padding).double()
    same_weights(ours, theirs)
    compare(ours, theirs, random_maps(2, channels[0], sides), choice, relu=False)


def test_the_input_may_lie_in_any_order_and_need_no_gradient():
    layer = Conv2d(3, 4, 3, stride=2, padding=(1, 1), relu=True).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    given = random_maps(2, 3, (9, 9))
    for choice in CHOICES:
        plain = layer(given, choice)
        torch.testing.assert_close(layer(given.contiguous(memory_format=torch.channels_last), choice), plain)
        plain.sum().backward()
        assert given.grad is None


def test_under_autocast_it_computes_in_bfloat16_and_the_weights_get_float32():
    theirs = nn.Conv2d(4, 8, 3, 2, 1)
    ours = Conv2d(4, 8, 3, stride=2, padding=(1, 1))
    same_weights(ours, theirs)
    given = random_maps(2, 4, (14, 14)).float()
    for choice in CHOICES:
        ours.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            found, expected = ours(given, choice), theirs(given)
        assert found.dtype == expected.dtype == torch.bfloat16
        torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)
        found.float().sum().backward()
        assert ours.weight.grad.dtype == torch.float32


def test_the_table_is_fixed_and_for_the_cpu():
    """By device, type and shape: the layer at the code, the one at the image, and one between."""
    at_code = Geometry.of_large(3, 2, (0, 0), (7, 7))
    at_image = Geometry.of_large(3, 2, (1, 1), (28, 28))
    between = Geometry.of_large(3, 2, (1, 1), (14, 14))
    narrow, wide = partial(choose, vectors=256), partial(choose, vectors=512)
    assert narrow("cpu", torch.float32, 128, 128, at_code) == Choice(scatter=True, correlate=True)
    assert narrow("cpu", torch.float32, 1, 64, at_image) == Choice(scatter=True)
    assert narrow("cpu", torch.float32, 64, 128, between) == Choice(correlate=True)
    assert wide("cpu", torch.float32, 128, 128, at_code) == Choice(scatter=True)
    assert wide("cpu", torch.float32, 64, 128, between) == Choice()
    assert wide("cpu", torch.bfloat16, 128, 128, at_code) == Choice(scatter=True, correlate=True)
    assert wide("cpu", torch.bfloat16, 64, 32, between) == Choice()
    assert wide("cpu", torch.bfloat16, 1, 64, at_image) == Choice(scatter=True)
    for each in (narrow, wide):
        assert each("cuda", torch.float32, 128, 128, at_code) == Choice()
        assert each("cpu", torch.float64, 128, 128, at_code) == Choice()


def test_rows_and_back():
    maps = random_maps(3, 4, (5, 6))
    rows = Flatten()(maps)
    assert rows.shape == (3, 120)
    assert torch.equal(Unflatten(4, (5, 6))(rows), maps)
    last = maps.contiguous(memory_format=torch.channels_last)
    assert Flatten()(last).data_ptr() == last.data_ptr(), "copied"


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9, 0.999999])
def test_dropout_keeps_its_share_for_any_order_in_memory(p):
    ones = torch.ones(40, 50, 20, 25).contiguous(memory_format=torch.channels_last)
    dropped = Dropout(p)(ones, generator(0, "noise"))
    assert dropped.is_contiguous(memory_format=torch.channels_last)
    share = (dropped == 0).float().mean().item()
    assert share == pytest.approx(p, abs=0.002)
    assert torch.equal(dropped, Dropout(p)(ones, generator(0, "noise")))
