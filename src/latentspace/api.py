"""The functions of the Python interface: paths and names in, objects out."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .core.atomic_files import as_path
from .core.devices import AUTO
from .core.errors import ConfigurationError
from .core.wording import brief
from .data.config import DataConfig
from .data.given import Given, given_set
from .data.imageset import ImageSet
from .data.joined import specs_of
from .data.sources import finished, load_images, names_a_path
from .evaluation.evaluate import Evaluation, Scope
from .evaluation.evaluate import evaluate as _evaluate
from .experiment.config import Experiment
from .experiment.usual import settings_named, usual_preset
from .inference.trained import TrainedAutoencoder, TrainedClassifier, load_trained
from .runs.directory import Run
from .runs.places import named_after, new_place
from .training.tracking import finish, require_tracker
from .training.train import resume as _resume
from .training.train import start

logger = logging.getLogger(__name__)


def load(run: str | Path | Run, device: str = AUTO) -> TrainedAutoencoder | TrainedClassifier:
    """Open a finished run: an autoencoder encodes, decodes and reconstructs, a classifier classifies.

    Args:
        device: what computes: auto (a GPU where there is one), cpu, cuda, cuda:1, mps.

    Raises:
        RunError: there is no run, it has not ended, or a file of it is damaged.
        DeviceError: this machine has no such device.
    """
    return load_trained(run, device)


def load_data(spec: Given, **options: Any) -> ImageSet:
    """Read images.

    Args:
        spec: `notmnist`, `glyphs`, or the path of a folder, an archive, IDX files, .npz, .npy; or images
            themselves: an array or tensor of bytes or of floats in 0..1, pictures of Pillow's, a list.
        options: `resize=(height, width)`, `deduplicate`, `strict`, `fonts`, `seed`.

    Raises:
        DataError: images that cannot be found, read or used.
        ConfigurationError: an unknown option.
    """
    source = _source(spec, options)
    return source if isinstance(source, ImageSet) else load_images(source)


def _source(spec: Given, options: dict[str, Any]) -> DataConfig | ImageSet:
    if isinstance(spec, str | Path):
        return DataConfig.parse({**options, "spec": str(spec)}, "the options of data")
    config = DataConfig.parse(options, "the options of data")
    return finished(given_set(spec, config.levels), config)


def train(
    experiment: Experiment | Mapping[str, Any] | Given,
    out: str | Path | None = None,
    images: Given | None = None,
    *,
    kind: str | None = None,
    track: str | None = None,
    **settings: Any,
) -> Run:
    """Train from start to end; the run directory is new.

    Either of a plan, or of images, with the kind of network and settings by name:

        latentspace.train({"kind": "vae", "data": {"spec": "photos/"}}, "runs/photos")
        latentspace.train(images, "runs/photos", kind="vae", code_size=16, epochs=20, **{"model.width": 16})
        latentspace.train(images, kind="ae").path  # runs/ae, runs/ae-2, ...

    Args:
        experiment: the plan, or its settings, with the preset `default` where they name none; with `kind`,
            the images.
        out: the run directory; None: runs/NAME below the working directory, with a number where there is one
            already. NAME is that of the images' file or folder, or the kind where they are an array; it is
            logged, and is the run's `path`.
        images: what is learned from, as for `load_data`; None: what the plan names. They are not copied into
            the run, which knows them by their hash alone: give them again to resume or to evaluate it.
        kind: ae, dae, vae or classifier.
        track: where the course of the training is logged too: tensorboard, mlflow, wandb.
        settings: by their dotted names, or as the options of `latentspace train`: `code_size`, `epochs`,
            `minutes`, `batch_size`, `learning_rate`, `keep`, `preset`, `seed`, `encoder`, `device`.

    Raises:
        LatentspaceError: data, settings or a place that cannot be used, or a loss that is not finite.
    """
    if kind is not None:
        if images is not None or isinstance(experiment, Experiment | Mapping):
            raise ConfigurationError(
                "kind and settings go with images that are given first",
                found=brief(experiment),
                do="name the kind in the plan, or write train(images, kind=...)",
            )
        experiment, images = {"kind": kind, **settings_named(settings)}, experiment
    elif settings:
        raise ConfigurationError(
            "settings by name go with images and a kind",
            found=", ".join(settings),
            do='put them into the plan, or write train(images, kind="ae", ...)',
        )
    experiment = _plan(experiment)
    if isinstance(images, str | Path):
        experiment, images = experiment.model_copy(update={"data": _at(experiment, images)}), None
    if track is not None:
        require_tracker(track)
    place = _new_place(experiment, images) if out is None else as_path(out, "the run directory")
    return finish(start(experiment, place, images=images), track)


def _plan(experiment: object) -> Experiment:
    """A plan, or the settings of one. Raises: ConfigurationError: neither."""
    if isinstance(experiment, Mapping):
        experiment = Experiment.parse(
            {"preset": usual_preset(experiment.get("kind", "ae"), experiment), **experiment}, "the experiment"
        )
    if not isinstance(experiment, Experiment):
        raise ConfigurationError(
            "what is trained is an Experiment, or images with a kind",
            found=brief(experiment),
            do='write for example train({"kind": "ae"}), or train(images, kind="ae")',
        )
    return experiment


def _new_place(experiment: Experiment, images: Given | None) -> Path:
    spec = specs_of(experiment.data.spec)[0]
    place = new_place(named_after(spec) if images is None and names_a_path(spec) else experiment.kind)
    logger.info("the run is %s", place)
    return place


def resume(run: str | Path, images: Given | None = None, *, threads: int | None = None) -> Run:
    """Go on with an interrupted training, to its end.

    Args:
        images: the run's own, as for `load_data`; None: they are where they were.
        threads: of the CPU, from now on; None: as many as the run's plan has.

    Raises:
        LatentspaceError: no run, other images, or a loss that is not finite.
    """
    path = as_path(run, "a run")
    where = _at(Run.open(path).experiment, images) if isinstance(images, str | Path) else images
    return finish(_resume(path, where, threads=threads))


def _at(experiment: Experiment, spec: str | Path) -> DataConfig:
    return experiment.data.model_copy(update={"spec": str(spec)})


def evaluate(
    run: str | Path | Run,
    data: Given | None = None,
    split: Scope | None = None,
    device: str = AUTO,
    **options: Any,
) -> Evaluation:
    """Evaluate a finished run, by default on its own test images; `device` as for `load`.

    Args:
        data: other images, or where the run's own are now: as for `load_data`, with its `options`.
        split: train, validation, test or all; by default test, and all of other data.

    Raises:
        LatentspaceError: a run, data or a device that cannot be used.
    """
    opened = run if isinstance(run, Run) else Run.open(run)
    if data is None and options:
        raise ConfigurationError(
            "options say how to read data",
            found=f"{', '.join(options)} without data",
            do="name the data, or leave them out: the run's own settings are used for its own data",
        )
    return _evaluate(opened, None if data is None else _source(data, options), split, device=device)
