"""experiment -> loop -> run: the one place where a training is put together."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from ..data.imageset import ImageSet
from ..data.sources import load_images
from ..data.splits import Shares, Split, split
from ..environment import describe
from ..errors import DeviceError, RunError
from ..experiment import Experiment
from ..runs import Run, State, refuse_existing
from ..types import Whole
from .loop import EpochRecord, Materials, epochs
from .schedules import SCHEDULES, Schedule

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """A training about to start or to go on: iterate over `records()` and it is done."""

    run: Run
    experiment: Experiment
    images: ImageSet
    split: Split
    fabric: Fabric

    def records(self) -> Iterator[EpochRecord]:
        """Train; yield each epoch's record after it is on disk. Breaking off loses the epoch at work alone.

        Raises:
            TrainingError: a loss that is not finite; the last good state stays.
            RunError: another process writes to the run.
        """
        with self.run.writing():
            if self.run.finished:
                return
            yield from self._train()

    def _train(self) -> Iterator[EpochRecord]:
        plan, purpose = self.experiment.training, self.experiment.purpose
        materials = assemble(self.experiment, self.images, self.split, self.fabric)
        state = self.run.state
        self.run.keep_metrics_until(state.epoch if state else 0)
        best_epoch, best_score = (state.best_epoch, state.best_score) if state else (0, float("nan"))
        if state:
            _restore(materials, state)
            logger.info("going on after epoch %d of %d", state.epoch, plan.epochs)
        first = state.epoch + 1 if state else 1
        for record in learn(self.experiment, materials, first):
            weights = _weights(materials)
            if record.validation is not None:
                score = record.validation[purpose.score]
                if best_epoch == 0 or purpose.better(score, best_score):
                    best_epoch, best_score = record.epoch, score
                    if plan.keep == "best":
                        self.run.save_best(weights)
            self.run.append(record.to_json())
            self.run.save_state(
                State(record.epoch, best_epoch, best_score, weights, _optimizer_tensors(materials.optimizer))
            )
            yield record
            if plan.early_stopping and record.epoch - best_epoch >= plan.early_stopping:
                logger.info("stopped early: no better validation score since epoch %d", best_epoch)
                break
        kept = self.run.best_weights if plan.keep == "best" else _weights(materials)
        self.run.save_weights(kept)


def start(experiment: Experiment, out: Path) -> Training:
    """Load the data, split them, and make the run directory at `out`.

    Raises:
        LatentspaceError: data that cannot be read, a split that leaves a part empty, images too small
            for the network, a device that is not there, or an `out` that is taken.
    """
    refuse_existing(out)
    fabric = make_fabric(experiment)
    images = load_images(experiment.data)
    experiment = _settled(experiment, images)
    parts = split(images, Shares.parse(experiment.split.shares), experiment.split.seed)
    experiment.build(images.shape)  # refuses images that are too small before anything is written
    logger.info("split %s: %s", experiment.split.shares, parts.note)
    learned = learned_from(experiment, parts)
    if experiment.training.batch_size > len(learned):
        logger.warning(
            "a batch of %d is larger than the %d training images: one batch holds them all",
            experiment.training.batch_size,
            len(learned),
        )
    environment = {
        **describe(fabric.device),
        "precision": experiment.precision,
        "batch_size_in_use": min(experiment.training.batch_size, len(learned)),
    }
    run = Run.create(out, experiment, images, parts, images.image_hashes[learned], environment)
    return Training(run, experiment, images, parts, fabric)


def resume(path: Path) -> Training:
    """Open the run at `path` to go on with it.

    Raises:
        RunError: there is no run, or its data have changed since.
    """
    run = Run.open(path)
    experiment = run.experiment
    fabric = make_fabric(experiment)
    images = load_images(experiment.data)
    if images.content_hash != run.data.content_hash:
        raise RunError(
            f"{path} must be resumed on the images it began with",
            found=f"{experiment.data.spec} now holds other images (the content hash differs)",
            do="bring the data back, or train a new run",
        )
    return Training(run, experiment, images, run.split, fabric)


def train(experiment: Experiment, out: Path) -> Run:
    """Train from start to end without looking: the plain call for scripts."""
    training = start(experiment, out)
    for _ in training.records():
        pass
    return training.run


def make_fabric(experiment: Experiment) -> Fabric:
    """Raises: DeviceError: this machine has no such device."""
    if experiment.threads:
        torch.set_num_threads(experiment.threads)
    kind, _, number = experiment.device.partition(":")
    available = {"auto": True, "cpu": True, "cuda": torch.cuda.is_available()}
    available["mps"] = torch.backends.mps.is_available()
    if not available.get(kind) or (number and not number.isdigit()):
        raise DeviceError(
            "the device must be one that this machine has",
            found=repr(experiment.device),
            do=f"use --device with one of: {', '.join(name for name, there in available.items() if there)}",
        )
    precision = {"32": "32-true", "bf16": "bf16-mixed"}[experiment.precision]
    devices = [int(number)] if number and kind == "cuda" else 1
    return Fabric(accelerator=kind, devices=devices, precision=precision)  # type: ignore[arg-type]


def learned_from(experiment: Experiment, parts: Split) -> Whole:
    """The indices of the images that the training learns from."""
    if experiment.training.fit == "train":
        return parts.train
    return np.sort(np.concatenate([parts.train, parts.validation]))


def assemble(experiment: Experiment, images: ImageSet, parts: Split, fabric: Fabric) -> Materials:
    """The network and the optimiser on the device, and the bytes that they work on."""
    network = experiment.build(images.shape)
    model, optimizer = fabric.setup(network, experiment.optimizer(network.parameters()))
    fit_all = experiment.training.fit == "train+validation"
    pixels = torch.from_numpy(images.pixels)
    return Materials(
        fabric=fabric,
        model=model,
        optimizer=optimizer,
        objective=experiment.purpose.objective,
        train=pixels[learned_from(experiment, parts)].to(fabric.device),
        validation=None if fit_all else pixels[parts.validation].to(fabric.device),
    )


def learn(experiment: Experiment, materials: Materials, first: int = 1) -> Iterator[EpochRecord]:
    """The loop with the experiment's settings, from epoch `first` to its last."""
    plan = experiment.training
    batch_size = min(plan.batch_size, len(materials.train))
    steps = plan.epochs * -(-len(materials.train) // batch_size)
    schedule = SCHEDULES[plan.schedule]
    return epochs(
        materials,
        seed=experiment.seed,
        batch_size=batch_size,
        learning_rate=partial(_rate, plan.learning_rate, schedule, steps),
        clip_norm=plan.clip_norm,
        first=first,
        last=plan.epochs,
    )


def _settled(experiment: Experiment, images: ImageSet) -> Experiment:
    """What `auto` chose is what the run says from now on, whatever can be fetched tomorrow."""
    if experiment.data.spec != "auto":
        return experiment
    data = experiment.data.model_copy(update={"spec": "notmnist" if images.comparable else "glyphs"})
    return experiment.model_copy(update={"data": data})


def _rate(peak: float, schedule: Schedule, steps: int, step: int) -> float:
    return peak * schedule(step, steps)


def _weights(materials: Materials) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in materials.model.state_dict().items()}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """`{"3.exp_avg": ...}`: a tensor for each weight's number and quantity, all that it remembers."""
    memory = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, quantities in memory.items()
        for name, value in quantities.items()
    }


def _restore(materials: Materials, state: State) -> None:
    materials.model.load_state_dict(state.model)
    memory: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in state.optimizer.items():
        number, _, name = key.partition(".")
        memory.setdefault(int(number), {})[name] = tensor
    groups = materials.optimizer.state_dict()["param_groups"]
    materials.optimizer.load_state_dict({"state": memory, "param_groups": groups})
