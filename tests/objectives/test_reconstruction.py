import torch

from drawing import drawing
from latentspace.core.randomness import generator
from latentspace.data.batches import Batch
from latentspace.models.autoencoder import AutoencoderConfig
from latentspace.objectives.reconstruction import reconstruction


def test_mse_is_the_mean_over_everything():
    model = AutoencoderConfig().build((1, 28, 28), generator(0, "weights"))
    images = torch.rand(5, 1, 28, 28, generator=generator(0, "sample"))
    loss = reconstruction(model, Batch(images), drawing())
    decoded = model.decode(model.encode(images).mean)
    expected = sum(
        (a - b) ** 2 for a, b in zip(decoded.flatten().tolist(), images.flatten().tolist(), strict=True)
    )
    assert abs(loss.total.item() - expected / images.numel()) < 1e-6
    assert set(loss.parts) == {"mse"}
    assert loss.parts["mse"] is loss.total
