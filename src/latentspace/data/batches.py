"""Seeded order -> batches, cut on the device from what lies there; nothing is loaded image by image."""

from collections.abc import Iterator
from typing import NamedTuple

import torch

from ..types import Images, Labels, Resident


class Batch(NamedTuple):
    """What a network is given: images in [0, 1] or codes, and the labels where the purpose needs them."""

    inputs: torch.Tensor
    labels: Labels | None = None


class ResidentSet(NamedTuple):
    """Images as bytes, or codes as floats, and perhaps labels, on the device they are worked on."""

    inputs: torch.Tensor
    labels: Labels | None = None

    @property
    def images(self) -> int:
        return int(self.inputs.shape[0])

    def batches(self, batch_size: int, order: torch.Tensor | None = None) -> Iterator[Batch]:
        """Cut into batches, in `order` or as they lie; the last, smaller one is kept."""
        for start in range(0, self.images, batch_size):
            here = slice(start, start + batch_size) if order is None else order[start : start + batch_size]
            inputs = self.inputs[here]
            if inputs.dtype == torch.uint8:
                inputs = to_images(inputs)
            yield Batch(inputs, None if self.labels is None else self.labels[here])


def order(images: int, generator: torch.Generator) -> torch.Tensor:
    """A permutation of 0..images-1, drawn on the CPU so that it is the same for every device."""
    return torch.randperm(images, generator=generator)


def to_images(pixels: Resident) -> Images:
    """Bytes 0..255 -> pixels in [0, 1], float32."""
    return pixels.to(torch.float32).div_(255)
