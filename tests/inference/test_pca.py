"""Principal components: as exact as the comparison needs, without the cube of the pixels."""

import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentspace.evaluation.baselines import inputs_of
from latentspace.evaluation.codes import linear_errors
from latentspace.evaluation.denoising import _pca
from latentspace.evaluation.frechet import Likeness
from latentspace.inference.pca import EXACT, fit_pca, principal_components

SIDE = 32  # in colour: 3,072 values an image, above what is solved exactly


def photographs(count: int, side: int = SIDE, seed: int = 0) -> np.ndarray:
    """Colour images whose spectrum falls with the frequency, as that of photographs does."""
    draw = np.random.default_rng(seed)
    frequencies = np.fft.fftfreq(side)
    radius = np.hypot(frequencies[:, None], frequencies[None])
    radius[0, 0] = 1 / side
    waves = draw.standard_normal((count, 3, side, side)) + 1j * draw.standard_normal((count, 3, side, side))
    images = np.fft.ifft2(waves / radius**1.2).real
    images /= images.std(axis=(2, 3), keepdims=True)
    return np.clip(127 + 50 * images, 0, 255).astype(np.uint8)


def error(pca: PCA, rows: np.ndarray) -> float:
    return float(np.mean((pca.inverse_transform(pca.transform(rows)) - rows) ** 2, dtype=np.float64))


def flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1) / np.float32(255)


@pytest.mark.parametrize("components", [3, 40])
@pytest.mark.parametrize("side", [16, SIDE])
def test_the_error_is_that_of_the_full_decomposition(side, components):
    rows, others = flat(photographs(300, side)), flat(photographs(50, side, seed=1))
    assert (rows.shape[1] > EXACT) == (side == SIDE)
    exact = PCA(components, svd_solver="full").fit(rows)
    found = fit_pca(rows, components)
    assert error(found, others) == pytest.approx(error(exact, others), rel=1e-3 if side == SIDE else 1e-5)
    assert np.array_equal(found.components_, fit_pca(rows, components).components_), "drawn the same again"


def test_fewer_images_than_components_are_given_back_whole():
    rows = flat(photographs(6))
    assert fit_pca(rows, 50).n_components_ == 6
    assert error(fit_pca(rows, 50), rows) < 1e-10


def test_one_image_has_a_mean_and_no_variance():
    rows = flat(photographs(1))
    found = principal_components(rows, 2)
    assert found.share == 0
    assert found.mean == pytest.approx(rows[0], abs=1e-6)
    assert np.abs(found.deviations).max() < 1e-6


@pytest.mark.parametrize(
    "use",
    [
        lambda pixels: linear_errors(pixels, np.arange(len(pixels)), np.arange(10), 5),
        lambda pixels: _pca(pixels, 5)(flat(pixels).reshape(pixels.shape)),
        lambda pixels: inputs_of(np.zeros((len(pixels), 5), np.float32), pixels, np.arange(len(pixels))),
        lambda pixels: Likeness(pixels / np.float32(255)),
    ],
    ids=["error", "noise", "inputs", "likeness"],
)
def test_nothing_of_the_size_of_pixels_by_pixels_is_made(use):
    pixels = photographs(40)
    covariance = 4 * pixels[0].size ** 2
    tracemalloc.start()
    try:
        use(pixels)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < covariance / 2
