"""The images whose codes lie nearest to those of others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ConfigurationError
from ..core.types import CodeArray, Int64Array, Pixels
from ..core.wording import option
from ..data.given import Given
from ..data.imageset import ImageSet
from .given_images import image_set
from .kept_refined import refined_kept
from .nearest import EXACT, FEW, Graph, Nearest, nearest
from .trained import TrainedAutoencoder


@dataclass(frozen=True, eq=False)
class Collection:
    """Images that are searched among.

    Args:
        codes: of each.
        names: of those at some places.
        labels: of those at some places, or None where there are none.
        pixels: of those at some places, as the network takes them.
        graph: an index of the codes.
        recall: the share of the exact neighbours that the graph finds.
    """

    codes: CodeArray
    names: Callable[[Int64Array], list[str]]
    labels: Callable[[Int64Array], list[str]] | None
    pixels: Callable[[Int64Array], Pixels]
    graph: Graph | None = None
    recall: float | None = None

    @classmethod
    def of(cls, trained: TrainedAutoencoder, images: ImageSet) -> "Collection":
        return cls(
            trained.encode(images),
            lambda rows: list(images.names_of(rows)),
            images.label_names if images.labelled else None,
            lambda rows: images.pixels[rows],
        )


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each of some images the nearest of a collection, the nearest first.

    Args:
        images: those that were asked about.
        among: the collection.
        found: places in it, and distances of the codes (Euclidean), images x neighbours.
        recall: the share of the exact neighbours that are found; 1 where the search was exact.
    """

    images: ImageSet
    among: Collection
    found: Nearest
    recall: float = 1.0

    @property
    def rows(self) -> np.ndarray:
        return self.found.rows

    @property
    def distances(self) -> np.ndarray:
        return self.found.distances

    def columns(self) -> dict[str, Any]:
        """The columns of a table with a row for each image and neighbour."""
        many, count = self.rows.shape
        flat = self.rows.reshape(-1)
        found: dict[str, Any] = {
            "name": [name for name in self.images.names for _ in range(count)],
            "rank": np.tile(np.arange(1, count + 1), many),
            "neighbour": self.among.names(flat),
        }
        if self.among.labels is not None:
            found["label"] = self.among.labels(flat)
        found["distance"] = self.distances.reshape(-1)
        return found


def find_neighbours(
    trained: TrainedAutoencoder, images: Given, among: "Given | Collection | None" = None, count: int = 12
) -> Neighbours:
    """The `count` nearest of `among` for each image, by the distance of their codes.

    The search is exact, but among more than 300,000 images for more than 30,000, where a graph is built, or
    where an index has one; its recall is measured.

    Args:
        images: as `TrainedAutoencoder.encode` takes them.
        among: what is searched among; None, or the same images: each is searched among the others.

    Raises:
        ConfigurationError: fewer than one neighbour is asked for.
        DataError: images of another shape than the run's, or none to search among.
    """
    if count < 1:
        raise ConfigurationError(
            "at least one neighbour is searched for",
            found=str(count),
            do=f"write for example {option('count', 12)}",
        )
    asked = image_set(trained, images)
    same = among is None
    with refined_kept(trained):
        if not isinstance(among, Collection):
            others = asked if among is None else image_set(trained, among)
            same = same or others.content_hash == asked.content_hash
            among = Collection.of(trained, others)
        codes = among.codes if same else trained.encode(asked)
    graph, recall = among.graph, among.recall
    if graph is None and len(among.codes) > EXACT and len(codes) > FEW:
        graph = Graph.of(among.codes)
        recall = graph.recall(among.codes, count)
    own = np.arange(len(codes)) if same else None
    found = nearest(codes, among.codes, count, own=own, graph=graph)
    return Neighbours(asked, among, found, 1.0 if graph is None or recall is None else recall)
