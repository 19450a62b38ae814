"""What is explored: a run with its images, their codes, and what is known of each image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..core.errors import RunError
from ..core.types import CodeArray, Float32Array, Int64Array, Probabilities
from ..core.wording import counted
from ..data.imageset import ImageSet
from ..data.splits import PARTS
from ..inference.calibration import Temperature
from ..inference.classes import find_classes
from ..inference.code_classes import LinearClassifier, fitted
from ..inference.conform import conformed
from ..inference.encoding import codes_and_errors
from ..inference.image_files import raster
from ..inference.kept_codes import KeptCodes
from ..inference.kept_refined import refined_kept
from ..inference.sampling import draw, of_prior
from ..inference.trained import TrainedAutoencoder, TrainedClassifier, load_trained
from ..runs.directory import Run

DRAWN: Final = 2_000  # draws that stand for the images of a run whose images are gone
ERROR: Final = "mean squared error a pixel of the reconstruction, of values from 0 to 1"


@dataclass(frozen=True, eq=False)
class Category:
    """A column of names: `numbers` index `names`; -1: none."""

    name: str
    numbers: Int64Array
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Quantity:
    """A column of numbers; `words` say what they measure, and in which unit."""

    name: str
    values: Float32Array
    words: str


@dataclass(frozen=True, eq=False)
class Subject:
    """A run and the images that are looked at with it.

    Args:
        images: conformed to the run's shape, a row an image.
        codes: images x code size; None while there is no network yet.
        columns: what is known of each image beside its code.
        notes: what a person should know of the images, a sentence each.
        weights_hash: of the autoencoder, by which its exported networks are kept.
        temperature: what the classifier's logits are divided by.
        linear: the classifier of the images' own labels, where the run has none.
        folder: what the images' names are relative to, where it is one.
        own: whether they are the run's own images.
        decoded: whether they are decoded codes, in the place of images that are gone.
    """

    title: str
    images: ImageSet
    columns: tuple[Category | Quantity, ...]
    codes: CodeArray | None = None
    autoencoder: TrainedAutoencoder | None = None
    classifier: TrainedClassifier | None = None
    notes: tuple[str, ...] = ()
    weights_hash: str | None = None
    temperature: Temperature = Temperature(1.0)  # noqa: RUF009 (it is frozen)
    linear: LinearClassifier | None = None
    folder: Path | None = None
    own: bool = False
    decoded: bool = False


def of_run(
    run: Run, images: ImageSet | None, *, own: bool, device: str = "auto", folder: Path | None = None
) -> Subject:
    """The subject of a finished run.

    Args:
        images: what the run is applied to; None: its own are gone, and decoded codes stand for them.
        own: whether they are the run's own, so that each belongs to a part of its split.
        folder: what the images' names are relative to, where it is one.

    Raises:
        RunError: the run has not ended; or no images are at hand, and it has neither codes nor a prior.
        DataError: images of another shape than the run's.
    """
    trained = load_trained(run, device)
    classifier = trained if isinstance(trained, TrainedClassifier) else None
    autoencoder = trained.autoencoder if isinstance(trained, TrainedClassifier) else trained
    with refined_kept(autoencoder):
        return _subject(run, images, autoencoder, classifier, own=own, folder=folder)


def _subject(
    run: Run,
    images: ImageSet | None,
    autoencoder: TrainedAutoencoder,
    classifier: TrainedClassifier | None,
    *,
    own: bool,
    folder: Path | None,
) -> Subject:
    """As `of_run`, of its networks."""
    notes: tuple[str, ...] = ()
    codes, errors = None, None
    if images is None:
        images, codes, what = _decoded(run, autoencoder)
        notes = (f"The run's own images ({run.experiment.data.spec}) are not at hand: these are {what}.",)
    else:
        images = conformed(images, autoencoder.data.shape, autoencoder.experiment.data.fit)
        codes, errors = codes_and_errors(autoencoder, images.pixels, np.arange(len(images)))
    columns = [*described(images, run if own else None)]
    linear, temperature = None, Temperature(1.0)
    if classifier is not None:
        classes = find_classes(classifier, images, own=images if own else None)
        if classes.calibration is not None:
            temperature = classes.calibration.temperature
        columns += predicted(classes.probabilities, classes.class_names)
    elif (linear := _of_own_labels(images, codes, run if own else None)) is not None:
        columns += predicted(linear.probabilities(codes), linear.names)
    if errors is not None:
        columns.append(Quantity("error", errors, ERROR))
    return Subject(
        run.path.name,
        images,
        tuple(columns),
        codes,
        autoencoder,
        classifier,
        notes,
        run.encoder_hash if classifier else run.weights_hash,
        temperature,
        linear,
        folder,
        own,
        decoded=bool(notes),
    )


def predicted(chances: Probabilities, names: tuple[str, ...], by: str = "") -> tuple[Category, Quantity]:
    """The likeliest class of each image, and its probability; `by` ends the names of the columns."""
    best, highest = chances.argmax(axis=1), chances.max(axis=1).astype(np.float32)
    words = "probability of the predicted class, from 0 to 1"
    return Category(f"predicted{by}", best, names), Quantity(f"confidence{by}", highest, words)


def _of_own_labels(images: ImageSet, codes: CodeArray, run: Run | None) -> LinearClassifier | None:
    """The classifier of the images' labels, fitted to the part that `run` was trained on; None: too few."""
    if images.labels is None:
        return None
    labels = images.labels
    if run is not None:
        labels = np.full(len(images), -1)
        train = run.split.part("train")
        labels[train] = images.labels[train]
    return fitted(codes, labels, images.class_names)


def described(images: ImageSet, run: Run | None = None) -> list[Category | Quantity]:
    """The columns that need no network: the label, and the part of `run`'s split."""
    columns: list[Category | Quantity] = []
    if images.labels is not None:
        columns.append(Category("label", images.labels, images.class_names))
    if run is not None:
        parts = np.full(len(images), -1)
        for number, name in enumerate(PARTS):
            parts[run.split.part(name)] = number
        columns.append(Category("part", parts, PARTS))
    drawn = raster(images.pixels)
    ink = [drawn[at : at + 4096].mean(axis=(1, 2, 3)) / 255 for at in range(0, len(drawn), 4096)]
    words = "mean of all pixels, from 0 (black) to 1 (white)"
    columns.append(Quantity("brightness", np.concatenate(ink).astype(np.float32), words))
    return columns


def _decoded(run: Run, autoencoder: TrainedAutoencoder) -> tuple[ImageSet, CodeArray, str]:
    """Decodes that stand for the images of a run, their codes, and what they are, in words."""
    prior, encoder = autoencoder.model.prior, autoencoder.run or run
    if prior is not None:
        codes = draw(of_prior(prior), DRAWN, seed=0).codes
        names = tuple(f"draw {number}" for number in range(1, DRAWN + 1))
        what, labels = f"{DRAWN:,} decoded draws from its prior", None
    elif (kept := KeptCodes.read(encoder)) is not None:
        codes, names, labels = kept.codes, kept.names, kept.labels
        what = f"the codes of {counted(len(codes))} that it learned from, decoded"
    else:
        raise RunError(
            f"the images of {run.path} must be at hand",
            found="none, and the run keeps no codes of them (those of older versions keep none)",
            do="name where they are now: latentspace explore RUN DATA",
        )
    pixels = np.rint(np.clip(autoencoder.decode(codes), 0, 1) * 255).astype(np.uint8)
    classes = () if labels is None else encoder.data.class_names
    return ImageSet(pixels, what, labels, classes, files=names), codes, what
