"""Classification: cross-entropy between a label and the classifier's logits, two ways."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from ..data.batches import Batch
from ..errors import DataError
from .loss import Loss


def classification(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """cross_entropy = mean of -log softmax(logits)[label], in nats an image; what is minimised.

    Beside it `report_cross_entropy`, and `accuracy`: the share of images whose largest logit is the label's.
    """
    parts = _parts(model, batch)
    return Loss(parts["cross_entropy"], parts)


def classification_as_reported(model: nn.Module, batch: Batch, generator: torch.Generator) -> Loss:  # noqa: ARG001
    """report_cross_entropy: the Softmax's outputs taken for logits, as the report trained (section 4.1).

    Its smallest possible value with 10 classes is log(e + 9) - 1 = 1.4612 nats, not 0.
    """
    parts = _parts(model, batch)
    return Loss(parts["report_cross_entropy"], parts)


def _parts(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    if batch.labels is None:
        raise DataError("a classifier needs a label for each image", found="none", do="name data with labels")
    logits = model(batch.inputs).float()
    return {
        "cross_entropy": cross_entropy(logits, batch.labels),
        "report_cross_entropy": cross_entropy(torch.softmax(logits, dim=1), batch.labels),
        "accuracy": (logits.argmax(dim=1) == batch.labels).float().mean(),
    }
