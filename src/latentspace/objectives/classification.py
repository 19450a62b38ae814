"""Classification: cross-entropy between a label and the classifier's logits, two ways.

And once more for a pass that is written out in NumPy (`training/steps/numpy_head.py`), with the gradients:
there a column is an image.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import nn
from torch.nn.functional import cross_entropy

from ..core.errors import DataError
from ..core.tensor_types import Labels
from ..core.types import Int64Array
from ..data.batches import Batch
from .loss import Context, Loss, Objective, ObjectiveConfig

Columns: TypeAlias = Float[np.ndarray, "_rows _images"]  # a column is an image
# (logits, targets) -> d loss / d logits, each of classes x images; a target is 1 at the label and else 0
Gradient: TypeAlias = Callable[[Columns, Columns], Columns]


def classification(model: nn.Module, batch: Batch, context: Context) -> Loss:  # noqa: ARG001
    """cross_entropy = mean of -log softmax(logits)[label], in nats per image; what is minimised.

    Beside it `report_cross_entropy`, and `accuracy`: the share of images whose largest logit is the label's.
    """
    parts = _terms(model, batch)
    return Loss(parts["cross_entropy"], parts)


def classification_through_softmax(model: nn.Module, batch: Batch, context: Context) -> Loss:  # noqa: ARG001
    """report_cross_entropy: the Softmax's outputs taken for logits (Foscarin 2021, section 4.1).

    Its smallest possible value with 10 classes is log(e + 9) - 1 = 1.4612 nats, not 0.
    """
    parts = _terms(model, batch)
    return Loss(parts["report_cross_entropy"], parts)


def _terms(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    logits, labels = model(batch.inputs).float(), required_labels(batch)
    return {
        "cross_entropy": cross_entropy(logits, labels),
        "report_cross_entropy": cross_entropy(torch.softmax(logits, dim=1), labels),
        "accuracy": (logits.argmax(dim=1) == labels).to(logits.dtype).mean(),
    }


def column_terms(logits: Columns, labels: Int64Array) -> dict[str, Float[np.ndarray, " _images"]]:
    """What the objectives report, but of each image.

    Args:
        logits: classes x images.
    """
    images = len(labels)
    largest, of_label = logits.max(axis=0), logits[labels, np.arange(images)]
    powers = np.exp(logits - largest)
    sums = powers.sum(axis=0)
    plain = np.log(sums) + (largest - of_label)
    powers /= sums
    right = of_label == largest
    if np.count_nonzero(logits == largest) > images:
        right = logits.argmax(axis=0) == labels  # of equal ones the first; slow, so only where some are equal
    return {
        "cross_entropy": plain,
        "report_cross_entropy": np.log(np.exp(powers, out=powers).sum(axis=0)) - np.exp(-plain),
        "accuracy": right.astype(logits.dtype),
    }


def cross_entropy_gradient(logits: Columns, targets: Columns) -> Columns:
    """(softmax - target) / images."""
    return _towards(_softmax(logits), targets)


def report_cross_entropy_gradient(logits: Columns, targets: Columns) -> Columns:
    """The Softmax's p times (g - sum of p g), where g is the gradient with respect to p."""
    probabilities = _softmax(logits)
    inner = _towards(_softmax(probabilities), targets)
    inner -= (probabilities * inner).sum(axis=0)
    inner *= probabilities
    return inner


def _softmax(logits: Columns) -> Columns:
    powers: Columns = logits - logits.max(axis=0)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=0)
    return powers


def _towards(probabilities: Columns, targets: Columns) -> Columns:
    """(probabilities - targets) / images, in the memory of the probabilities."""
    probabilities -= targets
    probabilities /= targets.shape[1]
    return probabilities


def required_labels(batch: Batch) -> Labels:
    """The labels of the batch.

    Raises:
        DataError: the batch has none.
    """
    if batch.labels is None:
        raise DataError("a classifier needs a label for each image", found="none", do="name data with labels")
    return batch.labels


class ClassificationConfig(ObjectiveConfig):
    """The cross-entropy between a label and what the network says of the image."""

    name: Literal["classification"] = "classification"
    loss: Literal["cross-entropy", "report"] = Field(
        default="cross-entropy",
        description="of the logits, or `report`: of the Softmax's outputs, taken for logits",
    )
    method: Literal["codes", "frozen-encoder"] = Field(
        default="codes",
        description="encode the set once, or `frozen-encoder`: each batch anew in every epoch",
    )

    @property
    def training(self) -> Objective:
        return classification if self.loss == "cross-entropy" else classification_through_softmax

    @property
    def curves(self) -> tuple[str, ...]:
        return self.minimised, "accuracy"

    @property
    def learns_from_codes(self) -> bool:
        return self.method == "codes"

    @property
    def minimised(self) -> str:
        """The name of what is minimised, among the objective's parts."""
        return "cross_entropy" if self.loss == "cross-entropy" else "report_cross_entropy"

    @property
    def gradient(self) -> Gradient:
        """Of what is minimised, with respect to the logits."""
        return cross_entropy_gradient if self.loss == "cross-entropy" else report_cross_entropy_gradient
