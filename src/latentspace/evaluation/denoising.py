"""Error against noise: the networks, PCA of the same size, and SciPy's filters on equally noisy images."""

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32
from scipy import ndimage, signal

from ..core.devices import exact
from ..core.progress import told
from ..core.randomness import generator, numpy_generator
from ..core.types import Int64Array, Pixels
from ..core.wording import counted
from ..data.batches import at_once, to_images
from ..data.corruption import gaussian
from ..data.imageset import ImageSet
from ..data.sampling import HELD, affordable, stratified_sample
from ..inference.pca import fit_pca
from ..inference.trained import BATCH, TrainedAutoencoder
from ..runs.directory import Run
from .cache import Measurement
from .codes import FITTED_TO

LEVELS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # standard deviations; pixels lie in [0, 1]
CHOSEN_ON, EVALUATED_ON = 500, 2000  # images at most
NOISY, FILTER = "the noisy image itself", "best of SciPy's filters"

Grey: TypeAlias = Float32[np.ndarray, "_images channels height width"]
Filter: TypeAlias = Callable[[Grey, float], Grey]


class DenoisingRecord(Measurement):
    """Mean squared errors per pixel against the clean test images, by the name of the method.

    Args:
        levels: standard deviations of the Gaussian noise, which is not clipped.
        errors: one for each level.
        filters: which filter was best on the validation images, at each level.
        images: how many test images were evaluated.
        chosen_on: how many validation images the filters were chosen on.
    """

    VERSION: ClassVar[int] = 4

    levels: tuple[float, ...]
    errors: dict[str, tuple[float, ...]]
    filters: tuple[str, ...]
    images: int
    chosen_on: int

    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Columns and rows, a row a level: for a CSV file and for the page."""
        columns = ("noise", *self.errors, "filter")
        rows = zip(self.levels, *self.errors.values(), self.filters, strict=True)
        return columns, tuple(
            (f"{level:g}", *(f"{one:.5f}" for one in numbers), name) for level, *numbers, name in rows
        )


def denoising_record(
    run: Run,
    images: ImageSet,
    networks: Mapping[str, TrainedAutoencoder],
    levels: tuple[float, ...] = LEVELS,
    evaluated_on: int = EVALUATED_ON,
    chosen_on: int = CHOSEN_ON,
    fitted_to: int = FITTED_TO,
) -> DenoisingRecord:
    """Evaluate each of `networks` on the run's test images, all with the same noise at a level.

    A filter's strength is chosen on validation images at each level; the networks are the same at all.

    Args:
        evaluated_on, chosen_on, fitted_to: test, validation and training images (for PCA), at most; fewer
            large ones, and of the first fewer where networks refine codes, which takes long.
    """
    evaluated_on //= 1 + max(network.model.refine for network in networks.values())
    parts, seed = run.split, run.experiment.seed

    def some(part: Int64Array, most: int, values: int) -> Pixels:
        draw, count = numpy_generator(seed, "sample"), affordable(most, images.shape, values)
        return images.subset(stratified_sample(part, count, images.labels, draw)).pixels

    clean = _floats(some(parts.test, evaluated_on, HELD // 8))  # some arrays of it are at work at once
    held = _floats(some(parts.validation, chosen_on, HELD // 32))  # 14 filters work on it at each level
    size = next(iter(networks.values())).code_size
    linear = _pca(some(parts.train, fitted_to, HELD), size)
    errors: dict[str, list[float]] = {
        name: [] for name in (*networks, f"PCA, {counted(size, 'component')}", FILTER, NOISY)
    }
    filters = []
    for number, level in told(enumerate(levels), "levels of noise", len(levels)):
        noisy = with_noise(clean, level, seed, 2 * number)
        name = best_filter(with_noise(held, level, seed, 2 * number + 1), held, level)
        filters.append(name)
        made = [decoded(network, noisy) for network in networks.values()]
        made += [linear(noisy), filtered(name, noisy, level), noisy]
        for row, image in zip(errors.values(), made, strict=True):
            row.append(_mse(image, clean))
    return DenoisingRecord(
        levels=levels,
        errors={name: tuple(row) for name, row in errors.items()},
        filters=tuple(filters),
        images=len(clean),
        chosen_on=len(held),
    )


def with_noise(images: Grey, level: float, seed: int, number: int) -> Grey:
    """The images + N(0, level^2) for each pixel, not clipped; `number` tells one draw from another."""
    noise = generator(seed, "figure", number)
    return gaussian(level)(torch.from_numpy(images), noise).numpy()


@torch.no_grad()
@exact()
def decoded(trained: TrainedAutoencoder, images: Grey) -> Grey:
    """What the network makes of images that need not lie in [0, 1]."""
    parts = torch.split(torch.from_numpy(images), at_once(BATCH, images.shape[1:]))
    model, device = trained.model, trained.device
    return torch.cat([model.decode(model.encode(one.to(device)).mean).cpu() for one in parts]).numpy()


def _nothing(images: Grey, level: float) -> Grey:  # noqa: ARG001 - every filter is called alike
    return images


def _gaussian(std: float) -> Filter:
    return lambda images, _: ndimage.gaussian_filter(images, (0, 0, std, std))


def _median(side: int) -> Filter:
    return lambda images, _: ndimage.median_filter(images, (1, 1, side, side))


def _wiener(side: int) -> Filter:
    """Told the noise's variance, which the other filters and the networks are not."""

    def smooth(images: Grey, level: float) -> Grey:
        with np.errstate(divide="ignore", invalid="ignore"):  # a window of one grey has no variance
            made = signal.wiener(images, (1, 1, side, side), noise=max(level, 1e-6) ** 2)
        return np.nan_to_num(made).astype(np.float32)

    return smooth


FILTERS: Mapping[str, Filter] = {
    "none": _nothing,
    **{f"Gaussian, {std:g} pixels": _gaussian(std) for std in (0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5)},
    **{f"median, {side}x{side}": _median(side) for side in (3, 5)},
    **{f"Wiener, {side}x{side}": _wiener(side) for side in (3, 5, 7)},
}


def best_filter(noisy: Grey, clean: Grey, level: float) -> str:
    """The name of the filter with the smallest error, its output cut to [0, 1]."""
    return min(FILTERS, key=lambda name: _mse(filtered(name, noisy, level), clean))


def filtered(name: str, noisy: Grey, level: float) -> Grey:
    """What the filter makes of each image, cut to [0, 1]; a few at a time, so that nothing takes long."""
    size = affordable(len(noisy), noisy.shape[1:], HELD // 256)
    parts = [FILTERS[name](noisy[start : start + size], level) for start in range(0, len(noisy), size)]
    return np.asarray(np.clip(np.concatenate(parts), 0, 1))


def _pca(pixels: Pixels, components: int) -> Callable[[Grey], Grey]:
    flat = _floats(pixels).reshape(len(pixels), -1)
    pca = fit_pca(flat, components)

    def project(images: Grey) -> Grey:
        codes = pca.transform(images.reshape(len(images), -1))
        made = pca.inverse_transform(codes).reshape(images.shape)
        return np.asarray(np.clip(made, 0, 1), dtype=np.float32)

    return project


def _floats(pixels: Pixels) -> Grey:
    return to_images(torch.from_numpy(np.ascontiguousarray(pixels))).numpy()


def _mse(made: Grey, clean: Grey) -> float:
    return float(np.mean((made - clean) ** 2, dtype=np.float64))
