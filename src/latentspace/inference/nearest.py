"""The codes that lie nearest to others: found exactly, or, among very many, by a graph."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int64

from ..core.atomic_files import write_bytes
from ..core.errors import DataError
from ..core.extras import require_extra
from ..core.progress import told
from ..core.types import CodeArray, Int64Array

EXACT: Final = 300_000  # codes: among more, many searches go through a graph
FEW: Final = 30_000  # searches: as many take less time than a graph does to build
PRODUCTS: Final = 1 << 31  # in one exact search: about a tenth of a second, in which nothing can stop it
_ADDED: Final = 8_192  # codes that are put into a graph between two steps of the progress bar
_SAMPLE: Final = 200  # codes that the recall is measured on
_WIDTH: Final = 256  # how many places a search in the graph keeps in view: more finds more, and takes longer


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each code that was asked about, the nearest of others, the nearest first.

    Args:
        rows: their places among the others.
        distances: Euclidean.
    """

    rows: Int64[np.ndarray, "asked count"]
    distances: Float32[np.ndarray, "asked count"]


def nearest(
    asked: CodeArray,
    codes: CodeArray,
    count: int,
    *,
    own: Int64Array | None = None,
    graph: "Graph | None" = None,
) -> Nearest:
    """The `count` nearest of `codes` to each of `asked`, or all where there are fewer; exact without a graph.

    Args:
        own: for each of `asked` its own place in `codes`, which is left out, or -1.
        graph: an index of `codes`, by which they are found approximately.

    Raises:
        DataError: none to search among.
    """
    more = int(own is not None)
    if len(codes) <= more:
        raise DataError(
            "neighbours are searched among at least one code, itself left out",
            found=f"{len(codes)}",
            do="give more images, and another image to search among",
        )
    wanted = min(count + more, len(codes))
    found = (Exact(codes) if graph is None else graph).search(asked, wanted)
    if own is None:
        return found
    left_out = found.rows == own[:, None]
    left_out[:, -1] |= ~left_out.any(axis=1)  # it is not among the found: the last, one too many, goes
    shape = (len(asked), wanted - 1)
    return Nearest(found.rows[~left_out].reshape(shape), found.distances[~left_out].reshape(shape))


class Exact:
    """Codes to search among again and again: a tree or a plain search, as scikit-learn chooses."""

    def __init__(self, codes: CodeArray) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._rule = NearestNeighbors().fit(codes)
        self._size = max(1, PRODUCTS // codes.size)

    def search(self, asked: CodeArray, count: int) -> Nearest:
        """The `count` nearest codes of each of `asked`, images x code, the nearest first; Euclidean."""
        starts = told(range(0, len(asked), self._size), "searches for neighbours")
        found = [self._rule.kneighbors(asked[at : at + self._size], n_neighbors=count) for at in starts]
        distances, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Nearest(rows.astype(np.int64, copy=False), distances.astype(np.float32, copy=False))


class Graph:
    """An index of codes that grows, by usearch: HNSW, of Malkov and Yashunin (2016)."""

    def __init__(self, index: Any) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @staticmethod
    def require() -> None:
        """Refuse, before long work, a machine without usearch: raises ConfigurationError."""
        _usearch()

    @classmethod
    def of(cls, codes: CodeArray) -> "Graph":
        """Build it. Raises: ConfigurationError: usearch is not installed."""
        size = codes.shape[1]
        graph = cls(_usearch().Index(ndim=size, metric="l2sq", dtype="f32", expansion_search=_WIDTH))
        graph.add(codes)
        return graph

    @classmethod
    def read(cls, path: Path) -> "Graph":
        """What `write` wrote. Raises: DataError: a damaged file."""
        try:
            index = _usearch().Index.restore(str(path))
        except (ValueError, RuntimeError) as error:
            raise DataError(
                f"{path} must be the graph of an index", found=str(error), do="delete it; it is made again"
            ) from error
        index.expansion_search = _WIDTH
        return cls(index)

    def write(self, path: Path) -> None:
        write_bytes(path, bytes(self._index.save()))

    def add(self, codes: CodeArray) -> None:
        """Put more codes in; their places follow those that it has."""
        first = len(self)
        for start in told(range(0, len(codes), _ADDED), "parts of codes indexed"):
            part = np.ascontiguousarray(codes[start : start + _ADDED], dtype=np.float32)
            self._index.add(first + start + np.arange(len(part)), part)

    def search(self, asked: CodeArray, count: int) -> Nearest:
        found = self._index.search(np.ascontiguousarray(asked, dtype=np.float32), count)
        keys, squares = np.atleast_2d(found.keys), np.atleast_2d(found.distances)
        return Nearest(keys.astype(np.int64), np.sqrt(np.maximum(squares, 0)).astype(np.float32))

    def recall(self, codes: CodeArray, count: int) -> float:
        """The share of the exact neighbours that it finds, of a seeded sample of the codes it holds."""
        sample = np.random.default_rng(0).permutation(len(codes))[:_SAMPLE]
        exact = nearest(codes[sample], codes, count, own=sample).rows
        found = nearest(codes[sample], codes, count, own=sample, graph=self).rows
        return float(np.mean([np.isin(one, other).mean() for one, other in zip(exact, found, strict=True)]))


def _usearch() -> Any:
    require_extra("neighbours", "usearch", to=f"find neighbours among more than {EXACT:,} images")
    from usearch import index

    return index
