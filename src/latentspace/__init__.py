"""See what is in a pile of small images.

    import latentspace

    letters = latentspace.load("runs/letters")          # a finished run
    images = latentspace.load_data("notmnist")          # an ImageSet
    codes = letters.encode(images)                      # images x code
    decoded = letters.decode(codes)                     # images x channels x height x width, in [0, 1]

Everything public is named here; the modules below may move.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# A thread of GNU OpenMP (in PyTorch on Linux) that has no work spins for long, and reads this number when
# PyTorch is first imported. On free cores that is right. Beside other busy programs a short spin takes as
# little as a fifth of the time (benchmarks/results/openmp-waiting-2026-11-26.md). What the user set stands.
_busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1)
if _busy and "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

if TYPE_CHECKING:
    from .api import evaluate, load, load_data, resume, train
    from .core.errors import LatentspaceError
    from .data.imageset import ImageSet
    from .estimators.autoencoders import ConvAutoencoder, DenoisingAutoencoder, VariationalAutoencoder
    from .estimators.classifier import LatentClassifier
    from .evaluation.evaluate import Evaluation
    from .experiment.config import Experiment
    from .experiment.recipe import Recipe
    from .inference.trained import TrainedAutoencoder, TrainedClassifier
    from .runs.directory import Run

__all__ = [
    "ConvAutoencoder",
    "DenoisingAutoencoder",
    "Evaluation",
    "Experiment",
    "ImageSet",
    "LatentClassifier",
    "LatentspaceError",
    "Recipe",
    "Run",
    "TrainedAutoencoder",
    "TrainedClassifier",
    "VariationalAutoencoder",
    "evaluate",
    "load",
    "load_data",
    "resume",
    "train",
]

_HOMES = {
    "ConvAutoencoder": ".estimators.autoencoders",
    "DenoisingAutoencoder": ".estimators.autoencoders",
    "Evaluation": ".evaluation.evaluate",
    "Experiment": ".experiment.config",
    "ImageSet": ".data.imageset",
    "LatentClassifier": ".estimators.classifier",
    "LatentspaceError": ".core.errors",
    "Recipe": ".experiment.recipe",
    "Run": ".runs.directory",
    "TrainedAutoencoder": ".inference.trained",
    "TrainedClassifier": ".inference.trained",
    "VariationalAutoencoder": ".estimators.autoencoders",
    "evaluate": ".api",
    "load": ".api",
    "load_data": ".api",
    "resume": ".api",
    "train": ".api",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `latentspace --help` need not wait for PyTorch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
