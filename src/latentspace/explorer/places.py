"""Maps: a place in the plane for each image, and how a place becomes a code again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from ..core.types import CodeArray, Pixels
from ..inference.maps import FEWEST, NAMES, Linear, principal_plane, project

METHODS: Final = ("tsne", "umap", "pacmap")
SAMPLE: Final = 20_000  # images that the map of pixels is fitted to
SIDE: Final = 16  # pixels of the side that images are averaged to for a map of pixels


@dataclass(frozen=True, eq=False)
class ShownMap:
    """A map that the page offers.

    Args:
        compute: the places, images x 2; they are computed when the map is first asked for.
        plane: where the map is linear, so that the code at a place is exact; None: it is not.
    """

    name: str
    title: str
    compute: Callable[[], np.ndarray]
    plane: Linear | None = None

    @cached_property
    def places(self) -> np.ndarray:
        return np.asarray(self.compute(), dtype=np.float32)

    def about(self) -> dict[str, Any]:
        plane = self.plane and {"mean": self.plane.mean.tolist(), "axes": self.plane.axes.tolist()}
        return {"name": self.name, "title": self.title, "plane": plane}


def code_maps(
    codes: CodeArray, methods: tuple[str, ...] = METHODS, like: np.ndarray | None = None
) -> tuple[ShownMap, ...]:
    """Principal components, the two most used dimensions, and the maps of other methods that are here.

    Args:
        like: places of the same images on an earlier map; None: there was none.
    """
    plane = principal_plane(codes)
    if like is not None:
        plane = _facing(plane, codes, like)
    found = [ShownMap("pca", "Principal components", lambda: (codes - plane.mean) @ plane.axes.T, plane)]
    if codes.shape[1] > 1:
        first, second = sorted(np.argsort(codes.std(axis=0))[::-1][:2].tolist())
        mean = codes.mean(axis=0, dtype=np.float64)
        mean[[first, second]] = 0
        axes = np.eye(codes.shape[1])[[first, second]]
        title = f"Dimensions {first} and {second}"
        two = Linear(mean, axes, (0.0, 0.0))
        found.append(ShownMap("dimensions", title, lambda: codes[:, [first, second]], two))
    if len(codes) >= FEWEST:
        found += [
            ShownMap(name, NAMES[name], lambda name=name: project(codes, name).points)  # type: ignore[misc]
            for name in methods
            if name == "tsne" or find_spec(name)
        ]
    return tuple(found)


def _facing(plane: Linear, codes: CodeArray, places: np.ndarray) -> Linear:
    """The plane with each axis turned to the side where `places` have the images: its sign is free."""
    along = ((codes - plane.mean) @ plane.axes.T * (places - places.mean(axis=0))).sum(axis=0)
    return replace(plane, axes=plane.axes * np.where(along < 0, -1, 1)[:, None])


def pixel_map(pixels: Pixels) -> ShownMap:
    """The principal components of the images themselves, averaged to a small size; no code is known there."""
    images, _, height, width = pixels.shape
    down, across = -(-height // SIDE), -(-width // SIDE)
    parts = []
    for at in range(0, images, 4096):
        part = np.asarray(pixels[at : at + 4096]).mean(axis=1)
        part = part[:, : height // down * down, : width // across * across]
        small = part.reshape(len(part), height // down, down, width // across, across).mean(axis=(2, 4))
        parts.append((small.reshape(len(part), -1) / 255).astype(np.float32))
    rows = np.concatenate(parts)
    plane = principal_plane(rows[:: max(1, images // SAMPLE)])
    return ShownMap("pixels", "Pixels", lambda: (rows - plane.mean) @ plane.axes.T)
