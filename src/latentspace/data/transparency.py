"""Transparency: images with alpha are laid over white or black, whichever keeps what they show visible.

Dark on nothing is laid over white, light on nothing over black: one ground for a whole set, by the mean of
its pixels, each weighted with its opacity.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(eq=False)
class Opacity:
    """How many images of a set are transparent somewhere, and how bright their visible pixels are."""

    images: int = 0
    brightness: float = 0.0  # the sum over all pixels of value x alpha
    weight: float = 0.0  # the sum of alpha

    def add(self, colour: np.ndarray, alpha: UInt8[np.ndarray, "..."], images: int = 1) -> None:
        """Count so many images; `alpha` has their shape, but one channel, and so has `colour` its last axis.

        Args:
            colour: 0-255, ... x channels.
            alpha: ... x 1.
        """
        weights = alpha.astype(np.float64)
        self.images += images
        self.weight += float(weights.sum())
        self.brightness += float((colour.mean(axis=-1, keepdims=True) * weights).sum())

    def merge(self, other: "Opacity") -> None:
        self.images += other.images
        self.brightness += other.brightness
        self.weight += other.weight

    @property
    def ground(self) -> int:
        """255 where what is visible is dark, else 0."""
        return 255 if self.weight and self.brightness < 127.5 * self.weight else 0

    @property
    def words(self) -> str:
        """What is done, to follow how many images."""
        name, visible = ("white", "dark") if self.ground else ("black", "light")
        return f"with alpha laid over {name}, as what is visible is {visible}"


def flattened(
    colour: UInt8[np.ndarray, "..."], alpha: UInt8[np.ndarray, "..."], ground: int = 0
) -> UInt8[np.ndarray, "..."]:
    """What shows in front of `ground`: `round((colour alpha + ground (255 - alpha)) / 255)`.

    `alpha` is broadcast.
    """
    opaque = alpha.astype(np.uint32)
    mixed: UInt8[np.ndarray, ...] = ((colour * opaque + ground * (255 - opaque) + 127) // 255).astype(
        np.uint8
    )
    return mixed
