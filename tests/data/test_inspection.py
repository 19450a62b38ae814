"""What is suspicious of a set of images is warned of."""

import numpy as np
import pytest

from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images


@pytest.mark.parametrize(("shape", "suspicious"), [((64, 275, 8), True), ((30, 9, 200), False)])
def test_images_like_a_line_may_be_axes_in_another_order(tmp_path, shape, suspicious):
    file = tmp_path / "digits.npy"
    np.save(file, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    found = load_images(DataConfig(spec=str(file))).record.warnings
    assert [one.startswith("the images are 275x8 pixels") for one in found] == [True] * suspicious
