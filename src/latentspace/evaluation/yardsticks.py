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
    """The same of the mean of `learned_from`, given for every image of `judged`, in float64.

    A pixel that is black in all of `learned_from`, or white, is taken as half a grey level of one image away
    from that: at 0 or 1 itself an image that differs there would cost without end.
    """
    mean, given = (pixels.mean(axis=0, dtype=np.float64) / 255 for pixels in (learned_from, judged))
    least = 0.5 / 255 / len(learned_from)
    mean = mean.clip(least, 1 - least)
    return float(-(given * np.log(mean) + (1 - given) * np.log1p(-mean)).sum())


def _bce(made: torch.Tensor, images: torch.Tensor) -> Float[torch.Tensor, ""]:
    return binary_cross_entropy(made, images, reduction="sum").double()


def _batches(pixels: Pixels) -> list[torch.Tensor]:
    return [
        to_images(torch.from_numpy(np.ascontiguousarray(pixels[start : start + BATCH])))
        for start in range(0, len(pixels), BATCH)
    ]


def _mean(sums: list[Float[torch.Tensor, ""]], images: int) -> float:
    return float(torch.stack(sums).sum()) / images
