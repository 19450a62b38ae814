"""An epoch of a classifier's head over codes, forward and backward written out.

Of a few thousand weights, what PyTorch adds to each call was most of a step. NumPy adds a fifth of that, and
its products of such small matrices are the faster ones: the layers are NumPy's, in the memory of the tensors.
A column is an image, so that what runs over classes runs along the vector registers too; what is only
reported is computed for many steps at once.
"""

import functools
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from threadpoolctl import ThreadpoolController
from torch import nn

from ..data.batches import Batches, ResidentSet
from ..models.classifier import Classifier
from ..objectives.classification import Columns, Gradient, column_terms, required_labels
from ..types import Whole
from .flat import Flat
from .loop import Epoch, Losses, Materials

KEPT: Final = 2**20  # logits that are kept until they are judged, all in one go


class WrittenOut:
    """The pass over codes for a `Classifier` on the CPU: what `by_autograd` computes, but for rounding.

    Args:
        gradient: of what is minimised; `minimised` is its name among the terms.
    """

    def __init__(self, m: Materials, *, gradient: Gradient, minimised: str) -> None:
        self.train, self.gradient, self.minimised = m.train, gradient, minimised
        self.flat = Flat(m.optimizer)
        self.head = _Head(m.learned, self.flat)

    @torch.no_grad()
    @np.errstate(all="ignore")  # what is not finite shows in the losses
    def __call__(self, epoch: Epoch) -> dict[str, float]:
        """Raises: TrainingError: a loss that is not finite, seen after the epoch; its steps are not kept."""
        losses, size = Losses(epoch.steps), epoch.batch_size
        together = size * max(1, KEPT // (size * self.head.classes))
        step = epoch.first_step
        with _blas().limit(limits=1, user_api="blas"):  # such small products are no faster with more
            for part in _in_order(self.train, epoch).batches(together):
                codes, labels = part.inputs.t().contiguous().numpy(), required_labels(part).numpy()
                logits = self._learn(codes, labels, epoch, step)
                step += -(-len(labels) // size)
                found = {name: _means(each, size) for name, each in column_terms(logits, labels).items()}
                losses.add_steps({"loss": found[self.minimised], **found})
        means = losses.mean_over_images(self.train.images, size, epoch.number)
        self.flat.put_back()
        return means

    def _learn(self, codes: Columns, labels: Whole, epoch: Epoch, first_step: int) -> Columns:
        """Steps through the batches of `codes` -> their logits, classes x images."""
        logits = np.empty((self.head.classes, len(labels)), dtype=np.float32)
        targets = (labels == np.arange(self.head.classes)[:, None]).astype(np.float32)
        for step, start in enumerate(range(0, len(labels), epoch.batch_size), start=first_step):
            here = np.s_[:, start : start + epoch.batch_size]
            self.head.forward(codes[here], logits[here])
            self.head.backward(self.gradient(logits[here], targets[here]))
            if epoch.clip_norm:
                nn.utils.clip_grad_norm_(self.flat.weights, epoch.clip_norm)
            self.flat.step(epoch.learning_rate(step))
        return logits


class _Head:
    """Four linear layers with ReLU between them, whose weights are `flat`'s; a column is an image."""

    def __init__(self, head: nn.Module, flat: Flat) -> None:
        if not isinstance(head, Classifier):
            raise TypeError(f"written for a Classifier, not a {type(head).__name__}")
        # of each layer the weight, then the bias
        values, gradients = (
            [one.numpy() for one in flat.split(vector)] for vector in (flat.weights.detach(), flat.gradient)
        )
        self.weights, self.biases = values[::2], [one[:, None] for one in values[1::2]]
        self.at_weights, self.at_biases = gradients[::2], gradients[1::2]
        self.classes = len(self.weights[-1])
        self._make_room(0)

    def _make_room(self, images: int) -> None:
        """What is between the layers, and the gradient there: as tensors, and the same memory as arrays."""
        widths = [len(one) for one in self.weights[:-1]]
        self.hidden, self.upstream = ([torch.empty(one, images) for one in widths] for _ in range(2))
        self.outputs, self.gradients = (
            [one.numpy() for one in kept] for kept in (self.hidden, self.upstream)
        )
        self.ones = np.ones(images, dtype=np.float32)

    def forward(self, codes: Columns, logits: Columns) -> None:
        """Codes -> logits, which are written over."""
        if codes.shape[1] != len(self.ones):
            self._make_room(codes.shape[1])
        self.inputs = [codes, *self.outputs]
        for number, into in enumerate([*self.outputs, logits]):
            np.matmul(self.weights[number], self.inputs[number], out=into)
            np.add(into, self.biases[number], out=into)
            if into is not logits:
                torch.relu_(self.hidden[number])  # NumPy's `maximum` takes five times as long

    def backward(self, upstream: Columns) -> None:
        """The gradient at the logits -> that of every parameter."""
        for number in reversed(range(len(self.weights))):
            np.matmul(upstream, self.inputs[number].T, out=self.at_weights[number])
            np.matmul(upstream, self.ones, out=self.at_biases[number])
            if number:
                before, activations = self.upstream[number - 1], self.hidden[number - 1]
                upstream = np.matmul(self.weights[number].T, upstream, out=self.gradients[number - 1])
                torch.ops.aten.threshold_backward.grad_input(before, activations, 0, grad_input=before)


def _in_order(codes: Batches, epoch: Epoch) -> ResidentSet:
    if not isinstance(codes, ResidentSet):
        raise TypeError(f"written for codes in memory, not a {type(codes).__name__}")
    return codes.reordered(epoch.order)


def _means(each: Float[np.ndarray, " _images"], batch_size: int) -> torch.Tensor:
    """The mean of each batch; the last may be smaller."""
    whole = len(each) // batch_size * batch_size
    means = each[:whole].reshape(-1, batch_size).mean(axis=1)
    return torch.from_numpy(means if whole == len(each) else np.append(means, each[whole:].mean()))


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
