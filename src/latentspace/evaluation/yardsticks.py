"""What a variational autoencoder's cross-entropy lies between: a perfect copy, and one image for all."""

import numpy as np
import torch
from jaxtyping import Float
from torch.nn.functional import binary_cross_entropy

from ..data.batches import to_images
from ..types import Pixels

BATCH = 2000


def bce_of_copy(pixels: Pixels) -> float:
    """Binary cross-entropy of each image with itself, in nats an image: grey pixels keep it above 0."""
    return _mean([_bce(images, images) for images in _batches(pixels)], len(pixels))


def bce_of_mean(learned_from: Pixels, judged: Pixels) -> float:
    """The same of the mean of `learned_from`, given for every image of `judged`."""
    mean = torch.from_numpy(learned_from.mean(axis=0, dtype=np.float64).astype(np.float32) / 255)
    return _mean([_bce(mean.expand_as(images), images) for images in _batches(judged)], len(judged))


def _bce(made: torch.Tensor, images: torch.Tensor) -> Float[torch.Tensor, ""]:
    return binary_cross_entropy(made, images, reduction="sum").double()


def _batches(pixels: Pixels) -> list[torch.Tensor]:
    return [
        to_images(torch.from_numpy(np.ascontiguousarray(pixels[start : start + BATCH])))
        for start in range(0, len(pixels), BATCH)
    ]


def _mean(sums: list[Float[torch.Tensor, ""]], images: int) -> float:
    return float(torch.stack(sums).sum()) / images
