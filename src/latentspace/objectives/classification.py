"""Classification: cross-entropy between a label and the classifier's logits, two ways, with their gradients.

The gradients are for a pass that is written out (`training/head.py`), where a column is an image.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn
from torch.nn.functional import cross_entropy, nll_loss

from ..data.batches import Batch
from ..errors import DataError
from ..types import Labels
from .loss import Loss

# (logits, labels) -> d loss / d logits; both of classes x images
Gradient: TypeAlias = Callable[[torch.Tensor, Labels], torch.Tensor]


def classification(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """cross_entropy = mean of -log softmax(logits)[label], in nats an image; what is minimised.

    Beside it `report_cross_entropy`, and `accuracy`: the share of images whose largest logit is the label's.
    """
    logits, labels = _judged(model, batch)
    total = cross_entropy(logits, labels)
    return Loss(total, {**terms(logits, labels), "cross_entropy": total})


def classification_as_reported(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """report_cross_entropy: the Softmax's outputs taken for logits, as the report trained (section 4.1).

    Its smallest possible value with 10 classes is log(e + 9) - 1 = 1.4612 nats, not 0.
    """
    logits, labels = _judged(model, batch)
    total = cross_entropy(torch.softmax(logits, dim=1), labels)
    return Loss(total, {**terms(logits, labels), "report_cross_entropy": total})


@torch.no_grad()
def terms(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """What is reported, each the mean over a batch's images; without a way back.

    Args:
        logits: images x classes, or, for many batches at once, batches x classes x images.
        labels: images, or batches x images.
    """
    log_probabilities = torch.log_softmax(logits, dim=1)
    each = {
        "cross_entropy": nll_loss(log_probabilities, labels, reduction="none"),
        "report_cross_entropy": cross_entropy(log_probabilities.exp_(), labels, reduction="none"),
        # of equal logits the first; `argmax` finds the same, a dozen times slower along this dimension
        "accuracy": (logits.max(dim=1).indices == labels).to(logits.dtype),
    }
    return {name: values.mean(dim=-1) for name, values in each.items()}


def cross_entropy_gradient(logits: torch.Tensor, labels: Labels) -> torch.Tensor:
    """(softmax - one-hot) / images.

    Args:
        logits: classes x images.
    """
    return _towards(torch.softmax(logits, dim=0), labels)


def report_cross_entropy_gradient(logits: torch.Tensor, labels: Labels) -> torch.Tensor:
    """The Softmax's p times (g - sum of p g), where g is the gradient with respect to p.

    Args:
        logits: classes x images.
    """
    probabilities = torch.softmax(logits, dim=0)
    inner = _towards(torch.softmax(probabilities, dim=0), labels)
    return probabilities * (inner - (probabilities * inner).sum(dim=0))


def _towards(probabilities: torch.Tensor, labels: Labels) -> torch.Tensor:
    """(probabilities - one-hot) / images, in the same memory."""
    minus = probabilities.new_full((), -1.0).expand(1, len(labels))
    return probabilities.scatter_add_(0, labels[None], minus).div_(len(labels))


def _judged(model: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    return model(batch.inputs).float(), required_labels(batch)


def required_labels(batch: Batch) -> Labels:
    """Raises: DataError: the batch has none."""
    if batch.labels is None:
        raise DataError("a classifier needs a label for each image", found="none", do="name data with labels")
    return batch.labels
