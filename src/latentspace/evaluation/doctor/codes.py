"""The codes that images are compared by: of a run, or of a small autoencoder that is trained here."""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from ...core.devices import AUTO
from ...core.logs import unsaid
from ...core.progress import tell, unheard
from ...core.randomness import numpy_generator
from ...core.types import CodeArray
from ...core.wording import counted
from ...data.cleaning import first_of_each
from ...data.fitting import Fit, Size, fitted_set
from ...data.imageset import ImageSet
from ...data.memmap import blocks
from ...experiment.config import Experiment
from ...inference.computing import Computed, here
from ...inference.conform import conformed
from ...inference.encoding import computed_codes
from ...inference.kept_refined import refined_kept
from ...inference.pca import fit_pca
from ...inference.trained import TrainedAutoencoder
from ...runs.directory import Run
from ...training.train import start
from ..codes import flat
from .kept_coder import keep, place_of, recalled

SMALLEST, LARGEST = 8, 32  # pixels a side of what the small autoencoder sees
IMAGES: Final = 12_800  # that it learns from, at most
FEWEST: Final = 60  # that it needs
STEPS: Final = 300
BATCH: Final = 128
CODE: Final = 24
WIDTH: Final = 8
FITTED_TO: Final = 5_000  # images that principal components are fitted to, at most


@dataclass(frozen=True, eq=False)
class Coder:
    """A trained autoencoder, how images are brought to its size, and what it is called.

    Args:
        size: what images are stretched to first; None: they are fitted as the run's own were.
    """

    trained: TrainedAutoencoder
    fit: Fit
    words: str
    size: Size | None = None

    @classmethod
    def of_run(cls, path: Path, device: str = AUTO) -> "Coder":
        """Of a finished run.

        Raises:
            RunError: there is none, or it is a classifier's.
        """
        run = Run.open(path)
        trained = TrainedAutoencoder.load(run, device)
        return cls(
            trained, run.experiment.data.fit, f"the codes of {path}, {counted(trained.code_size, 'number')}"
        )

    def codes(
        self, images: ImageSet, computed: Computed = here
    ) -> tuple[CodeArray, Float32[np.ndarray, " images"]]:
        """Codes, and the mean squared error a pixel of each reconstruction; `computed` computes them.

        Raises:
            DataError: images of other channels than the autoencoder's.
        """
        if self.size is not None:
            images = fitted_set(images, self.size, "stretch")
        pixels = conformed(images, self.trained.data.shape, self.fit).pixels
        with refined_kept(self.trained):
            return computed_codes(self.trained, pixels, np.arange(len(images)), computed)


def trained_here(images: ImageSet, device: str = AUTO) -> Coder:
    """A small autoencoder, trained on some of the images by the ordinary training; its weights are cached."""
    began = time.monotonic()
    height, width = _size(images)
    chosen = first_of_each(images.image_hashes)
    chosen = np.sort(numpy_generator(0, "sample").permutation(chosen)[:IMAGES])
    plain = replace(images.subset(chosen), parts=None, groups=None, labels=None, class_names=())
    shown = fitted_set(plain, (height, width), "stretch")
    plan = _plan(shown, device)
    place = place_of(plan, shown)
    known = recalled(place, shown, device)
    if known is not None:
        words = (
            f"codes of {counted(known.code_size, 'number')}, of a small autoencoder that was trained before, "
            f"on {counted(len(shown))} of these"
        )
        return Coder(known, "stretch", words, (height, width))
    with tempfile.TemporaryDirectory(prefix="latentspace-") as folder:
        trained = _trained(plan, Path(folder) / "run", shown)
    keep(place, trained)
    seconds = time.monotonic() - began
    words = (
        f"codes of {counted(trained.code_size, 'number')}, of a small autoencoder that was trained for this "
        f"on {counted(len(shown))} for {seconds:.0f} s"
    )
    return Coder(trained, "stretch", words, (height, width))


def principal_codes(images: ImageSet, count: int) -> CodeArray:
    """So many principal components of the images, at most, at the size that the small autoencoder sees."""
    pixels = fitted_set(images, _size(images), "stretch").pixels
    chosen = numpy_generator(0, "sample").permutation(len(pixels))[:FITTED_TO]
    pca = fit_pca(flat(pixels[np.sort(chosen)]), count)
    return np.concatenate([pca.transform(flat(pixels[here])) for here in blocks(pixels)])


def _size(images: ImageSet) -> Size:
    """What the small autoencoder sees of them."""
    height, width = (min(LARGEST, max(SMALLEST, side)) for side in images.size)
    return height, width


def _plan(images: ImageSet, device: str) -> Experiment:
    batch = min(BATCH, max(8, len(images) // 24))
    settings = {
        "kind": "ae",
        "preset": "fast",
        "device": device,
        "split": {"shares": "90/5/5", "near_copies": "off"},
        "model": {"code_size": min(CODE, images.pixels[0].size // 4), "width": WIDTH, "refine": 0},
        "training": {"batch_size": batch, "epochs": max(1, STEPS * batch // len(images))},
    }
    return Experiment.parse(settings, "the plan of the small autoencoder")


def _trained(plan: Experiment, place: Path, images: ImageSet) -> TrainedAutoencoder:
    with unsaid():
        training = start(plan, place, images=images)
        records = training.records()
        for number in range(1, (epochs := training.experiment.training.epochs) + 1):
            with unheard():
                next(records, None)
            tell("epochs of a small autoencoder", number, epochs)
        for _ in records:  # it ends behind its last record, and writes the weights
            pass
        return TrainedAutoencoder.load(training.run, plan.device)
