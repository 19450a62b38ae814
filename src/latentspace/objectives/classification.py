"""Classification: cross-entropy between a label and the classifier's logits, two ways."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, nll_loss

from ..data.batches import Batch
from ..errors import DataError
from .loss import Loss


def classification(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """cross_entropy = mean of -log softmax(logits)[label], in nats an image; what is minimised.

    Beside it `report_cross_entropy`, and `accuracy`: the share of images whose largest logit is the label's.
    """
    logits, labels = _judged(model, batch)
    log_probabilities = torch.log_softmax(logits, dim=1)
    total = nll_loss(log_probabilities, labels)
    with torch.no_grad():
        reported = cross_entropy(log_probabilities.exp(), labels)
        return _loss(total, total, reported, logits, labels)


def classification_as_reported(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """report_cross_entropy: the Softmax's outputs taken for logits, as the report trained (section 4.1).

    Its smallest possible value with 10 classes is log(e + 9) - 1 = 1.4612 nats, not 0.
    """
    logits, labels = _judged(model, batch)
    total = cross_entropy(torch.softmax(logits, dim=1), labels)
    with torch.no_grad():
        return _loss(total, cross_entropy(logits, labels), total, logits, labels)


def _judged(model: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    if batch.labels is None:
        raise DataError("a classifier needs a label for each image", found="none", do="name data with labels")
    return model(batch.inputs).float(), batch.labels


def _loss(
    total: torch.Tensor,
    plain: torch.Tensor,
    reported: torch.Tensor,
    logits: torch.Tensor,
    labels: torch.Tensor,
) -> Loss:
    """Only `total` carries gradients: what is reported beside it costs no second way back."""
    accuracy = (logits.argmax(dim=1) == labels).sum() / len(labels)
    return Loss(total, {"cross_entropy": plain, "report_cross_entropy": reported, "accuracy": accuracy})
