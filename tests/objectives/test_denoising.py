import pytest
import torch

from drawing import drawing
from latentspace.core.randomness import generator
from latentspace.data.corruption import blur, gaussian
from latentspace.models.autoencoder import Autoencoder, AutoencoderConfig
from latentspace.objectives.denoising import denoising, denoising_and_clean
from latentspace.objectives.reconstruction import reconstruction


@pytest.fixture
def model() -> Autoencoder:
    """Wide enough that, untrained, what it decodes depends on the image by more than the last bits."""
    config = AutoencoderConfig(
        code_size=8, conv1_channels=32, conv2_channels=32, conv3_channels=32, neurons=32
    )
    return config.build((1, 16, 16), generator(0, "weights"))


def test_what_goes_in_is_noisy_and_what_is_compared_with_is_clean(model, batch):
    noise = gaussian(0.5)
    loss = denoising(noise)(model, batch, drawing(4))
    noisy = noise(batch.inputs, generator(4, "noise"))
    decoded = model.decode(model.encode(noisy).mean)
    torch.testing.assert_close(loss.total, ((decoded - batch.inputs) ** 2).mean())
    assert (loss.total - ((decoded - noisy) ** 2).mean()).abs() > 0.1  # the noisy target's loss is far off


def test_the_clean_error_stands_beside_it(model, batch):
    loss = denoising_and_clean(gaussian(0.5))(model, batch, drawing(4))
    clean = reconstruction(model, batch, drawing())
    assert torch.equal(loss.parts["mse"], clean.total)
    assert torch.equal(loss.total, loss.parts["mse_from_noisy"])
    assert not torch.equal(loss.parts["mse"], loss.parts["mse_from_noisy"])


def test_any_corruption_can_stand_in_its_place(model, batch):
    loss = denoising(blur(2.0))(model, batch, drawing(4))
    decoded = model.decode(model.encode(blur(2.0)(batch.inputs, generator(0, "noise"))).mean)
    torch.testing.assert_close(loss.total, ((decoded - batch.inputs) ** 2).mean())
