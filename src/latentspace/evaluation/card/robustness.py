"""What codes are worth where images are changed: noise, shift, turn, blur, contrast."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ...core.progress import told
from ...core.randomness import generator, numpy_generator
from ...core.types import ImageArray, Int64Array
from ...core.wording import counted
from ...data.corruption import blur, gaussian
from ...inference.nearest import nearest
from ...inference.trained import TrainedClassifier
from .codes import neighbours_say
from .probe import Features
from .reconstruction import squared_errors
from .subject import Subject
from .tally import Tally
from .values import Curve, Row, Section

CHANGED: Final = 500  # images, at most; each is encoded twenty times
REFINED: Final = 150  # where refined codes take ten times as long
TITLE: Final = "Robustness"


@dataclass(frozen=True)
class Change:
    """A way to change images.

    Args:
        make: images in [0, 1], strength -> the changed ones, in [0, 1]; the same each time.
        strengths: the first changes nothing.
    """

    across: str
    strengths: tuple[float, ...]
    make: Callable[[ImageArray, float], ImageArray]


def _noisy(images: ImageArray, strength: float) -> ImageArray:
    noise = generator(0, "noise")
    return gaussian(strength)(torch.from_numpy(images), noise).clamp(0, 1).numpy()


def _shifted(images: ImageArray, strength: float) -> ImageArray:
    from scipy.ndimage import shift

    step = strength / 100 * max(images.shape[2:])
    return np.asarray(shift(images, (0, 0, 0, step), order=1, mode="nearest"))


def _turned(images: ImageArray, strength: float) -> ImageArray:
    from scipy.ndimage import rotate

    return np.asarray(rotate(images, strength, axes=(3, 2), reshape=False, order=1, mode="nearest"))


def _blurred(images: ImageArray, strength: float) -> ImageArray:
    width = strength / 100 * max(images.shape[2:])
    return blur(width)(torch.from_numpy(images), generator(0, "noise")).numpy()


def _faded(images: ImageArray, strength: float) -> ImageArray:
    middle = images.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(middle + (1 - strength / 100) * (images - middle), dtype=np.float32)


CHANGES: Final = {
    "noise": Change("standard deviation of the noise", (0.0, 0.05, 0.1, 0.2, 0.4), _noisy),
    "shift": Change("shift, % of the side", (0.0, 3.0, 7.0, 11.0, 15.0), _shifted),
    "turn": Change("turn, degrees", (0.0, 5.0, 10.0, 20.0, 40.0), _turned),
    "blur": Change("blur, % of the side", (0.0, 2.0, 4.0, 6.0, 8.0), _blurred),
    "contrast": Change("contrast lost, %", (0.0, 20.0, 40.0, 60.0, 80.0), _faded),
}

TIMES: Final = sum(len(one.strengths) - 1 for one in CHANGES.values())


def robustness(subject: Subject, tally: Tally) -> Section:
    """Answers and errors on changed images, beside those of the same features as everywhere."""
    draw = numpy_generator(subject.seed, "figure")
    most = REFINED if subject.encoder.model.refine else CHANGED
    chosen = np.sort(draw.permutation(len(subject.evaluated))[:most])
    curves: list[Curve] = []
    rows: list[Row] = []
    unchanged = _outcome(subject, subject.shown[chosen], chosen)
    for name, change in told(list(CHANGES.items()), "changes of images tried"):
        found = [unchanged, *_changed(subject, change, chosen)]
        curves += _curves(tally, name, change, found, subject.labelled)
        rows.append(_row(tally, name, found, chosen, subject.labelled))
    return Section(title=TITLE, rows=tuple(rows), curves=tuple(curves), notes=(_how(subject, len(chosen)),))


def _how(subject: Subject, images: int) -> str:
    if not subject.labelled:
        how = "an answer is right where the nearest code of an unchanged image is that of the image itself"
    elif isinstance(subject.network, TrainedClassifier):
        how = "answers are the head's, and beside it those of the nearest unchanged training images"
    else:
        how = "answers are those of the nearest unchanged training images"
    few = (
        f" No more than {REFINED} images, as each is encoded {TIMES} times and its code refined each time."
        if subject.encoder.model.refine and images < len(subject.evaluated)
        else ""
    )
    return f"Of {counted(images)}: {how}. A row is the mean over all strengths but none.{few}"


@dataclass(frozen=True, eq=False)
class _Outcome:
    """Of images changed in one way: whether each answer is right, and the error of each; by name."""

    right: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]


def _outcome(subject: Subject, images: ImageArray, chosen: Int64Array) -> _Outcome:
    features = {name: make(images) for name, make in subject.features.items()}
    right = {name: _right(subject, name, one, chosen) for name, one in features.items()}
    if not subject.decodes:
        return _Outcome(right, {})
    back = subject.pca.inverse_transform(features["pca"]).reshape(images.shape)
    decoded = subject.encoder.decode(features["run"])
    errors = {"run": squared_errors(decoded, images), "pca": squared_errors(back, images)}
    return _Outcome(right, errors)


def _changed(subject: Subject, change: Change, chosen: Int64Array) -> list[_Outcome]:
    images = subject.shown[chosen]
    made = (np.asarray(change.make(images, one), np.float32).clip(0, 1) for one in change.strengths[1:])
    return [_outcome(subject, one, chosen) for one in made]


def _asked(labelled: bool) -> str:
    return "accuracy" if labelled else "images recognised"


def _curves(
    tally: Tally, name: str, change: Change, found: list[_Outcome], labelled: bool
) -> Iterator[Curve]:
    right = {key: [one.right[key] for one in found] for key in found[0].right}
    yield tally.curve(f"{name}_right", _asked(labelled), change.across, change.strengths, right, "higher")
    if errors := {key: [one.errors[key] for one in found] for key in found[0].errors}:
        title = "mean squared error per pixel, of the changed images"
        yield tally.curve(f"{name}_mse", title, change.across, change.strengths, errors, "lower")


def _row(tally: Tally, name: str, found: list[_Outcome], chosen: Int64Array, labelled: bool) -> Row:
    means = {key: np.mean([one.right[key] for one in found[1:]], axis=0) for key in found[0].right}
    return tally.mean(f"robust_to_{name}", f"{_asked(labelled)} under {name}", means, "higher", rows=chosen)


def _right(subject: Subject, name: str, features: Features, chosen: Int64Array) -> np.ndarray:
    """Whether the answer for each changed image is right."""
    if not subject.labelled:
        found = nearest(features, subject.evaluated_features[name], 1).rows[:, 0]
        return np.asarray(found == chosen, dtype=np.float64)
    if name == "run" and isinstance(subject.network, TrainedClassifier):
        with torch.no_grad():
            codes = torch.from_numpy(features).to(subject.network.autoencoder.device)
            answers = subject.network.head(codes).argmax(dim=1).cpu().numpy()
    else:
        answers = neighbours_say(subject, subject.learned_features[name], features)
    return np.asarray(answers == subject.evaluated_labels[chosen], dtype=np.float64)
