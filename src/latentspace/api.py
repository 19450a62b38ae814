"""The functions of the Python interface: paths and names in, objects out."""

from pathlib import Path
from typing import Any

from .data.imageset import ImageSet
from .data.sources import DataConfig, load_images
from .encoding import TrainedAutoencoder
from .evaluation.evaluate import Evaluation, Scope
from .evaluation.evaluate import evaluate as _evaluate
from .experiment import Experiment
from .runs import Run
from .training.train import train as _train


def load(run: str | Path, device: str = "cpu") -> TrainedAutoencoder:
    """Open a finished run, to encode, decode and reconstruct with it.

    Raises:
        RunError: there is no run, it has not ended, or a file of it is damaged.
    """
    return TrainedAutoencoder.load(run, device)


def load_data(spec: str | Path, **options: Any) -> ImageSet:
    """Read images.

    Args:
        spec: what `--data` takes: `notmnist`, `glyphs`, a folder, IDX files, .npz, .npy.
        options: `resize=(height, width)`, `deduplicate`, `strict`, `fonts`, `seed`.

    Raises:
        DataError: images that cannot be found, read or used.
        ConfigurationError: an unknown option.
    """
    return load_images(DataConfig.parse({"spec": str(spec), **options}, "load_data"))


def train(experiment: Experiment, out: str | Path) -> Run:
    """Train from start to end; the run directory is new.

    Raises:
        LatentspaceError: data, settings or a place that cannot be used, or a loss that is not finite.
    """
    return _train(experiment, Path(out))


def evaluate(run: str | Path, data: str | Path | None = None, split: Scope | None = None) -> Evaluation:
    """Judge a finished run, by default on its own test images.

    Raises:
        LatentspaceError: a run or data that cannot be used.
    """
    other = None if data is None else DataConfig(spec=str(data))
    return _evaluate(Run.open(Path(run)), other, split)
