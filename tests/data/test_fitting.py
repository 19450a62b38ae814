"""Images brought to one size, and the choice of that size."""

import numpy as np
import pytest

from latentspace.data.fitting import common_size, fit_words, fitted


def disc(height: int, width: int) -> np.ndarray:
    """A white circle in the middle, as wide as the shorter side allows, on black."""
    y, x = np.mgrid[:height, :width]
    radius = 0.4 * min(height, width)
    inside = (y - height / 2 + 0.5) ** 2 + (x - width / 2 + 0.5) ** 2 < radius**2
    return (inside * 255).astype(np.uint8)[:, :, None]


def extent(raster: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(raster[:, :, 0] > 127)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(32, 128), (128, 32), (50, 70)])
def test_a_circle_stays_one(fit: str, shape: tuple[int, int]) -> None:
    down, across = extent(fitted(disc(*shape), (32, 32), fit))  # type: ignore[arg-type]
    assert abs(down - across) <= 1
    assert down > 5


def test_stretch_makes_it_an_ellipse() -> None:
    down, across = extent(fitted(disc(32, 128), (32, 32), "stretch"))
    assert down > 3 * across


def test_what_only_has_to_be_cut_is_not_interpolated() -> None:
    raster = np.arange(6 * 10, dtype=np.uint8).reshape(6, 10, 1)
    assert np.array_equal(fitted(raster, (6, 6)), raster[:, 2:8])


def test_pad_takes_the_colour_of_the_border() -> None:
    raster = np.full((4, 8, 3), (9, 8, 7), dtype=np.uint8)
    raster[1:3, 2:6] = 255
    found = fitted(raster, (8, 8), "pad")
    assert found[0, 0].tolist() == [9, 8, 7]
    assert found[4, 4].tolist() == [255, 255, 255]


def test_without_enlarging_a_small_image_is_surrounded() -> None:
    raster = disc(10, 10)
    found = fitted(raster, (20, 20), "crop", enlarge=False)
    assert np.array_equal(found[5:15, 5:15], raster)
    assert extent(fitted(raster, (20, 20), "crop")) == (16, 16)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_any_type_and_number_of_channels(dtype: str, channels: int, fit: str) -> None:
    raster = np.full((9, 31, channels), 77, dtype=dtype)
    for size in ((8, 8), (40, 3), (1, 1), (64, 64)):
        found = fitted(raster, size, fit)  # type: ignore[arg-type]
        assert found.dtype == dtype
        assert found.shape == (*size, channels)
        assert (found == 77).all()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({(28, 30): 9, (500, 400): 1}, (28, 30)),  # nine tenths have it
        ({(300, 200): 9, (40, 50): 1}, (300, 200)),
        ({(300, 200): 5, (200, 300): 5}, (64, 64)),
        ({(40, 50): 3, (30, 60): 2}, (30, 30)),  # none is enlarged
        ({(300, 200): 150, (200, 300): 149, (1, 1): 1}, (64, 64)),  # but for one in a hundred
    ],
)
def test_the_choice_of_one_size(sizes: dict[tuple[int, int], int], expected: tuple[int, int]) -> None:
    assert common_size(sizes) == expected


def test_the_words_name_the_sizes_and_the_way_to_choose() -> None:
    words = fit_words({(40, 50): 3, (30, 60): 2}, (30, 30), "crop")
    assert words == (
        "scaled and cropped to the middle, to 30x30, as the images have 2 sizes from 30x60 to 40x50; "
        "resize=... and fit=... choose otherwise"
    )
