"""The classes of images by a classifier's run, with calibrated probabilities."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..core.errors import ConfigurationError
from ..core.types import Probabilities
from ..core.wording import option
from ..data.given import Given
from ..data.imageset import ImageSet
from .calibration import Calibration, Temperature, calibrate
from .given_images import image_set
from .kept_refined import refined_kept
from .run_images import own_or_other, require_own
from .trained import TrainedClassifier

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, eq=False)
class Classes:
    """A class for each of some images.

    Args:
        images: those that were classified.
        probabilities: of each class, images x classes, each row adding up to one.
        class_names: of the classes.
        calibration: of the probabilities; None where the run's images were not at hand.
        least: the probability below which an image's class is `UNKNOWN`.
    """

    images: ImageSet
    probabilities: Probabilities
    class_names: tuple[str, ...]
    calibration: Calibration | None
    least: float = 0.0

    @property
    def names(self) -> list[str]:
        """Of the most probable class of each image, or `UNKNOWN`."""
        best = self.probabilities.argmax(axis=1).tolist()
        return [
            UNKNOWN if one < self.least else self.class_names[place]
            for one, place in zip(self.confidences.tolist(), best, strict=True)
        ]

    @property
    def confidences(self) -> np.ndarray:
        """The highest probability of each image."""
        return np.asarray(self.probabilities.max(axis=1))

    def columns(self, *, all_classes: bool = False) -> dict[str, Any]:
        """The columns of a table; `all_classes`: with the probability of every class."""
        columns: dict[str, Any] = {"name": list(self.images.names)}
        if self.images.labelled:
            columns["label"] = self.images.label_names(np.arange(len(self.images)))
        columns |= {"class": self.names, "probability": self.confidences}
        if all_classes:
            columns |= {
                f"p({name})": self.probabilities[:, place] for place, name in enumerate(self.class_names)
            }
        return columns


def refuse_share(reject: float) -> None:
    """Refuse a `reject` that is not a share: raises ConfigurationError."""
    if not 0 <= reject < 1:
        raise ConfigurationError(
            f"{option('reject')} takes a share from 0, below 1",
            found=str(reject),
            do=f"write for example {option('reject', 0.05)}",
        )


def find_classes(
    trained: TrainedClassifier,
    images: Given | None = None,
    *,
    own: ImageSet | None = None,
    reject: float = 0.0,
) -> Classes:
    """The class of each image, its probability calibrated on the run's validation images where these are.

    Args:
        images: as for `encode`; None: the run's own images.
        own: the run's own images, where they have been read already, or Python alone has them.
        reject: an image whose class is less probable than for this share of the validation images is unknown.

    Raises:
        DataError: images of another shape than the run's.
        ConfigurationError: no share from 0, below 1; or no validation images that say what is unlikely.
        RunError: the run's own images are asked for and not at hand.
    """
    refuse_share(reject)
    if own is not None and trained.run is not None:
        require_own(trained.run, own)
    elif images is None and trained.run is not None:
        own = own_or_other(trained.run, None)[0]
    with refined_kept(trained.encoder):
        calibration = calibrate(trained, own)
        asked = own if images is None else image_set(trained.encoder, images)
        if asked is None:
            raise ConfigurationError("images are needed", found="none, and no run", do="give images")
        if reject and calibration is None:
            raise ConfigurationError(
                f"{option('reject')} needs the run's validation images",
                found="none at hand",
                do=f"bring the run's images back to their place, or leave {option('reject')} out",
            )
        logits = trained.logits(asked)
    temperature = Temperature(1.0) if calibration is None else calibration.temperature
    return Classes(
        images=asked,
        probabilities=temperature.probabilities(logits),
        class_names=trained.class_names,
        calibration=calibration,
        least=calibration.rejecting(reject) if calibration is not None and reject else 0.0,
    )
