"""What a variational autoencoder's cross-entropy lies between: a perfect copy, and one image for all."""

import numpy as np
import torch
from jaxtyping import Float
from torch.nn.functional import binary_cross_entropy

from ..core.progress import told
from ..core.types import Int64Array, Pixels
from ..data.batches import at_once, float_blocks


def bce_of_copy(pixels: Pixels, evaluated: Int64Array) -> float:
    """Binary cross-entropy of each image with itself, in nats per image; grey pixels keep it above 0."""
    total = 0.0
    for images in map(torch.from_numpy, float_blocks(pixels, evaluated, "images copied")):
        total += binary_cross_entropy(images, images, reduction="sum").item()
    return total / len(evaluated)


def bce_of_mean(pixels: Pixels, learned_from: Int64Array, evaluated: Int64Array) -> float:
    """The cross-entropy of the mean image of `learned_from` as the reconstruction of each of `evaluated`.

    In nats per image, computed in float64. A pixel that is black in all of `learned_from`, or white, is taken
    as half a grey level of one image away from that: at 0 or 1 itself an image that differs there would have
    an infinite loss.
    """
    mean, given = (_mean_image(pixels, chosen) for chosen in (learned_from, evaluated))
    least = 0.5 / 255 / len(learned_from)
    mean = mean.clip(least, 1 - least)
    return float(-(given * np.log(mean) + (1 - given) * np.log1p(-mean)).sum())


def _mean_image(pixels: Pixels, chosen: Int64Array) -> Float[np.ndarray, "channels height width"]:
    size = at_once(1024, pixels.shape[1:])
    starts = told(range(0, len(chosen), size), "parts of a mean image")
    blocks = (pixels[chosen[start : start + size]] for start in starts)
    return np.asarray(sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(chosen) / 255)
