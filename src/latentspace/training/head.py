"""An epoch of a classifier's head over codes, its gradient written out.

Of a few thousand weights, autograd's own work was most of a step. Here a column is an image, so that what
runs over classes runs along the vector registers too, and what is only reported is computed for many
steps at once.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import torch
from torch import nn

from ..models.classifier import Classifier
from ..objectives.classification import Gradient, required_labels, terms
from .loop import Epoch, Losses, Materials, set_learning_rate

KEPT: Final = 2**16  # images whose logits are kept until they are judged, all in one go


@torch.no_grad()
def written_out(m: Materials, epoch: Epoch, *, gradient: Gradient, minimised: str) -> dict[str, float]:
    """A pass over codes for a `Classifier`: what `by_autograd` computes, but for rounding.

    Args:
        gradient: of what is minimised; `minimised` is its name among the terms.

    Raises:
        TrainingError: a loss that is not finite, seen after the epoch.
    """
    head = _Head(m.learned)
    optimizer = getattr(m.optimizer, "optimizer", m.optimizer)  # within Fabric's wrapper
    losses = Losses(epoch.steps)
    batches = enumerate(m.train.batches(epoch.batch_size, epoch.order), start=epoch.first_step)

    def steps() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for step, batch in batches:
            set_learning_rate(optimizer, epoch.learning_rate(step))
            labels = required_labels(batch)
            logits = head.forward(batch.inputs)
            head.backward(gradient(logits, labels))
            if epoch.clip_norm:
                nn.utils.clip_grad_norm_(head.parameters, epoch.clip_norm)
            optimizer.step()
            yield logits, labels

    for logits, labels in _together(steps(), max(1, KEPT // epoch.batch_size)):
        found = terms(logits, labels)
        losses.add_steps({"loss": found[minimised], **found})
    return losses.mean_over_images(m.train.images, epoch.batch_size, epoch.number)


class _Head:
    """Four linear layers with ReLU between them, forward and backward; a column is an image."""

    def __init__(self, head: nn.Module) -> None:
        if not isinstance(head, Classifier):
            raise TypeError(f"written for a Classifier, not a {type(head).__name__}")
        layers = [one for one in head.layers if isinstance(one, nn.Linear)]
        self.parameters = list(head.parameters())
        for one in self.parameters:
            one.grad = torch.empty_like(one)
        self.weights = [one.weight for one in layers]
        self.biases = [one.bias[:, None] for one in layers]
        self.gradients = [(one.weight.grad, one.bias.grad) for one in layers]

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (images x code) -> logits (classes x images)."""
        self.inputs = [codes.t()]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            self.inputs.append(torch.addmm(bias, weight, self.inputs[-1]).relu_())
        return torch.addmm(self.biases[-1], self.weights[-1], self.inputs[-1])

    def backward(self, upstream: torch.Tensor) -> None:
        """The gradient at the logits (classes x images) -> the gradient of every parameter."""
        for number in reversed(range(len(self.weights))):
            at_weight, at_bias = self.gradients[number]
            torch.mm(upstream, self.inputs[number].t(), out=at_weight)
            torch.sum(upstream, 1, out=at_bias)
            if number:
                before = torch.mm(self.weights[number].t(), upstream)
                upstream = torch.ops.aten.threshold_backward(before, self.inputs[number], 0)


def _together(
    steps: Iterable[tuple[torch.Tensor, torch.Tensor]], count: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Stacks of `count` steps, in their order; a last, smaller batch is a stack of its own."""
    steps = iter(steps)
    while kept := list(islice(steps, count)):
        whole = [one for one in kept if one[1].shape == kept[0][1].shape]
        for part in (whole, kept[len(whole) :]):
            if part:
                logits, labels = zip(*part, strict=True)
                yield torch.stack(logits), torch.stack(labels)
