"""The images that a run is asked about: its own, as they were, or others."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ConfigurationError, DataError, RunError
from ..core.types import Int64Array
from ..core.wording import option
from ..data.by_names import UnmatchedError
from ..data.config import DataConfig
from ..data.imageset import ImageSet
from ..data.readers.collect import Collected, collect
from ..data.readers.filenames import is_named_as_image
from ..data.readers.reading import File
from ..data.sources import load_images
from ..data.splits import PARTS
from ..runs.directory import Run
from .conform import as_read, conformed, like_own, load_alike


def own_or_other(run: Run, data: DataConfig | ImageSet | None) -> tuple[ImageSet, bool]:
    """The images, and whether they are the run's own.

    Raises:
        RunError: the run's own data are gone or changed, and no other were named.
        DataError: images of another shape than the run's, where they are read strictly.
    """
    _ = run.data, run.experiment  # a damaged run is named before images are read
    if data is None:
        run.refuse_damaged_split()
    else:
        own = run.experiment.data
        images = data if isinstance(data, ImageSet) else load_alike(as_read(data, own, run.data), run.data)
        if isinstance(data, DataConfig) and data.strict:
            require_shape(run, images)
        if images.content_hash != run.data.content_hash:
            images = conformed(images, run.data.shape, own.fit)
        return images, images.content_hash == run.data.content_hash
    config = run.experiment.data
    if config.given:
        raise RunError(
            f"the images of {run.path} must be given again, as Python alone had them",
            found=f"{config.spec} in its config.json, and nothing beside it",
            do=f"name a file or folder that holds the same images ({option('data')}), or give them again in "
            "Python: resume(..., images=...), evaluate(..., data=...)",
        )
    try:
        images = load_images(config)
    except DataError as error:
        raise RunError(
            f"the data of {run.path} must be where they were",
            found=f"{config.spec}: {error.must}: {error.found}",
            do=f"say where they are now with {option('data')} (they are known by their hash)",
        ) from error
    if images.content_hash != run.data.content_hash:
        raise RunError(
            f"the data of {run.path} must be as they were",
            found=f"{config.spec} now holds other images (the content hash differs)",
            do=f"bring them back, or name where they are now with {option('data')}; what is named there may "
            "be other images to evaluate",
        )
    return images, True


def asked_images(run: Run, spec: str | None, settings: Mapping[str, Any]) -> tuple[ImageSet, bool]:
    """The images that a command was given, read as the run's own were, and whether they are the run's own.

    Args:
        spec: what `--data` takes, or the path of one image; None: the run's own images.
        settings: how they are read, where that differs from the run.

    Raises:
        DataError: images that cannot be found or read; RunError: as `own_or_other`.
        ConfigurationError: another size than the run takes.
    """
    if spec is None:
        return own_or_other(run, None)
    _require_size(run, settings.get("resize"))
    alike = like_own(run.experiment.data, run.data, spec)
    own = {**alike.model_dump(), "deduplicate": False, "limit": None, "strict": False}
    config = DataConfig.parse({**own, "spec": spec, **settings}, "the data options")
    one = picture_of(config)
    if one is not None:
        images = one.images("an image")
        if config.strict:
            require_shape(run, images)
        return images, False
    try:
        return own_or_other(run, config)
    except UnmatchedError:  # others may be called otherwise, where nobody says now what their names mean
        if {"group_by", "label_by"} & set(settings):
            raise
        return own_or_other(run, config.model_copy(update={"group_by": None, "label_by": None}))


def _require_size(run: Run, resize: tuple[int, int] | None) -> None:
    """Refuse images resized to another size than the network takes: raises ConfigurationError."""
    if resize is not None and tuple(resize) != run.data.shape[1:]:
        height, width = run.data.shape[1:]
        raise ConfigurationError(
            f"images must be brought to the size that the run was trained on: {height}x{width}",
            found=option("resize", tuple(resize)),
            do=f"write {option('resize', (height, width))}, or leave it out",
        )


def require_shape(run: Run, images: ImageSet) -> None:
    """Refuse images of another shape than the run's, where they are read strictly: raises DataError."""
    if images.shape != run.data.shape:
        raise DataError(
            f"with {option('strict', True)}, images must be as the run's: "
            f"{'x'.join(map(str, run.data.shape))} (channels, height, width)",
            found="x".join(map(str, images.shape)),
            do="leave it out, to bring them to that where it can be done",
        )


def picture_of(config: DataConfig) -> Collected | None:
    """The one image of a SPEC that is the path of a picture; None: it names something else.

    Raises:
        DataError: it cannot be read.
    """
    path = Path(config.spec)
    if not (path.is_file() and is_named_as_image(path.name)):
        return None
    strict = config.model_copy(update={"strict": True})
    return collect([File(path.name, str(path))], origin=str(path), config=strict)


def require_own(run: Run, images: ImageSet) -> None:
    """Refuse images other than those that a run was trained on, with whatever labels: raises RunError."""
    train = run.split.train
    if len(images) != run.data.images or not np.isin(images.image_hashes[train], run.learned_from).all():
        raise RunError(
            f"the images of {run.path} itself are needed here",
            found=f"{images.source}: others than it has learned from",
            do="give those that the run was trained on, in their order",
        )


@dataclass(frozen=True, eq=False)
class Description:
    """What tables say of images, without a network.

    Args:
        own: whether the images are the run's, so that each belongs to a part of its split.
    """

    run: Run
    images: ImageSet
    own: bool

    @cached_property
    def _parts(self) -> np.ndarray:
        parts = np.zeros(len(self.images), dtype=np.int64)
        for number, name in enumerate(PARTS):
            parts[self.run.split.part(name)] = number
        return parts

    @cached_property
    def _learned(self) -> np.ndarray:
        return np.isin(self.images.image_hashes, self.run.learned_from)

    def columns(self, rows: Int64Array | None = None) -> dict[str, Any]:
        """Name, label, part and whether the run learned from it, of some of the images, or of all."""
        rows = np.arange(len(self.images)) if rows is None else rows
        columns: dict[str, Any] = {"name": list(self.images.names_of(rows))}
        if self.images.labelled:
            columns["label"] = self.images.label_names(rows)
        if self.own:
            columns["part"] = [PARTS[part] for part in self._parts[rows].tolist()]
        columns["learned_from"] = self._learned[rows]
        return columns
