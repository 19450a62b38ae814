"""A training that is also logged elsewhere: its records go to a tracker as they are yielded."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from PIL import Image

from ..inference.preview import COUNT, reconstructions
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from ..runs.tracking import keep_notes, kept_notes, trackers_of
from .loop import EpochRecord
from .trackers import TRACKERS
from .train import Training


def require_tracker(name: str) -> None:
    """Refuse an unknown tracker, or one whose library is not installed: raises ConfigurationError."""
    TRACKERS[name].require(name)


def tracked(training: Training, name: str) -> Iterator[EpochRecord]:
    """`training.records()`, each logged by a tracker: settings first, pictures at the end.

    A training that goes on goes on in its log: epochs that are missing there are added, none is twice.

    Raises:
        ConfigurationError: an unknown tracker, or its library is not installed.
        TrainingError: as `Training.records`, or the tracker cannot write.
    """
    require_tracker(name)
    run, state = training.run, training.run.state
    done, kept = state.epoch if state else 0, kept_notes(run, name)
    tracker = TRACKERS[name](run, kept, done)
    finished = False
    try:
        if tracker.is_new:
            tracker.settings(_settings(run.settings))
        keep_notes(run, name, tracker.notes)
        for earlier in run.metrics:
            if tracker.last < earlier["epoch"] <= done:
                tracker.scalars(_scalars(earlier), earlier["epoch"])
        last = done
        for record in training.records():
            tracker.scalars(_scalars(record.model_dump()), record.epoch)
            keep_notes(run, name, tracker.notes)
            last = record.epoch
            yield record
        if not training.experiment.task.needs_encoder:
            tracker.picture("reconstructions", _reconstructions(training), last)
        finished = True
    finally:
        tracker.close(finished=finished)


def finish(training: Training, name: str | None = None) -> Run:
    """Train to the end without looking; the run.

    Args:
        name: the tracker that logs it too; None: the one that has logged it before, if any.

    Raises:
        LatentspaceError: as `tracked`.
    """
    name = name or next(iter(trackers_of(training.run)), None)
    for _ in training.records() if name is None else tracked(training, name):
        pass
    return training.run


def _settings(table: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """The settings by their dotted names."""
    found: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= _settings(value, f"{before}{name}.")
        else:
            found[before + name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _scalars(record: Mapping[str, Any]) -> dict[str, float]:
    """`train/loss`, `validation/loss`, ...: the numbers of an epoch's record."""
    parts = {part: record.get(part) or {} for part in ("train", "validation")}
    found = {f"{part}/{name}": one for part, terms in parts.items() for name, one in terms.items()}
    return {**found, **{name: record[name] for name in ("learning_rate", "images_per_second", "seconds")}}


def _reconstructions(training: Training) -> Image.Image:
    """Some validation images, and under each what the finished network makes of it."""
    images = training.context.images
    model = TrainedAutoencoder.load(training.run, "cpu").model
    shown = images.pixels[training.context.split.validation[:COUNT]]
    return Image.open(io.BytesIO(reconstructions(model, torch.from_numpy(shown))))
