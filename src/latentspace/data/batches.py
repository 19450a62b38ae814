"""Seeded order -> float batches, made on the device from the bytes that lie there."""

from collections.abc import Iterator

import torch

from ..types import Images, Resident


def order(images: int, generator: torch.Generator) -> torch.Tensor:
    """A permutation of 0..images-1, drawn on the CPU so that it is the same for every device."""
    return torch.randperm(images, generator=generator)


def to_images(pixels: Resident) -> Images:
    """Bytes 0..255 -> pixels in [0, 1], float32."""
    return pixels.to(torch.float32).div_(255)


def batches(pixels: Resident, batch_size: int, order: torch.Tensor | None = None) -> Iterator[Images]:
    """Cut `pixels` into float batches, in `order` or as they lie; the last, smaller one is kept."""
    for start in range(0, len(pixels), batch_size):
        if order is None:
            yield to_images(pixels[start : start + batch_size])
        else:
            yield to_images(pixels.index_select(0, order[start : start + batch_size]))
