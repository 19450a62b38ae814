"""The doctor's small autoencoder, kept in the cache: a doctor that was interrupted does not train it again.

It lies beside the images that are kept there, and counts among them.
"""

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import torch

from ...core.atomic_files import make_folder, sweep
from ...core.devices import named_device
from ...core.errors import LatentspaceError, OutputError
from ...data.imageset import ImageSet
from ...data.paths import cache_directory, keeps_images
from ...data.summary import DataRecord
from ...experiment.config import Experiment
from ...inference.trained import TrainedAutoencoder
from ...runs.tensors import fill, read_tensors, write_tensors

logger = logging.getLogger(__name__)

RULES: Final = 1  # of its training; another number after each change of what comes out
_PLAN: Final = "plan"  # the note that holds its settings


def place_of(plan: Experiment, images: ImageSet) -> Path:
    """Where an autoencoder of this plan and these images is kept."""
    settings = plan.model_dump(mode="json", exclude={"device", "threads"})
    about = repr((RULES, torch.__version__, images.content_hash, json.dumps(settings, sort_keys=True)))
    return (
        cache_directory() / "images" / f"{hashlib.blake2b(about.encode(), digest_size=16).hexdigest()}.coder"
    )


def recalled(place: Path, images: ImageSet, device: str) -> TrainedAutoencoder | None:
    """The autoencoder that is kept at `place`; None where there is none, or it is damaged, which is said."""
    if not keeps_images() or not place.exists():
        return None
    try:
        weights, notes = read_tensors(place)
        plan = Experiment.restored(json.loads(notes[_PLAN]), str(place)).on(device)
        data = DataRecord.of(images)
        model = plan.build(data.shape)
        fill(model, weights, place)
    except (LatentspaceError, ValueError, KeyError) as error:
        logger.warning("the cache file %s is damaged (%s) and is made anew", place, error)
        return None
    with suppress(OSError):
        os.utime(place)  # what was asked for last stays longest
    return TrainedAutoencoder(model, plan, data, named_device(device))


def keep(place: Path, trained: TrainedAutoencoder) -> None:
    """Write an autoencoder to `place`; a cache that cannot be written costs time alone."""
    if not keeps_images():
        return
    try:
        make_folder(place.parent)
        sweep(place.parent)
        notes = {_PLAN: trained.experiment.model_dump_json()}
        write_tensors(place, trained.model.state_dict(), notes)
    except OutputError as error:
        logger.warning("the small autoencoder could not be kept in the cache: %s", error.found)
