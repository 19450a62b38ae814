"""Which images the doctor calls blurred, by their edges alone, and which blank: those that hold nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from latentspace.data.imageset import ImageSet
from latentspace.evaluation.doctor.blank import BLANK
from latentspace.evaluation.doctor.blurred import BLURRED
from latentspace.evaluation.doctor.brightness import LOW_CONTRAST
from latentspace.evaluation.doctor.finding import Finder
from latentspace.evaluation.doctor.statistics import statistics_of
from latentspace.evaluation.doctor.subject import Subject


def squares(count: int, low: int = 0, high: int = 255, seed: int = 0) -> np.ndarray:
    """Images with a square of one grey on another."""
    draw, images = np.random.default_rng(seed), np.full((count, 1, 32, 32), low, dtype=np.float32)
    for image, corner in zip(images, draw.integers(6, 12, (count, 2)), strict=True):
        image[0, corner[0] : corner[0] + 14, corner[1] : corner[1] + 14] = high
    return images


def named(*parts: np.ndarray, by: Finder = BLURRED) -> list[int]:
    pixels = np.concatenate(parts).round().astype(np.uint8)
    found = by.find(Subject(ImageSet(pixels, source="squares"), "squares", lambda: pytest.fail("no codes")))
    return sorted(found.rows.tolist())


def blurred(images: np.ndarray, width: float) -> np.ndarray:
    return gaussian_filter(images, (0, 0, width, width))


def test_blurred_ones_are_found_however_many_they_are():
    assert named(squares(20), blurred(squares(3, seed=1), 2)) == [20, 21, 22]
    assert named(squares(3), blurred(squares(20, seed=1), 2)) == list(range(3, 23))
    assert named(squares(3), blurred(squares(3), 0.7)) == []


def test_faint_ones_are_measured_by_their_edges_too():
    faint = squares(4, 100, 140)
    assert named(faint, blurred(faint, 2)) == [4, 5, 6, 7]


def test_noise_and_ramps_are_not_blur():
    noise = np.clip(np.random.default_rng(0).normal(128, 12, (4, 1, 32, 32)), 0, 255)
    steep = np.clip((np.arange(32) - 14) * 85.0, 0, 255)[None, None, None].repeat(32, axis=2)
    assert named(noise, steep) == []


@pytest.mark.parametrize("width", [1.3, 2.0, 3.0])
def test_what_is_blurred_has_the_mobility_that_is_said(width: float):
    edge = np.zeros((1, 1, 64, 64))
    edge[..., 32:] = 255
    texture = np.random.default_rng(0).normal(128, 60, (4, 1, 96, 96))
    smooth = gaussian_filter(np.pad(texture, ((0, 0), (0, 0), (16, 16), (16, 16))), (0, 0, width, width))
    for images, expected in (
        (blurred(edge, width), 1 / np.sqrt(2)),
        (smooth[..., 32:-32, 32:-32], np.sqrt(1.5)),
    ):
        stretched = 127 + 120 * (images - images.mean()) / np.abs(images - images.mean()).max()
        found = statistics_of(stretched.round().astype(np.uint8))
        assert found.mobility.mean() == pytest.approx(expected / width, rel=0.12)


def test_the_size_of_what_is_seen_and_rounding_change_it_little():
    strong = blurred(squares(4), 1.5)
    found = [statistics_of((strong * one).round().astype(np.uint8)).mobility for one in (1, 0.3, 0.1)]
    assert found[1] == pytest.approx(found[0], rel=0.05)
    assert found[2] == pytest.approx(found[0], rel=0.3)  # flat places are not rounded
    assert statistics_of(np.full((2, 1, 9, 9), 7, np.uint8)).mobility.tolist() == [0, 0]


def test_what_holds_nothing_is_blank_and_a_smooth_sky_is_not():
    draw = np.random.default_rng(0)
    flat = np.full((2, 3, 32, 32), 90.0)
    noise = draw.normal(128, 2.5, (20, 3, 32, 32))
    small = draw.normal(128, 2.5, (20, 1, 9, 7))
    sky = 200 + np.linspace(0, 6, 32)[:, None] + draw.normal(0, 0.8, (20, 3, 32, 32))
    halves = np.full((1, 3, 32, 32), 100.0)
    halves[:, 0, :16], halves[:, 1, 16:] = 150, 150  # of one brightness, of two colours
    assert blank(flat, noise, sky, halves) == list(range(22))
    assert blank(small) == list(range(20))
    assert named(flat, sky, halves, by=LOW_CONTRAST) == list(range(2, 23)), "they are not lost"


def blank(*parts: np.ndarray) -> list[int]:
    return named(*parts, by=BLANK)
