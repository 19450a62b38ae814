"""What is lost between an image and what its code is decoded to, beside PCA with as many numbers."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np
import torch

from ...core.randomness import generator
from ...core.types import ImageArray, Int64Array
from ...core.wording import counted
from ...models.ordered import first_numbers
from ..code_sizes import sizes_evaluated
from ..codes import flat
from ..denoising import decoded
from .subject import Subject
from .tally import Tally
from .values import Curve, Row, Section

CLASSES: Final = 60  # that are named one by one, at most
WORST: Final = 10  # one in so many
SMALLEST: Final = 1e-10  # error that a PSNR is taken of
AT_ONCE: Final = 256  # images
TITLE: Final = "Reconstruction"


def reconstruction(subject: Subject, tally: Tally) -> Section:
    """Errors of the decoded mean codes."""
    if not subject.decodes:
        why = "a classifier decodes no images: the card of its encoder's run has its reconstructions"
        return Section(title=TITLE, absent=(why,))
    given_back = _given_back(subject)
    errors = {name: squared_errors(one, subject.shown) for name, one in given_back.items()}
    every = np.arange(len(subject.evaluated))
    worst = {name: partial(worst_tenth, one) for name, one in errors.items()}
    psnr = {name: -10 * np.log10(np.maximum(one, SMALLEST)) for name, one in errors.items()}
    likeness = {name: ssim(one, subject.shown) for name, one in given_back.items()}
    rows = [
        tally.mean("mse", "mean squared error", errors, "lower", unit="per pixel", rows=every),
        tally.mean("psnr", "peak signal-to-noise ratio", psnr, "higher", unit="dB", rows=every),
        tally.mean("ssim", "structural similarity", likeness, "higher", rows=every),
        tally.statistic(
            "mse_worst_tenth", "mean squared error, worst tenth", worst, "lower", unit="per pixel"
        ),
        *_from_noisy(subject, tally),
        *_by_class(subject, tally, errors),
    ]
    curves: tuple[Curve, ...] = ()
    absent: tuple[str, ...] = ()
    if subject.encoder.model.ordered and subject.encoder.code_size > 1:
        curves = (_by_code_size(subject, tally),)
    elif not subject.encoder.model.ordered:
        absent = ("error against code size: the codes are not ordered (model.ordered)",)
    return Section(
        title=TITLE,
        rows=tuple(rows),
        curves=curves,
        absent=absent,
        notes=(
            "Mean codes, decoded. PCA, and for the untrained network a least-squares map from its codes to "
            f"pixels, are fitted to {counted(len(subject.learned), 'training image')}.",
            "Structural similarity by torchmetrics (Wang et al. 2004), with a Gaussian window of 1.5 pixels.",
        ),
    )


def squared_errors(decoded: ImageArray, images: ImageArray) -> np.ndarray:
    """The mean squared error a pixel of each image."""
    return np.asarray(((decoded - images) ** 2).mean(axis=(1, 2, 3)), dtype=np.float64)


def ssim(decoded: ImageArray, images: ImageArray) -> np.ndarray:
    """The structural similarity of each image to its original: at most 1."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    sigma = min(1.5, (min(images.shape[2:]) - 2) / 8)  # the window is 7 sigma wide, and must lie within
    found = []
    for start in range(0, len(images), AT_ONCE):
        one, other = (torch.from_numpy(part[start : start + AT_ONCE]) for part in (decoded, images))
        said = structural_similarity_index_measure(one, other, sigma=sigma, data_range=1.0, reduction="none")
        assert isinstance(said, torch.Tensor)
        found.append(said.reshape(-1).numpy())
    return np.concatenate(found).astype(np.float64)


def _given_back(subject: Subject) -> dict[str, ImageArray]:
    """What the evaluated images come back as, by method."""
    from sklearn.linear_model import LinearRegression

    codes, shape = subject.evaluated_features, (-1, *subject.images.shape)
    learned = flat(subject.images.pixels[subject.learned])
    linear = LinearRegression().fit(subject.learned_features["random"], learned)
    mean = learned.mean(axis=0)
    return {
        "run": subject.encoder.decode(codes["run"]),
        "pca": subject.pca.inverse_transform(codes["pca"]).reshape(shape).astype(np.float32),
        "random": linear.predict(codes["random"]).reshape(shape).astype(np.float32),
        "mean": np.broadcast_to(mean, (len(codes["run"]), len(mean))).reshape(shape).astype(np.float32),
    }


def worst_tenth(errors: np.ndarray, rows: Int64Array) -> float:
    """The mean of the largest tenth of these errors."""
    count = max(1, len(rows) // WORST)
    return float(np.partition(errors[rows], len(rows) - count)[-count:].mean())


def _from_noisy(subject: Subject, tally: Tally) -> list[Row]:
    """Of a denoising run: clean images from noisy ones, beside these themselves and PCA."""
    corrupted = subject.encoder.experiment.objective.corrupted_by
    if corrupted is None:
        return []
    clean = torch.from_numpy(subject.shown)
    noisy = corrupted.corruption()(clean, generator(subject.seed, "noise")).numpy()
    back = subject.pca.inverse_transform(subject.pca.transform(flat(noisy))).reshape(noisy.shape)
    errors = {
        "run": squared_errors(decoded(subject.encoder, noisy), subject.shown),
        "input": squared_errors(noisy, subject.shown),
        "pca": squared_errors(back, subject.shown),
    }
    title, every = "mean squared error from noisy images", np.arange(len(noisy))
    return [tally.mean("mse_from_noisy", title, errors, "lower", unit="per pixel", rows=every)]


def _by_class(subject: Subject, tally: Tally, errors: Mapping[str, np.ndarray]) -> list[Row]:
    if not subject.labelled:
        return []
    labels, names = subject.evaluated_labels, subject.images.class_names
    rows = []
    for number in np.unique(labels)[:CLASSES].tolist():
        here = labels == number
        some = {name: one[here] for name, one in errors.items()}
        rows.append(
            tally.mean(
                "mse_of_class", "mean squared error", some, "lower", unit="per pixel", of=names[number]
            )
        )
    return rows


def _by_code_size(subject: Subject, tally: Tally) -> Curve:
    """With a code's first numbers alone, beside as many principal components."""
    sizes = [one for one in sizes_evaluated(subject.encoder.code_size) if one <= subject.pca.n_components_]
    codes = torch.from_numpy(subject.evaluated_features["run"])
    components = subject.evaluated_features["pca"]
    found: dict[str, list[np.ndarray]] = {"run": [], "pca": []}
    for size in sizes:
        short = first_numbers(codes, torch.full((len(codes),), size))
        found["run"].append(squared_errors(subject.encoder.decode(short.numpy()), subject.shown))
        kept = np.where(np.arange(components.shape[1]) < size, components, 0)
        back = subject.pca.inverse_transform(kept).reshape(subject.shown.shape)
        found["pca"].append(squared_errors(back, subject.shown))
    return tally.curve(
        "mse_by_code_size",
        "mean squared error per pixel",
        "numbers of the code that are decoded",
        tuple(map(float, sizes)),
        found,
        "lower",
        logarithmic=True,
    )
