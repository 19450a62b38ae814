"""What stays together in a split, from the names of images: a pattern, their folder, or a table of names."""

import logging
import posixpath
from collections.abc import Sequence
from dataclasses import replace

from ..core.errors import ConfigurationError
from ..core.wording import counted, option
from .by_names import FOLDER, TILE, ByName
from .imageset import ImageSet
from .readers.layout import NO_LABEL, layout_of
from .readers.listed import group_numbers, noted
from .readers.tables import some

logger = logging.getLogger(__name__)


def grouped(images: ImageSet, text: str) -> ImageSet:
    """`images` with the groups that `text` gives them by their names; one without any is a group of its own.

    Raises:
        ConfigurationError, DataError: as `ByName.of`.
    """
    if images.files is None and text == FOLDER:
        raise ConfigurationError(
            f"{option('group_by', FOLDER)} needs images that lie in folders",
            found=f"{images.source}: rows, without names of files",
            do="name a CSV of row and group, or leave it out",
        )
    names = [TILE.sub("", name) for name in images.names]
    groups = ByName("group", text).of(names)
    missing = [name for name, group in zip(images.names, groups, strict=True) if group is None]
    numbers = group_numbers(
        [f"\0{name}" if group is None else group for name, group in zip(names, groups, strict=True)]
    )
    count = len({group for group in groups if group is not None})
    notes = [f"{counted(count, 'group')} from {option('group_by', text)}"]
    if missing:
        notes.append(f"{counted(len(missing))} without a match, each a group of its own: {some(missing)}")
        logger.warning("%s", notes[-1])
    if images.groups is not None:
        notes.append(f"the groups of {images.source} replaced by these")
    if text == FOLDER:
        images = _labelled_above(images, names)
    return noted(replace(images, groups=numbers), *notes)


def _labelled_above(images: ImageSet, names: Sequence[str]) -> ImageSet:
    """The class is the folder above that of the group, where there are several: `ill/p03/1.png` is ill."""
    above = layout_of([posixpath.join(posixpath.dirname(posixpath.dirname(name)), "image") for name in names])
    if len(above.class_names) < 2 or NO_LABEL in above.class_names or above.masks:
        return images
    note = f"the folder above that of the group is the class: {some(above.class_names)}"
    return noted(replace(images, labels=above.labels, class_names=above.class_names), note)
