"""What is fitted to the codes of a run's training images, kept in the run: it is fitted once."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float

from ..core.errors import OutputError, RunError
from ..core.types import CodeArray
from ..runs.directory import Run
from ..runs.records import damage
from ..runs.tensors import read_tensors, write_tensors
from .mixtures import CodeMixture, fitted_mixture

logger = logging.getLogger(__name__)

FILE: Final = "density.safetensors"
VERSION: Final = "1"  # goes up with every change of the code after which another one would be fitted

Code = Float[np.ndarray, " code"]


@dataclass(frozen=True, eq=False)
class CodeDensity:
    """The mean and the standard deviation of each dimension, and a mixture of Gaussians."""

    mean: Code
    std: Code
    mixture: CodeMixture

    @classmethod
    def of(cls, codes: CodeArray) -> "CodeDensity":
        return cls(*moments(codes), fitted_mixture(codes))

    @classmethod
    def read(cls, run: Run) -> "CodeDensity | None":
        """That of a run; None: it keeps none, one of other weights or an older version, or a damaged one."""
        path = run.path / FILE
        if not path.exists():
            return None
        try:
            found, notes = read_tensors(path)
            if notes.get("version") != VERSION or notes.get("weights") != run.weights_hash:
                return None
            with damage(path):
                arrays = {name: one.numpy() for name, one in found.items()}
                mixture = CodeMixture(arrays["weights"], arrays["means"], arrays["factors"])
                return cls(arrays["mean"], arrays["std"], mixture)
        except RunError as error:
            logger.warning("%s is damaged (%s): it is made again", path, error.found)
            return None

    def keep(self, run: Run) -> None:
        """Write it into the run; where that cannot be written, this is said: it is made again each time."""
        arrays = {
            "mean": self.mean,
            "std": self.std,
            "weights": self.mixture.weights,
            "means": self.mixture.means,
            "factors": self.mixture.factors,
        }
        tensors = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
        try:
            write_tensors(run.path / FILE, tensors, {"version": VERSION, "weights": run.weights_hash})
        except OutputError as error:
            logger.warning(
                "the density of its codes cannot be kept in %s (%s): it is fitted each time",
                run.path,
                error.found,
            )


def moments(codes: CodeArray) -> tuple[Code, Code]:
    """The mean and the standard deviation of each dimension."""
    mean, std = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    return mean.astype(np.float32), std.astype(np.float32)
