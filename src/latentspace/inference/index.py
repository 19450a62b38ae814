"""An index of images by their codes, kept in a folder: a run's own, and growing.

Each addition is a Parquet file, whole or not there. More than 300,000 codes have a graph beside them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from ..core.atomic_files import locked, new_folder, refuse_taken, write_json
from ..core.errors import DataError, OutputError, RunError
from ..core.output_files import folder_in_place_of
from ..core.progress import told
from ..core.types import Int64Array, Pixels
from ..core.wording import option, reason_of
from ..data.imageset import ImageSet
from .computing import cut
from .encoding import codes_and_errors
from .image_files import picture, png, raster
from .kept_refined import refined_kept
from .nearest import EXACT, Graph
from .neighbours import Collection
from .tables import CODE, Block, write_table
from .trained import TrainedAutoencoder

ABOUT: Final = "index.json"
GRAPH: Final = "graph.usearch"
ROWS: Final = 4_096  # images that are encoded and written at once, a row group of the file


def is_index(path: Path) -> bool:
    return (path / ABOUT).is_file()


@dataclass(frozen=True, eq=False)
class Index:
    """An index on disk, and the run it belongs to."""

    folder: Path
    trained: TrainedAutoencoder

    @classmethod
    def create(
        cls, folder: Path, trained: TrainedAutoencoder, images: ImageSet, *, force: bool = False
    ) -> "Index":
        """A new index of `images`, which is whole or not there.

        Args:
            force: replace an index that is there.

        Raises:
            OutputError: something is at `folder`.
        """
        with (
            folder_in_place_of(folder)
            if force and is_index(folder)
            else new_folder(folder, refuse_taken_index)
        ) as beside:
            write_json(beside / ABOUT, {"weights": _weights(trained), "code_size": trained.code_size})
            cls(beside, trained).add(images)
        return cls(folder, trained)

    @classmethod
    def open(cls, folder: Path, trained: TrainedAutoencoder) -> "Index":
        """The index at a path.

        Raises:
            DataError: there is none, or it is damaged; RunError: it is another run's.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            weights = about["weights"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{folder} must be an index",
                found=f"{reason_of(error)}: {folder / ABOUT}",
                do="make one: latentspace index RUN DATA --out PATH",
            ) from error
        if weights != _weights(trained):
            raise RunError(
                f"the index {folder} must be one of this run",
                found="one whose codes come from other weights",
                do="name the run that it was made with, or make an index for this one",
            )
        return cls(folder, trained)

    @property
    def parts(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def add(self, images: ImageSet) -> int:
        """Add those images that it has no exact copy of; how many these are.

        Raises:
            OutputError: it cannot be written, or another process is writing it.
        """
        with locked(self.folder / ".lock"):
            known = self._column("hash") if self.parts else np.zeros(0, np.uint64)
            rows = np.flatnonzero(~np.isin(images.image_hashes, known)).astype(np.int64)
            if len(known) + len(rows) > EXACT:
                Graph.require()
            if len(rows):
                path = self.folder / f"{len(self.parts) + 1:06}.parquet"
                with refined_kept(self.trained):
                    write_table(path, self._blocks(images, rows))
            if len(known) + len(rows) > EXACT:
                self._index_codes()
        return len(rows)

    def _blocks(self, images: ImageSet, rows: Int64Array) -> Iterator[Block]:
        for part in told(cut(rows, ROWS), "parts of images indexed"):
            names = list(images.names_of(part))
            block: dict[str, Any] = {"name": names, "hash": images.image_hashes[part]}
            block["label"] = images.label_names(part) if images.labelled else [""] * len(part)
            block["image"] = [
                {"bytes": png(picture(one)), "path": name}
                for one, name in zip(raster(images.pixels[part]), names, strict=True)
            ]
            block[CODE] = codes_and_errors(self.trained, images.pixels, part, errors=False)[0]
            yield block

    def _index_codes(self) -> None:
        codes, graph = self._column(CODE), self._graph()
        if graph is None or len(graph) > len(codes):
            graph = Graph.of(codes)
        else:
            graph.add(codes[len(graph) :])
        graph.write(self.folder / GRAPH)
        about = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        write_json(self.folder / ABOUT, {**about, "recall": graph.recall(codes, 12)})

    def _graph(self) -> Graph | None:
        return Graph.read(self.folder / GRAPH) if (self.folder / GRAPH).is_file() else None

    def collection(self) -> Collection:
        """What is searched among. Raises: DataError: a damaged file."""
        codes, graph = self._column(CODE), self._graph()
        about = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        names, labels = self._column("name"), self._column("label")
        whole = graph is not None and len(graph) == len(codes)
        return Collection(
            codes,
            lambda rows: names[rows].tolist(),
            None if not any(labels.tolist()) else lambda rows: labels[rows].tolist(),
            self.pixels,
            graph if whole else None,
            about.get("recall"),
        )

    def _column(self, name: str) -> np.ndarray:
        """A column of all parts, in the order in which they were added."""
        import pyarrow.parquet as pq

        found = []
        for path in self.parts:
            with _whole(path):
                column = pq.ParquetFile(path).read(columns=[name]).column(name).combine_chunks()
            if name == CODE:
                flat = column.flatten().to_numpy(zero_copy_only=False)
                found.append(flat.reshape(len(column), -1))
            else:
                found.append(column.to_numpy(zero_copy_only=False))
        return np.concatenate(found)

    def pixels(self, rows: Int64Array) -> Pixels:
        """The images at some places, images x channels x height x width."""
        import pyarrow.parquet as pq

        files = [pq.ParquetFile(path) for path in self.parts]
        groups = [(file, number) for file in files for number in range(file.num_row_groups)]
        starts = np.cumsum([0, *(file.metadata.row_group(number).num_rows for file, number in groups)])
        place = np.searchsorted(starts, rows, "right") - 1
        found: dict[int, np.ndarray] = {}
        for group in np.unique(place).tolist():
            file, number = groups[group]
            column = file.read_row_group(number, columns=["image"]).column("image")
            for position in np.flatnonzero(place == group).tolist():
                content = column[int(rows[position] - starts[group])].as_py()["bytes"]
                image = np.asarray(Image.open(BytesIO(content)))
                found[position] = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        return np.stack([found[position] for position in range(len(rows))])


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What cannot be read inside the block is refused: raises DataError."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} must be a part of an index", found=reason_of(error), do="make the index anew"
        ) from error


def _weights(trained: TrainedAutoencoder) -> str:
    if trained.run is None:
        raise RunError(
            "an index belongs to a run",
            found="a network without its run",
            do="open it: latentspace.load(RUN)",
        )
    return trained.run.weights_hash


def refuse_taken_index(path: Path) -> None:
    """Refuse a place where something is: raises OutputError."""
    do = f"add to it with {option('add', True)}, replace it with {option('force', True)}, or name another"
    refuse_taken(path, OutputError, "{} must be new", do)
