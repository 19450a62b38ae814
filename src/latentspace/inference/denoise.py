"""A user's images, read with the names of their files, and what a trained network makes of them."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Final

import numpy as np
from jaxtyping import Float32

from ..core.errors import DataError
from ..core.progress import told, unheard
from ..core.types import CodeArray, ImageArray, Pixels
from ..data.batches import at_once
from ..data.imageset import ImageSet
from ..data.readers.filenames import is_named_as_image
from ..data.sources import load_images
from ..runs.directory import Run
from .conform import conforming, like_own
from .image_files import numbered
from .kept_refined import encoded_once
from .run_images import picture_of
from .trained import BATCH, TrainedAutoencoder

logger = logging.getLogger(__name__)

PART_BYTES: Final = 255  # of one part of a path, on every common file system


@dataclass(frozen=True, eq=False)
class Restored:
    """Images as a network takes them, and their codes, which it decodes; `names` of PNG files to be."""

    trained: TrainedAutoencoder
    pixels: Pixels
    codes: CodeArray
    names: tuple[str, ...]

    def blocks(self) -> Iterator[tuple[ImageArray, tuple[str, ...], Float32[np.ndarray, " _images"]]]:
        """Some decoded images at a time, as all may not fit in memory: in [0, 1], with names and errors.

        The error is the mean squared one a pixel.
        """
        size = at_once(BATCH, self.trained.data.shape)
        for start in told(range(0, len(self.codes), size), "batches of codes decoded"):
            here = slice(start, start + size)
            with unheard():
                decoded = self.trained.decode(self.codes[here])
            missed = decoded - self.pixels[here].astype(np.float32) / 255
            yield decoded, self.names[here], np.square(missed).mean(axis=(1, 2, 3), dtype=np.float32)


def denoised(trained: TrainedAutoencoder, images: ImageSet) -> Restored:
    """Encoded and decoded images, as of `restored`; warns if the network does not remove noise."""
    if trained.experiment.objective.corrupted_by is None:
        logger.warning(
            "%s is a run of %s, which is not trained to remove noise; a run of dae is",
            "it" if trained.run is None else trained.run.path,
            trained.experiment.kind,
        )
    return restored(trained, images)


def restored(trained: TrainedAutoencoder, images: ImageSet) -> Restored:
    """Images -> codes, to be decoded.

    Raises:
        DataError: images of other channels than the run's.
    """
    pixels = conforming(images, trained.data, trained.experiment.data.fit)
    return Restored(trained, pixels, encoded_once(trained, pixels), file_names(images))


def file_names(images: ImageSet) -> tuple[str, ...]:
    """The path of a PNG file for each image, with `/` between folders: a number where it has no name."""
    return numbered(len(images)) if images.files is None else png_names(images.names)


def image_at(path: str, run: Run, resize: tuple[int, int] | None = None) -> Pixels:
    """The one image in a file, as the network of a run takes it.

    Raises:
        DataError: no readable image, more than one, or one of another size or colour.
    """
    own = like_own(run.experiment.data, run.data, path)
    config = own.model_copy(update={"resize": resize, "strict": True})
    one = picture_of(config)
    found = load_images(config) if one is None else one.images("an image")
    if len(found) != 1:
        raise DataError(
            "a path must lead to one image", found=f"{path} holds {len(found):,}", do="name an image file"
        )
    return conforming(found, run.data, own.fit)


def png_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """`A/one.jpg` -> `A/one.png`; where two would share a name, both keep their own: `A/one.jpg.png`.

    No name is a folder of another, and none has a part that is longer than a disk takes: such a part is cut,
    and numbered where it is then no longer the only one.
    """
    whole = [_on_disk(PurePosixPath(one)) for one in names]
    folders = {str(above).casefold() for one in whole for above in PurePosixPath(one).parents}
    short = [str(PurePosixPath(one).with_suffix("")) if is_named_as_image(one) else one for one in whole]
    many = Counter(one.casefold() for one in short)  # a disk may not tell upper from lower case
    many.update(one.removesuffix(".png") for one in folders if one.endswith(".png"))
    chosen = [stem if many[stem.casefold()] == 1 else name for stem, name in zip(short, whole, strict=True)]
    if len({one.casefold() for one in chosen}) < len(chosen):  # a.jpg, a.png and a.jpg.png
        chosen = whole
    taken = set(folders)
    return tuple(_only(PurePosixPath(one), taken) for one in chosen)


def _only(name: PurePosixPath, taken: set[str]) -> str:
    """`name` as a PNG that is not among `taken`, which it then is; numbered from 2 where it has to be."""
    for number in count(1):
        end = ".png" if number == 1 else f"-{number}.png"
        found = str(name.with_name(_cut(name.name, PART_BYTES - len(end)) + end))
        if found.casefold() not in taken:
            break
    taken.add(found.casefold())
    return found


def _on_disk(name: PurePosixPath) -> str:
    """The name, its folders as long as a disk takes them."""
    return str(PurePosixPath(*(_cut(part, PART_BYTES) for part in name.parts[:-1]), name.name))


def _cut(part: str, most: int) -> str:
    """As much of it as has at most so many bytes."""
    part = part[:most]
    while len(part.encode("utf-8", "surrogatepass")) > most:
        part = part[:-1]
    return part
