"""An epoch of a classifier's head over codes, forward and backward written out.

Of a few thousand weights, what PyTorch adds to each call was most of a step. NumPy adds a fifth of that, and
its products of such small matrices are the faster ones: the layers are NumPy's, in the memory of the tensors.
A column is an image, so that what runs over classes runs along the vector registers too; what is only
reported is computed for many steps at once.
"""

import functools
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from threadpoolctl import ThreadpoolController
from torch import nn

from ...core.types import CodeArray, Int64Array
from ...data.batches import Batches, ResidentSet
from ...models.classifier import Classifier
from ...objectives.classification import Columns, Gradient, column_terms, required_labels
from ..components import Components
from ..epoch import Epoch, Losses
from .flat_optimizer import Flat

_threshold_backward = torch.ops.aten.threshold_backward.grad_input  # ReLU's way back, in place
KEPT: Final = 2**20  # logits that are kept until their losses are computed, all in one go


class ManualBackward:
    """The pass over codes for a `Classifier` on the CPU: what `by_autograd` computes, but for rounding.

    Args:
        gradient: of what is minimised; `minimised` is its name among the terms.
    """

    def __init__(self, m: Components, *, gradient: Gradient, minimised: str) -> None:
        self.train, self.gradient, self.minimised = m.train, gradient, minimised
        if not isinstance(m.learned, Classifier):
            raise TypeError(f"written for a Classifier, not a {type(m.learned).__name__}")
        self.rate: float = m.optimizer.param_groups[0]["initial_lr"]
        layers = [one for one in m.learned.layers if isinstance(one, nn.Linear)]
        shapes = [(one.out_features, one.in_features + 1) for one in layers]
        self.flat = Flat(m.optimizer, partial(_weights_and_biases, shapes))
        self.head = _Head(*(_matrices(shapes, one) for one in (self.flat.weights, self.flat.gradient)))

    @torch.no_grad()
    @np.errstate(all="ignore")  # what is not finite shows in the losses
    def __call__(self, epoch: Epoch) -> dict[str, float]:
        """Train for an epoch; return the mean of each loss.

        Raises:
            TrainingError: a loss that is not finite, seen after the epoch; its steps are not kept.
        """
        losses, size = Losses(epoch.steps), epoch.batch_size
        together = size * max(1, KEPT // (size * self.head.classes))
        step = epoch.first_step
        with _blas().limit(limits=1, user_api="blas"):  # such small products are no faster with more
            for part in _in_order(self.train, epoch).batches(together):
                labels = required_labels(part).numpy()
                logits = self._learn(part.inputs.numpy(), labels, epoch, step)
                step += -(-len(labels) // size)
                found = {name: _means(each, size) for name, each in column_terms(logits, labels).items()}
                losses.add_steps({"loss": found[self.minimised], **found})
        means = losses.mean_over_images(self.train.images, size, epoch.number)
        self.flat.put_back()
        return means

    def _learn(self, codes: CodeArray, labels: Int64Array, epoch: Epoch, first_step: int) -> Columns:
        """Steps through the batches of `codes` -> their logits, classes x images."""
        columns = np.ones((codes.shape[1] + 1, len(codes)), dtype=np.float32)
        columns[:-1] = codes.T
        logits = np.empty((self.head.classes, len(labels)), dtype=np.float32)
        targets = (labels == np.arange(self.head.classes)[:, None]).astype(np.float32)
        for step, start in enumerate(range(0, len(labels), epoch.batch_size), start=first_step):
            here = np.s_[:, start : start + epoch.batch_size]
            self.head.forward(columns[here], logits[here])
            self.head.backward(self.gradient(logits[here], targets[here]))
            if epoch.clip_norm:
                nn.utils.clip_grad_norm_(self.flat.weights, epoch.clip_norm)
            self.flat.step(self.rate * epoch.schedule(step))
        return logits


class _Head:
    """Linear layers with ReLU between them; a column is an image.

    Each layer is one matrix, whose last column is the bias: what it is given ends in a row of ones. So the
    bias is added, and its gradient summed, by the products.

    Args:
        layers: outputs x (inputs + 1), each.
        gradients: where the gradient of each belongs.
    """

    def __init__(self, layers: Sequence[Columns], gradients: Sequence[Columns]) -> None:
        self.layers, self.gradients = layers, gradients
        self.homeward = [one[:, :-1].T for one in layers]
        self.classes = len(layers[-1])
        self._make_room(0)

    def _make_room(self, images: int) -> None:
        """What is between the layers, and the gradient there: as tensors, and the same memory as arrays."""
        widths = [len(one) for one in self.layers[:-1]]
        self.hidden = [torch.ones(one + 1, images) for one in widths]
        self.before = [torch.empty(one, images) for one in widths]
        self.inputs = [one.numpy() for one in self.hidden]
        self.activations = [one[:-1] for one in self.hidden]
        self.upstream = [one.numpy() for one in self.before]
        self.images = images

    def forward(self, codes: Columns, logits: Columns) -> None:
        """Codes, with a row of ones, -> logits, which are written over."""
        if codes.shape[1] != self.images:
            self._make_room(codes.shape[1])
        self.codes, given = codes, codes
        for layer, hidden, inputs in zip(self.layers, self.hidden, self.inputs, strict=False):
            np.matmul(layer, given, out=inputs[:-1])
            torch.relu_(hidden)  # NumPy's `maximum` takes five times as long
            given = inputs
        np.matmul(self.layers[-1], given, out=logits)

    def backward(self, upstream: Columns) -> None:
        """The gradient at the logits -> that of every layer."""
        for number in reversed(range(1, len(self.layers))):
            np.matmul(upstream, self.inputs[number - 1].T, out=self.gradients[number])
            upstream = np.matmul(self.homeward[number], upstream, out=self.upstream[number - 1])
            before = self.before[number - 1]
            _threshold_backward(before, self.activations[number - 1], 0, grad_input=before)
        np.matmul(upstream, self.codes.T, out=self.gradients[0])


def _matrices(shapes: Sequence[tuple[int, int]], vector: torch.Tensor) -> list[Columns]:
    """A layer after the other, each with its bias as the last column."""
    parts = torch.split(vector.detach(), [rows * columns for rows, columns in shapes])
    return [part.view(shape).numpy() for part, shape in zip(parts, shapes, strict=True)]


def _weights_and_biases(shapes: Sequence[tuple[int, int]], vector: torch.Tensor) -> list[torch.Tensor]:
    """The same as torch.nn.Linear's parameters, in their order."""
    layers = [torch.from_numpy(one) for one in _matrices(shapes, vector)]
    return [part for one in layers for part in (one[:, :-1], one[:, -1])]


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
