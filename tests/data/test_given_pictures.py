"""Pictures given in Python are what their files are: the same pixels, transparent ones too."""

import numpy as np
import pytest
from PIL import Image

import latentspace


def icons(value: int) -> list[Image.Image]:
    """Eight squares of one brightness on nothing."""
    made = []
    for number in range(8):
        layers = np.full((16, 16, 2), value, dtype=np.uint8)
        layers[..., 1] = 0
        layers[4:12, number : number + 8, 1] = 255
        made.append(Image.fromarray(layers))
    return made


@pytest.mark.parametrize(("value", "ground"), [(0, 255), (255, 0)])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_ink_on_nothing_stays_visible(tmp_path, value, ground, mode):
    pictures = [one.convert(mode) for one in icons(value)]
    images = latentspace.load_data(pictures)
    assert images.pixels[0, 0, 0, 0] == ground
    assert images.pixels[0, 0, 8, 4] == value
    for number, one in enumerate(pictures):
        one.save(tmp_path / f"{number}.png")
    files = sorted(tmp_path.iterdir())
    for read in (latentspace.load_data(files), latentspace.load_data(tmp_path)):
        np.testing.assert_array_equal(read.pixels, images.pixels)


def test_opaque_pictures_stay_what_they_are():
    opaque = Image.new("RGBA", (9, 8), (10, 20, 30, 255))
    assert latentspace.load_data([opaque, opaque]).pixels[1, :, 0, 0].tolist() == [10, 20, 30]
