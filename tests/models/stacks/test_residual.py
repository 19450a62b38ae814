"""Residual stacks: their sizes, codes that follow the images, and ordered codes."""

import pytest
import torch

from latentspace.core.errors import ConfigurationError
from latentspace.core.randomness import generator
from latentspace.models.ordered import first_numbers, shortened
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig, usual_code_size
from latentspace.models.stacks.residual import shuffled
from latentspace.models.stacks.scales import scales


@pytest.mark.parametrize(
    ("shape", "sides", "channels"),
    [
        ((1, 28, 28), [(14, 14), (7, 7), (4, 4)], [32, 64, 128]),
        ((3, 32, 32), [(16, 16), (8, 8), (4, 4)], [32, 64, 128]),
        ((1, 8, 8), [(4, 4)], [128]),
        ((1, 45, 37), [(23, 19), (12, 10), (6, 5)], [32, 64, 128]),
        ((3, 96, 96), [(48, 48), (24, 24), (12, 12), (6, 6)], [16, 32, 64, 128]),
        ((1, 8, 64), [(4, 32), (4, 16), (4, 8), (4, 4)], [16, 32, 64, 128]),
    ],
)
def test_maps_are_halved_to_about_four_pixels_and_their_channels_doubled(shape, sides, channels):
    found = scales(shape, 32)
    assert [one.sides for one in found] == sides
    assert [one.channels for one in found] == channels


@pytest.mark.parametrize("side", range(8, 257))
def test_the_smallest_maps_have_four_to_six_pixels_a_side(side):
    assert all(4 <= one <= 6 for one in scales((1, side, 256 - side % 9), 8)[-1].sides)


def test_channels_become_pixels_as_torch_has_it():
    maps = torch.randn(2, 12, 3, 5, generator=generator(0, "sample"))
    ours = shuffled(maps, (2, 2))  # channels of a pixel lie together, where torch's are apart
    theirs = torch.pixel_shuffle(maps.view(2, 4, 3, 3, 5).transpose(1, 2).reshape(2, 12, 3, 5), 2)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 28, 28), 10),
        ((3, 32, 32), 64),
        ((3, 64, 64), 128),
        ((1, 8, 8), 4),
        ((1, 20, 80), 14),
        ((12, 32, 32), 128),
    ],
)
def test_the_usual_code_size_follows_the_images(shape, size):
    assert usual_code_size(shape) == size
    assert ResidualConfig().fitted(shape).code_size == size
    assert ResidualConfig(code_size=3).fitted(shape).code_size == 3


def test_half_of_the_codes_stay_whole_and_the_others_end_early():
    codes = torch.ones(400, 8)
    lengths = shortened(codes, generator(0, "noise")).sum(dim=1)
    assert (lengths[:200] == 8).all()
    assert sorted(set(lengths[200:].tolist())) == list(range(1, 9))
    assert torch.equal(first_numbers(codes[:2], torch.tensor([1, 3])).sum(dim=1), torch.tensor([1.0, 3.0]))


def test_ordered_codes_are_shortened_in_training_alone():
    shape = (1, 16, 16)
    images = torch.rand(8, *shape, generator=generator(0, "sample"))
    model = ResidualConfig(code_size=6, width=8, ordered=True).build(shape, generator(0, "weights"))
    (latent,), logits, *_ = model.train()(images, generator(1, "noise"))
    assert (latent.codes != 0).all(), "the latent keeps the whole code"
    assert not torch.allclose(logits[4:], model.decoder(latent.codes)[4:])
    assert torch.equal(logits[:4], model.decoder(latent.codes)[:4])
    (latent,), logits, *_ = model.eval()(images)
    assert torch.equal(logits, model.decoder(latent.codes))
    with pytest.raises(TypeError, match="generator"):
        model.train()(images)


def test_a_residual_path_begins_small():
    model = ResidualConfig(width=8).build((1, 16, 16), generator(0, "weights"))
    block = model.encoder.maps[1]
    maps = torch.randn(4, 16, 8, 8, generator=generator(0, "sample"))
    assert (block(maps) - maps).std() < 0.1 * maps.std()


@pytest.mark.parametrize("config", [ResidualConfig, ResidualVariationalConfig])
def test_images_under_eight_pixels_are_refused(config):
    with pytest.raises(ConfigurationError, match="8x8"):
        config().build((1, 7, 30), generator(0, "weights"))


@pytest.mark.parametrize("config", [ResidualConfig, ResidualVariationalConfig])
@pytest.mark.parametrize("norm", ["group", "batch", "none"])
@pytest.mark.parametrize("size", [1, 3])
def test_the_length_of_a_code_is_seen_by_the_decoder(config, norm, size):
    """A norm behind a layer without a bias would take it away: a code of one number would be a sign."""
    network = config(code_size=size, width=4, norm=norm).build((1, 9, 12), generator(0, "weights")).eval()
    codes = torch.randn(5, size, generator=generator(0, "sample"))
    with torch.no_grad():
        near, far = network.decoder(codes), network.decoder(2 * codes)
    assert (near - far).abs().mean() > 1e-3 * near.std()


@pytest.mark.parametrize("norm", ["group", "batch", "none"])
def test_the_contrast_of_an_image_is_seen_by_the_encoder(norm):
    network = ResidualConfig(code_size=3, width=4, norm=norm).build((1, 9, 12), generator(0, "weights"))
    with torch.no_grad():
        for name, one in network.named_parameters():
            if name.endswith("path.3.weight"):  # of blocks, which add to what is in proportion to the image
                one.zero_()
    images = torch.rand(5, 1, 9, 12, generator=generator(0, "sample"))
    with torch.no_grad():
        strong, weak = network.eval().encoder(images).mean, network.encoder(images / 4).mean
    assert (strong - weak).abs().mean() > 1e-2 * strong.std()
