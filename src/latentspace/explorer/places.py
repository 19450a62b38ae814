"""Maps: a place in the plane for each image, and how a place becomes a code again."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..core.types import CodeArray, Pixels

SAMPLE: Final = 20_000  # images that the map of pixels is fitted to
SIDE: Final = 16  # pixels of the side that images are averaged to for a map of pixels


@dataclass(frozen=True, eq=False)
class LinearMap:
    """Places that are a linear function of the codes.

    Args:
        places: images x 2, float32.
        mean, axes: the code at a place is mean + x * axes[0] + y * axes[1]; None: no code is known there.
    """

    name: str
    title: str
    places: np.ndarray
    mean: np.ndarray | None = None
    axes: np.ndarray | None = None

    def about(self) -> dict[str, Any]:
        exact = self.mean is not None and self.axes is not None
        plane = {"mean": self.mean.tolist(), "axes": self.axes.tolist()} if exact else None  # type: ignore[union-attr]
        return {"name": self.name, "title": self.title, "plane": plane}


def principal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the rows, and their first two principal axes, each of length one (zeros where none is)."""
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = np.zeros((2, rows.shape[1]))
    found = vectors.T[np.argsort(values)[::-1]][:2]
    largest = np.abs(found).argmax(axis=1)
    axes[: len(found)] = found * np.sign(found[np.arange(len(found)), largest])[:, None]
    return mean, axes


def code_maps(codes: CodeArray) -> tuple[LinearMap, ...]:
    """The maps of codes that cost nothing: principal components, and the two most used dimensions."""
    mean, axes = principal(codes)
    found = [LinearMap("pca", "Principal components", _places(codes, mean, axes), mean, axes)]
    if codes.shape[1] > 1:
        first, second = sorted(np.argsort(codes.std(axis=0))[::-1][:2].tolist())
        unit = np.eye(codes.shape[1])[[first, second]]
        mean = codes.mean(axis=0, dtype=np.float64)
        mean[[first, second]] = 0
        title = f"Dimensions {first} and {second}"
        found.append(LinearMap("dimensions", title, codes[:, [first, second]].astype(np.float32), mean, unit))
    return tuple(found)


def pixel_map(pixels: Pixels) -> LinearMap:
    """The principal components of the images themselves, averaged to a small size."""
    images, _, height, width = pixels.shape
    down, across = -(-height // SIDE), -(-width // SIDE)
    parts = []
    for at in range(0, images, 4096):
        part = np.asarray(pixels[at : at + 4096]).mean(axis=1)
        part = part[:, : height // down * down, : width // across * across]
        small = part.reshape(len(part), height // down, down, width // across, across).mean(axis=(2, 4))
        parts.append(small.reshape(len(part), -1) / 255)
    rows = np.concatenate(parts)
    mean, axes = principal(rows[:: max(1, images // SAMPLE)])
    return LinearMap("pixels", "Pixels", _places(rows, mean, axes))


def _places(rows: np.ndarray, mean: np.ndarray, axes: np.ndarray) -> np.ndarray:
    places: np.ndarray = ((rows - mean) @ axes.T).astype(np.float32)
    return places
