"""The functions of the Python interface: paths and names in, objects out."""

from pathlib import Path
from typing import Any

from .data.imageset import ImageSet
from .data.sources import DataConfig, load_images
from .devices import AUTO
from .encoding import TrainedAutoencoder
from .evaluation.evaluate import Evaluation, Scope
from .evaluation.evaluate import evaluate as _evaluate
from .experiment import Experiment
from .runs import Run
from .training.train import train as _train


def load(run: str | Path, device: str = AUTO) -> TrainedAutoencoder:
    """Open a finished run, to encode, decode and reconstruct with it.

    Args:
        device: what computes: auto (a GPU where there is one), cpu, cuda, cuda:1, mps.

    Raises:
        RunError: there is no run, it has not ended, or a file of it is damaged.
        DeviceError: this machine has no such device.
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


def evaluate(
    run: str | Path, data: str | Path | None = None, split: Scope | None = None, device: str = AUTO
) -> Evaluation:
    """Judge a finished run, by default on its own test images; `device` as for `load`.

    Raises:
        LatentspaceError: a run, data or a device that cannot be used.
    """
    other = None if data is None else DataConfig(spec=str(data))
    return _evaluate(Run.open(Path(run)), other, split, device=device)
