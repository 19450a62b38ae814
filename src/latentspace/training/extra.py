"""Extra images: learned from beside the run's own, fewer with each epoch, and never evaluated."""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool

from ..core.errors import ConfigurationError, DataError, LatentspaceError, RunError
from ..core.types import Hashes, Int64Array, Pixels
from ..core.wording import counted, option
from ..data.batches import order
from ..data.cleaning import first_of_each
from ..data.config import DataConfig
from ..data.imageset import ImageSet
from ..data.near_copies import MOST, near_copies_of
from ..data.sources import load_images
from ..experiment.config import Experiment
from ..experiment.training import TrainingConfig
from ..runs.directory import Run

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Extra:
    """Images that are learned from and never evaluated.

    Args:
        pixels: without copies and near copies of evaluated images.
        content_hash: of all that were read, those among them.
    """

    pixels: Pixels
    hashes: Hashes
    content_hash: str


def extra_of(experiment: Experiment, images: ImageSet, held_out: Int64Array) -> Extra | None:
    """The plan's extra images, as large as the run's own; None where it names none.

    Args:
        held_out: the indices of the run's images that are not learned from: copies of them are left out, and
            near copies where the split looks for these.

    Raises:
        DataError: images that cannot be read, or have other channels, or are all copies of held-out ones.
        ConfigurationError: the run's own images stay on disk.
    """
    spec = experiment.training.extra
    if spec is None:
        return None
    if images.on_disk:
        raise ConfigurationError(
            "images that extra ones are learned from beside must be in memory",
            found=f"{images.source}, which stay on disk",
            do=f"read them into memory ({option('data.resident', 'always')}), or leave "
            f"{option('training.extra')} out",
        )
    channels = str(images.shape[0]) if images.shape[0] in (1, 3) else "auto"
    changes = {
        "spec": spec,
        "resize": images.shape[1:],
        "channels": channels,
        "tiles": None,
        "group_by": None,
        "label_by": None,
        "label": "none" if experiment.data.label else None,
        "limit": None,
    }
    found = _read(experiment.data.model_copy(update=changes))
    if found.shape != images.shape:
        raise DataError(
            "extra images must have the channels of those they are learned from beside",
            found=f"{found.shape[0]} in {found.source}, {images.shape[0]} in {images.source}",
            do="name images with as many channels",
        )
    copies = np.isin(found.image_hashes, images.image_hashes[held_out])
    looked_for = experiment.split.near_copies == "on" and len(images) <= MOST
    near = _near(images, held_out, found, copies) if looked_for else np.zeros_like(copies)
    left_out = copies | near
    if left_out.all():
        raise DataError(
            "extra images must not all be copies of held-out images",
            found=f"{counted(len(found))} in {found.source}, each in the validation or the test part",
            do=f"name other images with {option('training.extra')}",
        )
    kept = np.flatnonzero(~left_out)
    kinds = {"copy": int(copies.sum()), "near copy": int(near.sum())}
    said = " and ".join(counted(count, kind) for kind, count in kinds.items() if count)
    logger.info(
        "%s to learn from beside, from %s%s",
        counted(len(kept), "extra image"),
        found.source,
        f"; left out: {said} of evaluated images" if said else "",
    )
    pixels = found.subset(kept).pixels if said or found.on_disk else found.pixels
    return Extra(pixels, found.image_hashes[kept], found.content_hash)


def _read(config: DataConfig) -> ImageSet:
    try:
        return load_images(config)
    except LatentspaceError as error:
        found = f"{error.found}, for the extra images ({option('training.extra', config.spec)})"
        raise type(error)(error.must, found=found, do=error.do) from error


def _near(
    images: ImageSet, held_out: Int64Array, extra: ImageSet, copies: Bool[np.ndarray, " _images"]
) -> Bool[np.ndarray, " _images"]:
    """Whether each extra image that is no exact copy is a near copy of a held-out one."""
    own = np.sort(held_out[first_of_each(images.image_hashes[held_out])])
    rows = first_of_each(extra.image_hashes)
    found = near_copies_of(images.pixels, own, extra.pixels, rows[~copies[rows]])
    return np.isin(extra.image_hashes, extra.image_hashes[found])


def require_same(extra: Extra | None, run: Run) -> None:
    """Refuse extra images that are not those that a run began with: raises RunError."""
    if extra is None:
        return
    if extra.content_hash != run.environment.get("extra_hash"):
        found, do = "other images (the content hash differs)", "bring them back, or train a new run"
    elif (then := run.environment.get("extra_images")) != len(extra.pixels):
        found = f"{len(extra.pixels)} without copies of evaluated images, where there were {then}"
        do = "resume it with the version of this program that began it, or train a new run"
    else:
        return
    raise RunError(f"the extra images of {run.path} must be as they were", found=found, do=do)


def mixed_order(own: int, extra: int, share: float, generator: torch.Generator) -> torch.Tensor:
    """The rows of an epoch: `share` of the extra images, which lie after the own ones, among all of these.

    An epoch has always as many rows as there are images: the own ones take the place of extra ones that it
    does without, each of them as often as any other, but for one time.
    """
    if not extra:
        return order(own, generator)
    taken = round(extra * share)
    whole, part = divmod(own + extra - taken, own)
    some = torch.randperm(own, generator=generator)[:part]
    beside = own + torch.randperm(extra, generator=generator)[:taken]
    rows = torch.cat([torch.arange(own).repeat(whole), some, beside])
    return rows[torch.randperm(len(rows), generator=generator)]


def share_in(plan: TrainingConfig, epoch: int) -> float:
    """The share of the extra images that an epoch, counted from 1, learns from: it falls in equal steps."""
    return max(0.0, 1 - (epoch - 1) / (plan.extra_until * plan.epochs))
