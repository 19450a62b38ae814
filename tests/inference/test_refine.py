"""Codes of a run's images after so many steps, their errors, and the network as it was."""

import numpy as np
import pytest
import torch

from latentspace.inference.refine import refined_codes
from latentspace.inference.trained import TrainedAutoencoder


@pytest.fixture
def given(small_runs, images):
    """A network whose decoder is made to differ by code, and images of codes beside those it finds."""
    trained = TrainedAutoencoder.load(small_runs["ae"], "cpu")
    with torch.no_grad():
        for one in trained.model.decoder.parameters():
            one.mul_(3)
    further = trained.decode(trained.encode(images.pixels[:6]) + 0.5)
    return trained, np.rint(255 * further).astype(np.uint8)


def test_errors_are_those_of_the_codes_before_and_after(given):
    trained, pixels = given
    rows = np.array([4, 1, 0, 5])
    codes, after, before = refined_codes(trained, pixels, rows, 5)
    shown = pixels[rows] / np.float32(255)
    for found, error in ((codes, after), (trained.encode(pixels[rows]), before)):
        own = ((trained.decode(found) - shown) ** 2).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(error, own, rtol=1e-4, atol=1e-7)
    assert (after <= before).all()
    assert after.mean() < 0.5 * before.mean()


def test_the_encoder_computes_in_the_precision_that_is_named_and_steps_in_float32(given):
    trained, pixels = given
    types: dict[str, set[torch.dtype]] = {"encoder": set(), "decoder": set()}
    for name, seen in types.items():
        part = getattr(trained.model, name)
        first = next(one for one in part.modules() if isinstance(one, torch.nn.Linear))
        first.register_forward_hook(lambda _module, _inputs, output, seen=seen: seen.add(output.dtype))
    for precision, computed in (("32", torch.float32), ("bf16", torch.bfloat16)):
        types["encoder"].clear()
        codes, after, before = refined_codes(trained, pixels, np.arange(6), 3, precision)
        assert types == {"encoder": {computed}, "decoder": {torch.float32}}
        assert codes.dtype == after.dtype == np.float32
        assert after.mean() < 0.8 * before.mean()


def test_the_network_is_as_it_was(given):
    trained, pixels = given
    before = {name: one.clone() for name, one in trained.model.state_dict().items()}
    required = [one.requires_grad for one in trained.model.parameters()]
    refined_codes(trained, pixels, np.arange(3), 2)
    assert [one.requires_grad for one in trained.model.parameters()] == required
    assert all(one.grad is None for one in trained.model.parameters())
    assert all(torch.equal(one, before[name]) for name, one in trained.model.state_dict().items())
