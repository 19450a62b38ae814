"""The codes that a run keeps of some images that it learned from: what is left where its images are gone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from ..core.types import CodeArray, Int64Array
from ..data.imageset import ImageSet
from ..runs.records import damage
from ..runs.tensors import read_tensors, tensor_bytes
from .encoding import codes_and_errors

if TYPE_CHECKING:
    from ..runs.directory import Run
    from .trained import TrainedAutoencoder

FILE: Final = "codes.safetensors"
MOST: Final = 2_000


@dataclass(frozen=True, eq=False)
class KeptCodes:
    """Codes, with the names and the labels of their images."""

    codes: CodeArray
    names: tuple[str, ...]
    labels: Int64Array | None

    @classmethod
    def of(cls, trained: "TrainedAutoencoder", images: ImageSet, rows: Int64Array) -> "KeptCodes":
        """Of `MOST` of the rows, evenly spaced."""
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(np.int64))]
        codes, _ = codes_and_errors(trained, images.pixels, chosen, errors=False)
        names = tuple(images.names[row] for row in chosen.tolist())
        return cls(codes, names, None if images.labels is None else images.labels[chosen])

    @classmethod
    def read(cls, run: "Run") -> "KeptCodes | None":
        """Those of a run; None: it keeps none, as those of a network with a prior and older ones do.

        Raises:
            RunError: the file is damaged.
        """
        path = Path(run.path / FILE)
        if not path.exists():
            return None
        tensors, notes = read_tensors(path)
        with damage(path):
            names, labels = tuple(map(str, json.loads(notes["names"]))), tensors.get("labels")
            found = cls(tensors["codes"].numpy(), names, None if labels is None else labels.numpy())
            if found.codes.ndim != 2 or len(names) != len(found.codes):
                raise ValueError(f"codes of shape {found.codes.shape} and {len(names)} names")
        return found

    @property
    def content(self) -> bytes:
        """The file."""
        tensors = {"codes": torch.from_numpy(self.codes)}
        if self.labels is not None:
            tensors["labels"] = torch.from_numpy(self.labels)
        return tensor_bytes(tensors, {"names": json.dumps(self.names)})
