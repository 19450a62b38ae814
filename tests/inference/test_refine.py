"""Refined codes: never worse, each on its own, and the network untouched."""

import numpy as np
import pytest
import torch

from latentspace.inference.refine import refined, refined_codes
from latentspace.inference.trained import TrainedAutoencoder


@pytest.fixture
def given(small_runs, images):
    model = TrainedAutoencoder.load(small_runs["ae"], "cpu").model
    pixels = torch.from_numpy(images.pixels[:9]).float() / 255
    with torch.no_grad():
        return model, pixels, model.encode(pixels).mean


def test_codes_come_nearer_to_their_images(given):
    """Images that the decoder has made of codes nearby, so that an error of nearly nothing can be reached."""
    model, _, codes = given
    with torch.no_grad():
        pixels = model.decode(codes + 0.5)
    found = refined(model, pixels, codes, 60)
    assert (found.after <= found.before).all()
    assert found.after.mean() < 0.2 * found.before.mean()
    with torch.no_grad():
        again = (model.decode(found.codes) - pixels).square().mean(dim=(1, 2, 3))
        first = (model.decode(codes) - pixels).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(again, found.after)
    torch.testing.assert_close(first, found.before)


def test_no_steps_change_nothing(given):
    model, pixels, codes = given
    found = refined(model, pixels, codes, 0)
    assert torch.equal(found.codes, codes)
    assert torch.equal(found.before, found.after)


def test_an_images_code_does_not_depend_on_the_others(given):
    model, pixels, codes = given
    together = refined(model, pixels, codes, 10)
    alone = refined(model, pixels[3:4], codes[3:4], 10)
    torch.testing.assert_close(together.codes[3:4], alone.codes, atol=1e-4, rtol=1e-3)


def test_steps_that_are_too_long_are_not_taken(given):
    model, pixels, codes = given
    found = refined(model, pixels, codes, 3, learning_rate=1e6)
    assert (found.after <= found.before).all()
    assert torch.isfinite(found.codes).all()


def test_the_network_is_as_it_was(given):
    model, pixels, codes = given
    before = {name: one.clone() for name, one in model.state_dict().items()}
    required = [one.requires_grad for one in model.parameters()]
    model.train()
    refined(model, pixels, codes, 3)
    assert model.training
    assert [one.requires_grad for one in model.parameters()] == required
    assert all(one.grad is None for one in model.parameters())
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    assert codes.grad is None


def test_codes_are_refined_in_the_precision_that_is_named(small_runs, images):
    """Images that a decoder, whose images are made to differ, makes of codes beside those of its encoder."""
    trained = TrainedAutoencoder.load(small_runs["ae"], "cpu")
    with torch.no_grad():
        for one in trained.model.decoder.parameters():
            one.mul_(3)
    further = trained.decode(trained.encode(images.pixels[:6]) + 0.5)
    pixels, rows = np.rint(255 * further).astype(np.uint8), np.arange(6)
    types: list[torch.dtype] = []
    first = next(one for one in trained.model.modules() if isinstance(one, torch.nn.Linear))
    hook = first.register_forward_hook(lambda _module, _inputs, output: types.append(output.dtype))
    for precision, computed in (("32", torch.float32), ("bf16", torch.bfloat16)):
        types.clear()
        codes, after, before = refined_codes(trained, pixels, rows, 40, precision)
        assert set(types) == {computed}
        assert codes.dtype == after.dtype == np.float32
        assert after.mean() < 0.8 * before.mean()  # each step sees where the one before has led
    hook.remove()
